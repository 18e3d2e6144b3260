"""Members of tar archives, read where they lie: nothing is unpacked."""

from __future__ import annotations

import errno
import tarfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, cast

from offhand.files.names import is_local, location
from offhand.files.remote import Remote

HEADER_BLOCK = 64 * 2**10
"""Bytes fetched to read a header in a remote archive."""

MOST_ARCHIVES = 64
"""Tables of contents that are kept."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is in an archive.

    Attributes
    ----------
    members
        First byte and size of each regular file, by its name; of equal names the last one counts.
    damage
        Why there may be more that cannot be read, empty if the archive is whole.
    """

    members: dict[str, tuple[int, int]] = field(default_factory=dict)
    damage: str = ""


def contents(archive: str) -> Contents:
    """Return what is in an archive; read once, as long as the archive stays the same.

    Raises
    ------
    OSError
        It cannot be read.
    """
    path = location(archive)
    if is_local(path):
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file")
        seen = path.stat()
        return _contents(archive, f"{seen.st_size} {seen.st_mtime_ns}")
    return _contents(archive, identity(cast(Remote, path).info()))


def identity(info: dict[str, object]) -> str:
    """Return what tells a content of an object from others, as its store says; empty if nothing.

    Stores name it differently: S3 and web servers ``ETag``, Google ``md5Hash`` or ``crc32c``.
    """
    names = ("ETag", "md5Hash", "crc32c", "etag", "Content-MD5", "Digest", "Last-Modified")
    known = next((f"{name} {info[name]}" for name in names if info.get(name)), "")
    return f"{known} {info.get('size')}" if known else ""


@lru_cache(maxsize=MOST_ARCHIVES)
def _contents(archive: str, stamp: str) -> Contents:
    del stamp  # part of the key alone
    path = location(archive)
    members: dict[str, tuple[int, int]] = {}
    with path.open("rb") if is_local(path) else cast(Remote, path).open(block=HEADER_BLOCK) as file:
        try:
            with tarfile.open(fileobj=cast(BinaryIO, file), mode="r:") as tar:
                while (member := tar.next()) is not None:
                    if member.isreg() and not member.issparse():
                        members[member.name] = member.offset_data, member.size
                end = tar.offset
        except tarfile.TarError as error:
            return Contents(members=members, damage=f"damaged, or no plain tar file ({error})")
        file.seek(end)
        if any(file.read(tarfile.BLOCKSIZE)):
            return Contents(members=members, damage=f"damaged at byte {end}")
    return Contents(members=members)
