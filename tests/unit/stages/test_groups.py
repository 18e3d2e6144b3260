"""The table of what stands above clips."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from offhand.errors import ConfigError
from offhand.stages.groups import read_groups

CLIPS = {"one", "two", "three"}


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_column_is_a_level(tmp_path: Path) -> None:
    text = "clip,site,worker\none,A,Ann\ntwo.mp4,A,\nfolder/three.mp4,B,Ann\n"
    site, worker = read_groups(table(tmp_path, text), CLIPS)
    assert (site.level, worker.level) == ("site", "worker")
    assert site.of_clip == (("one", "A"), ("three", "B"), ("two", "A"))
    assert worker.of_clip == (("one", "Ann"), ("three", "Ann"))
    assert site.key != worker.key


def test_clips_that_are_not_there_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (site,) = read_groups(table(tmp_path, "clip,site\none,A\nfour,B\n"), CLIPS)
    assert site.of_clip == (("one", "A"),)
    assert "line 3: no clip 'four'" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needed: clip"),
        ("clip\none\n", "needed: clip"),
        ("name,site\none,A\n", "needed: clip"),
        ("clip,site\none,A\none.mp4,B\n", "line 3: clip 'one' is named twice"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_groups(table(tmp_path, text), CLIPS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_groups(tmp_path / "none.csv", CLIPS)
