"""What names stand for: paths, URLs, members of archives."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhand.errors import OffhandError
from offhand.files.names import beside, in_archive, is_local, location, plain, stem
from offhand.files.remote import Remote


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/a/../b.mp4", "/b.mp4"),
        ("file:///a/b%20c.mp4", "/a/b c.mp4"),
        ("file://localhost/a.mp4", "/a.mp4"),
        ("S3://bucket/a/", "s3://bucket/a"),
        ("https://host:8000/a%20b.mp4", "https://host:8000/a%20b.mp4"),
        ("/a/../s.tar::./k/../v.mp4", "/s.tar::./k/../v.mp4"),
        ("s3://b/s.tar::v.mp4", "s3://b/s.tar::v.mp4"),
    ],
)
def test_a_file_has_one_name(name: str, expected: str) -> None:
    assert plain(name) == expected
    assert plain(expected) == expected


def test_local_files_are_plain_paths() -> None:
    assert type(location("a/b.mp4")) is type(Path("a/b.mp4"))
    assert is_local(location("file:///a"))
    assert not is_local(location("gs://b/a"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ftp://host/a.mp4", "ftp:// is not read"),
        ("s3://key:hidden@bucket/a.mp4", "s3://bucket/a.mp4: a URL with a user"),
        ("https://me:hidden@host/a.mp4", "https://host/a.mp4: a URL with a user"),
        ("https://host/a.mp4?X-Amz-Signature=hidden", "https://host/a.mp4: a URL with a user"),
        ("https://host/s.tar?hidden::v.mp4", "https://host/s.tar: a URL with a user"),
        ("file://hidden/a.mp4", "a file of another machine"),
    ],
)
def test_urls_that_may_hold_credentials_are_refused_without_showing_them(
    name: str, said: str
) -> None:
    with pytest.raises(OffhandError) as told:
        plain(name)
    assert said in str(told.value)
    assert "hidden" not in str(told.value) or name.startswith("file")


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("/d/list.txt", "a.mp4", "/d/a.mp4"),
        ("/d/list.txt", "s3://b/a.mp4", "s3://b/a.mp4"),
        ("s3://b/d/list.txt", "a.mp4", "s3://b/d/a.mp4"),
        ("s3://b/d/list.txt", "../e/./a.mp4", "s3://b/e/a.mp4"),
        ("s3://b/list.txt", "../../a.mp4", "s3://b/a.mp4"),
        ("https://h:1/d/list.txt", "/e/a.mp4", "https://h:1/e/a.mp4"),
        ("s3://b/d/list.txt", "s.tar::v.mp4", "s3://b/d/s.tar::v.mp4"),
    ],
)
def test_names_in_a_list_are_relative_to_it(file: str, name: str, expected: str) -> None:
    assert beside(file, name) == expected


def test_a_member_is_told_from_a_file() -> None:
    assert in_archive("s3://b/x.tar::a::b.tar::c.mp4") == ("s3://b/x.tar", "a::b.tar::c.mp4")
    assert in_archive("X.TAR::v.mp4") == ("X.TAR", "v.mp4")
    assert in_archive("a::b.mp4") is None
    assert stem("/d/shard-0.tar::a/key.mp4") == "shard-0/key"
    assert stem("s3://b/d/clip.one.mp4") == "clip.one"


def test_a_remote_path_has_the_parts_of_a_path() -> None:
    path = Remote("s3://b/out/") / "results" / "a.parquet"
    assert (str(path), path.name) == ("s3://b/out/results/a.parquet", "a.parquet")
    assert path.parent == Remote("s3://b/out/results")
    assert path.with_name("c") == Remote("s3://b/out/results/c")
    assert path.relative_to(Remote("s3://b/out")).as_posix() == "results/a.parquet"
    with pytest.raises(ValueError, match="mode is 'wb'"):
        path.open("wb")
