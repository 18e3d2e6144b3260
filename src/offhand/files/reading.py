"""Opening a file by its name, wherever it lies, and telling whether it is the same as before."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import cast

from offhand.files.archive import contents, identity
from offhand.files.names import in_archive, is_local, location
from offhand.files.remote import Part, Remote

ENDS = 2**18
"""Bytes at either end that stand for a content where a server tells nothing else of it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is told of a file without reading it.

    Attributes
    ----------
    size, modified_ns
        In bytes; time of its last change, -1 where the file is not on this machine.
    identity
        Hash of what its store says of its content; empty on this machine, where it is read.
    """

    size: int
    modified_ns: int = -1
    identity: str = ""


@contextmanager
def opened(name: str) -> Iterator[BufferedReader | Part]:
    """Open a file for reading, by path, URL, or ``archive.tar::member``.

    Of a URL only what is read is fetched, in blocks. What went wrong in reading is kept as the
    attribute ``failure`` of the file.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    member = in_archive(name)
    path = location(member[0] if member else name)
    if is_local(path) and not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "no such file")
    start, size = _stretch(*member) if member else (0, 0)
    with path.open("rb") as file:
        yield Part(file, start=start, size=size) if member else file


def look(name: str) -> Seen:
    """Return what is told of a file without reading it.

    Raises
    ------
    OSError
        It is not there, or cannot be reached.
    """
    member = in_archive(name)
    path = location(member[0] if member else name)
    size = _stretch(*member)[1] if member else -1
    if is_local(path):
        status = path.stat()
        return Seen(size=size if member else status.st_size, modified_ns=status.st_mtime_ns)
    info = cast(Remote, path).info()
    said = identity(info) or _ends(cast(Remote, path))
    if member:
        said += f" {name.rpartition('::')[2]}"
    whole = int(info.get("size") or 0)
    return Seen(
        size=size if member else whole,
        identity=hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest(),
    )


def is_there(name: str) -> bool:
    """Tell whether a file is there; one that cannot be reached now may be."""
    try:
        look(name)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _stretch(archive: str, member: str) -> tuple[int, int]:
    """Return the first byte and the size of a member."""
    there = contents(archive)
    if member not in there.members:
        said = f"; the archive is {there.damage}" if there.damage else ""
        raise FileNotFoundError(errno.ENOENT, f"no such file in the archive{said}")
    return there.members[member]


def _ends(path: Remote) -> str:
    """Return a hash of the size and both ends of an object."""
    with path.open(block=ENDS) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - ENDS))
        last = file.read(ENDS)
        file.seek(0)
        return hashlib.sha256((file.read(ENDS) or b"") + (last or b"")).hexdigest() + f" {size}"
