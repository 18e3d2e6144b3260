"""Tar archives: their contents, their damage, and reading in them."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from offhand.files.archive import contents, identity
from offhand.files.reading import is_there, look, opened


def pack(path: Path, members: dict[str, bytes], *, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


MEMBERS = {"a.mp4": b"first" * 500, "sub/ä b.mp4": b"second" * 500, "a.json": b"{}"}


def test_members_are_read_where_they_lie(tmp_path: Path) -> None:
    path = pack(tmp_path / "s.tar", MEMBERS)
    there = contents(str(path))
    assert there.damage == ""
    assert list(there.members) == list(MEMBERS)
    for name, content in MEMBERS.items():
        with opened(f"{path}::{name}") as file:
            assert file.read() == content
            assert file.seek(-2, os.SEEK_END) == len(content) - 2
            assert file.read(100) == content[-2:]
            assert file.seek(3) == file.tell() == 3
            assert file.read(5) == content[3:8]
            with pytest.raises(OSError, match="begin of the file"):
                file.seek(-1)
    assert look(f"{path}::a.mp4").size == 2500


def test_links_and_folders_are_no_files_and_the_last_of_two_counts(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as tar:
        folder = tarfile.TarInfo("d.mp4")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        link = tarfile.TarInfo("link.mp4")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    pack(path, {"v.mp4": b"old"}, mode="a")
    pack(path, {"v.mp4": b"new"}, mode="a")
    assert list(contents(str(path)).members) == ["v.mp4"]
    with opened(f"{path}::v.mp4") as file:
        assert file.read() == b"new"


def test_an_archive_that_changed_is_read_again(tmp_path: Path) -> None:
    path = pack(tmp_path / "s.tar", {"a.mp4": b"1"})
    assert list(contents(str(path)).members) == ["a.mp4"]
    pack(path, {"b.mp4": b"22", "c.mp4": bytes(20_000)})
    assert list(contents(str(path)).members) == ["b.mp4", "c.mp4"]


@pytest.mark.parametrize(
    ("damage", "found", "said"),
    [
        (lambda content: content[:5000], ["a.mp4", "b.mp4"], "unexpected end"),
        (lambda content: content[:3072] + b"x" * 512 + content[3584:], ["a.mp4"], "at byte 3072"),
        (lambda content: b"x" * len(content), [], "no plain tar"),
        (lambda content: b"", [], "no plain tar"),
    ],
)
def test_damage_is_told_and_what_comes_before_is_found(
    tmp_path: Path, damage: object, found: list[str], said: str
) -> None:
    whole = pack(tmp_path / "whole.tar", {"a.mp4": MEMBERS["a.mp4"], "b.mp4": b"2" * 3000})
    path = tmp_path / "s.tar"
    path.write_bytes(damage(whole.read_bytes()))  # type: ignore[operator]
    there = contents(str(path))
    assert said in there.damage
    assert list(there.members) == found


def test_a_member_or_an_archive_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "s.tar", MEMBERS)
    assert is_there(f"{path}::a.mp4")
    assert not is_there(f"{path}::gone.mp4")
    assert not is_there(f"{tmp_path}/gone.tar::a.mp4")
    with (
        pytest.raises(FileNotFoundError, match="no such file in the archive"),
        opened(f"{path}::gone.mp4"),
    ):
        pass


def test_an_object_is_identified_by_what_its_store_says() -> None:
    assert identity({"ETag": '"1"', "size": 3}) != identity({"ETag": '"2"', "size": 3})
    assert identity({"md5Hash": "x", "etag": "1"}) == identity({"md5Hash": "x", "etag": "2"})
    assert identity({"size": 3}) == ""
