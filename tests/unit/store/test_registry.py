"""A file keeps its clip_id for ever, and two files never share one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from offhand.errors import StoreError
from offhand.store.registry import MAX_LENGTH, ClipRegistry, clean_name


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.fixture
def registry(tmp_path: Path) -> ClipRegistry:
    return ClipRegistry(tmp_path / "store" / "clips.json")


def test_names_come_from_the_stem_and_differ(registry: ClipRegistry, tmp_path: Path) -> None:
    files = [write(tmp_path / name, name) for name in ("a.mp4", "x/a.mp4", "y/A.mkv", "b.mp4")]
    ids = [registry.register(file).clip_id for file in files]
    assert ids == ["a", "a-2", "A-3", "b"]
    assert [registry.register(file).clip_id for file in reversed(files)] == ids[::-1]


def test_names_survive_saving(registry: ClipRegistry, tmp_path: Path) -> None:
    first = write(tmp_path / "x" / "ä.mp4", "1")
    second = write(tmp_path / "y" / "ä.mp4", "2")
    entries = [registry.register(second), registry.register(first)]
    registry.save()
    again = ClipRegistry(tmp_path / "store" / "clips.json")
    assert [again.register(second), again.register(first)] == entries


def test_a_moved_file_keeps_its_name(registry: ClipRegistry, tmp_path: Path) -> None:
    file = write(tmp_path / "a.mp4", "content")
    entry = registry.register(file)
    moved = file.rename(tmp_path / "other.mp4")
    assert registry.register(moved).clip_id == entry.clip_id
    back = write(tmp_path / "a.mp4", "something else")
    assert registry.register(back).clip_id != entry.clip_id


def test_a_copy_gets_a_name_of_its_own(registry: ClipRegistry, tmp_path: Path) -> None:
    first = registry.register(write(tmp_path / "a.mp4", "content"))
    second = registry.register(write(tmp_path / "b.mp4", "content"))
    assert first.sha256 == second.sha256
    assert (first.clip_id, second.clip_id) == ("a", "b")


def test_changed_content_keeps_the_name(registry: ClipRegistry, tmp_path: Path) -> None:
    file = write(tmp_path / "a.mp4", "before")
    before = registry.register(file)
    write(file, "after!")
    os.utime(file, ns=(0, before.modified_ns + 1))
    after = registry.register(file)
    assert after.clip_id == before.clip_id
    assert after.sha256 != before.sha256


def test_a_file_that_is_not_there(registry: ClipRegistry, tmp_path: Path) -> None:
    missing = registry.register(tmp_path / "missing.mp4")
    assert (missing.clip_id, missing.sha256) == ("missing", "")
    other = registry.register(tmp_path / "other.mp4")
    assert other.clip_id == "other"
    there = registry.register(write(tmp_path / "missing.mp4", "now it is"))
    assert there.clip_id == "missing"
    assert there.sha256


@pytest.mark.parametrize("text", ["", "{", "[1", '{"a": 3}', '{"a": {"size": 3}}', "\xff"])
def test_a_damaged_list_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clips.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StoreError, match=r"clips\.json: the list of clips is damaged"):
        ClipRegistry(path)


def test_the_list_is_plain_json(registry: ClipRegistry, tmp_path: Path) -> None:
    file = write(tmp_path / "a.mp4", "content")
    registry.register(file)
    registry.save()
    stored = json.loads((tmp_path / "store" / "clips.json").read_text())
    assert stored[str(file)]["clip_id"] == "a"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("GX010042", "GX010042"),
        ("a b/c:d", "a_b_c_d"),
        ("..hidden", "hidden"),
        ("été 2024.v2", "été_2024.v2"),
        ("e\u0301", "é"),
        ("工事", "工事"),
        ("???", "clip"),
        ("", "clip"),
        ("x" * 300, "x" * MAX_LENGTH),
    ],
)
def test_clean_names(stem: str, name: str) -> None:
    assert clean_name(stem) == name
