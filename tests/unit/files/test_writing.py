"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhand.errors import StoreError
from offhand.files import replacing, replacing_folder, write_bytes, write_text


def test_text_and_bytes(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "folder" / "a.txt", "héllo\n")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == "héllo\n".encode()
    write_bytes(tmp_path / "b", b"\x00\xff")
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    assert {path.name for path in tmp_path.rglob("*")} == {"new", "folder", "a.txt", "b"}


def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "before")

    def break_off() -> None:
        with replacing(path) as temporary:
            temporary.write_text("aft")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_not_there_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.name.startswith(".")
    assert path.read_text() == "whole"


def test_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "")


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"), replacing(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    for name in ("a", "b"):
        with replacing_folder(folder) as new:
            (new / name).write_text(name, "utf-8")
        assert [path.name for path in folder.iterdir()] == [name]

    def break_off() -> None:
        with replacing_folder(folder) as new:
            (new / "c").write_text("c", "utf-8")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    assert [path.name for path in folder.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StoreError), replacing_folder(tmp_path / "file" / "pages"):
        pass
