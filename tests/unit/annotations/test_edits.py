"""The log of edits: what is kept, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offhand.annotations.edits import (
    FILE_NAME,
    LONGEST_NAME,
    Boundary,
    Count,
    Log,
    Name,
    parse_edit,
    read_log,
    update_log,
)
from offhand.errors import StoreError

REF = {"modality": "late_fusion", "clusterer": "ward", "label": 1}
STRETCH = {"clip_id": "a", "start_s": 1.0, "stop_s": 2.0}
EDITS: list[dict[str, Any]] = [
    {"kind": "name", "cluster": REF, "name": "hammering"},
    {"kind": "mark", "cluster": REF, "status": "not work"},
    {"kind": "merge", "cluster": REF, "into": REF | {"label": 2}},
    {"kind": "split", "cluster": REF, "segments": [STRETCH], "name": "sawing"},
    {"kind": "boundary", "clip_id": "a", "from_s": 5.0, "to_s": 5.5},
    {"kind": "count", "stretch": STRETCH, "count": 7},
    {"kind": "count", "stretch": STRETCH, "count": None},
]
HOSTILE = ["<script>", '"quoted"', "a\nb", "😀", "مرحبا", "x" * LONGEST_NAME, "../x", "\x00"]


def test_every_kind_survives_the_file(tmp_path: Path) -> None:
    edits = [parse_edit(one) for one in EDITS]
    for edit in edits:
        update_log(tmp_path, lambda log, edit=edit: log.added(edit))
    assert list(read_log(tmp_path).edits) == edits
    assert json.loads((tmp_path / FILE_NAME).read_text("ascii"))["format"] == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_kept_as_they_are(tmp_path: Path, name: str) -> None:
    edit = parse_edit(EDITS[0] | {"name": name})
    update_log(tmp_path, lambda log: log.added(edit))
    (stored,) = read_log(tmp_path).edits
    assert isinstance(stored, Name)
    assert stored.name == name


def test_undo_and_redo() -> None:
    one, two = (Boundary(clip_id="a", from_s=1.0, to_s=to_s) for to_s in (1.1, 1.2))
    log = Log().added(one).added(two)
    assert log.undo().edits == (one,)
    assert log.undo().redo() == log
    assert log.undo().undo().undo() == log.undo().undo()
    assert log.redo() == log
    assert log.undo().added(one).undone == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"kind": "rename"}, "kind"),
        ({}, "discriminator"),
        ("text", "dictionary"),
        (EDITS[0] | {"name": "x" * (LONGEST_NAME + 1)}, "at most 300"),
        (EDITS[0] | {"surplus": 1}, "surplus"),
        (EDITS[1] | {"status": "great"}, "status"),
        (EDITS[2] | {"into": REF}, "into itself"),
        (EDITS[2] | {"into": REF | {"clusterer": "hdbscan"}}, "cannot be merged"),
        (EDITS[3] | {"segments": []}, "segments"),
        (EDITS[4] | {"to_s": -1.0}, "to_s"),
        (EDITS[4] | {"to_s": float("nan")}, "to_s"),
        (EDITS[5] | {"count": -1}, "count"),
        (EDITS[5] | {"stretch": STRETCH | {"stop_s": 1.0}}, "ends at 1.0 s"),
    ],
)
def test_what_is_no_edit_is_refused_in_words(content: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_edit(content)


def test_without_a_file_there_is_no_edit(tmp_path: Path) -> None:
    assert read_log(tmp_path) == Log()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "mend or move"),
        ("[]", "this offhand reads 1"),
        ('{"format": 2, "edits": []}', "format 2"),
        ('{"format": 1, "edits": [{"kind": "name"}]}', "an edit is damaged"),
        ('{"format": 1, "edits": 3}', "an edit is damaged"),
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(text, "utf-8")
    with pytest.raises(StoreError, match=said) as error:
        update_log(tmp_path, lambda log: log.undo())
    assert FILE_NAME in str(error.value)
    assert path.read_text("utf-8") == text


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    edit = Count.model_validate(EDITS[5])
    update_log(tmp_path, lambda log: log.added(edit))
    before = (tmp_path / FILE_NAME).read_bytes()

    def fail(log: Log) -> Log:
        raise ValueError("does not fit")

    with pytest.raises(ValueError, match="does not fit"):
        update_log(tmp_path, fail)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))
