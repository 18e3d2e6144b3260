"""What all formats share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from offhand.errors import StoreError
from offhand.exports.formats import FORMATS
from tests.unit.exports.timelines import export, hostile, plain

needs_rerun = pytest.mark.skipif(
    importlib.util.find_spec("rerun") is None, reason="needs the package rerun-sdk"
)
EVERY = [pytest.param(name, marks=needs_rerun if name == "rerun" else ()) for name in FORMATS]
SAME_BYTES = [name for name in FORMATS if name != "rerun"]


def test_names() -> None:
    assert list(FORMATS) == [
        "csv",
        "jsonl",
        "elan",
        "boris",
        "label_studio",
        "fiftyone",
        "rerun",
        "vtt",
        "srt",
        "chapters",
    ]
    for name, one in FORMATS.items():
        assert one.name == name
        assert one.explanation


@pytest.mark.parametrize("name", EVERY)
def test_hostile_names(name: str, tmp_path: Path) -> None:
    assert export(name, hostile(), tmp_path / "new" / name)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_to_export(name: str, tmp_path: Path) -> None:
    export(name, [], tmp_path)


@pytest.mark.parametrize("name", SAME_BYTES)
def test_the_same_timelines_give_the_same_bytes_over_earlier_files(
    name: str, tmp_path: Path
) -> None:
    before = {key: file.read_bytes() for key, file in export(name, plain(), tmp_path).items()}
    after = {key: file.read_bytes() for key, file in export(name, plain(), tmp_path).items()}
    assert before == after


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        FORMATS[name].write(plain(), tmp_path / "file" / "folder")
