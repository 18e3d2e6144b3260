"""Objects of a store or a web server, reached through fsspec."""

from __future__ import annotations

import errno
import fnmatch
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from offhand.errors import OffhandError

SCHEMES = {"s3": "remote", "gs": "gs", "http": "remote", "https": "remote"}
"""What a URL may begin with, and the extra that brings what reads it."""

BLOCK = 4 * 2**20
"""Bytes fetched at a time."""

MOST_BLOCKS = 8
"""Blocks of a file that are kept in memory."""


class Remote:
    """An object, or a folder of objects: the part of ``pathlib.Path`` that offhand uses.

    What goes wrong on the way is an ``OSError``, as with files of this machine.

    Parameters
    ----------
    url
        One without credentials, see :func:`offhand.files.names.location`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"Remote({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __lt__(self, other: Remote) -> bool:
        return self.url.split("/") < other.url.split("/")

    def __truediv__(self, name: str | PurePosixPath) -> Remote:
        return Remote(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The part behind the last slash."""
        return self.url.rpartition("/")[2]

    @property
    def parent(self) -> Remote:
        """What it lies in."""
        return Remote(self.url.rpartition("/")[0])

    def with_name(self, name: str) -> Remote:
        """Return what lies beside it under another name."""
        return self.parent / name

    def relative_to(self, folder: Remote) -> PurePosixPath:
        """Return its name seen from a folder above it."""
        return PurePosixPath(self.url).relative_to(folder.url)

    def resolve(self) -> Remote:
        """Return itself: object stores have no links."""
        return self

    @property
    def files(self) -> Any:
        """The fsspec file system; OffhandError if what it needs is not installed."""
        return filesystem(self.url.partition(":")[0])

    def info(self) -> dict[str, Any]:
        """Return what the store says of it: ``type``, ``size`` and more; OSError if nothing."""
        with told():
            return cast(dict[str, Any], self.files.info(self.url))

    def is_file(self) -> bool:
        """Tell whether it is an object."""
        return self._type() == "file"

    def is_dir(self) -> bool:
        """Tell whether there are objects in it; never on a web server, which cannot tell."""
        return not self.url.startswith("http") and self._type() == "directory"

    def exists(self) -> bool:
        """Tell whether it is an object or a folder of objects."""
        return self._type() != ""

    def _type(self) -> str:
        try:
            return str(self.info()["type"])
        except FileNotFoundError:
            return ""

    def open(self, mode: str = "rb", *, block: int = BLOCK) -> Part:
        """Open it for reading, a block of bytes at a time."""
        if mode != "rb":
            raise ValueError(f"mode is {mode!r}, an object is read, or written as a whole")
        with told():
            file = self.files.open(
                self.url,
                "rb",
                block_size=block,
                cache_type="blockcache",
                cache_options={"maxblocks": MOST_BLOCKS},
            )
        if getattr(file, "size", None) is None:
            file.close()
            raise OSError(errno.EIO, "the server does not send parts of files (HTTP ranges)")
        return Part(file, start=0, size=int(file.size))

    def read_bytes(self) -> bytes:
        """Return its content."""
        with told():
            return bytes(self.files.cat_file(self.url))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return its content as text."""
        return self.read_bytes().decode(encoding)

    def upload(self, file: str) -> None:
        """Replace it by a file of this machine, whole or not at all."""
        with told():
            self.files.put_file(file, self.url)

    def create(self, content: bytes) -> None:
        """Write it where it is not there yet; FileExistsError if it is."""
        with told():
            self.files.pipe_file(self.url, content, mode="create")

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Delete the object."""
        if missing_ok and not self.is_file():
            return
        with told():
            self.files.rm_file(self.url)

    def iterdir(self) -> list[Remote]:
        """Return what lies in it."""
        try:
            with told():
                found = self.files.ls(self.url, detail=False)
        except FileNotFoundError:
            return []
        names = [str(path).rstrip("/").rpartition("/")[2] for path in found]
        return [self / name for name in names if name and name != self.name]

    def glob(self, pattern: str) -> list[Remote]:
        """Return what lies in it and has a name of a pattern."""
        return [one for one in self.iterdir() if fnmatch.fnmatchcase(one.name, pattern)]

    def rglob(self, pattern: str) -> list[Remote]:
        """Return all objects below it that have a name of a pattern."""
        found = [
            here / name
            for here, _, names in self.walk()
            for name in names
            if fnmatch.fnmatchcase(name, pattern)
        ]
        return sorted(found)

    def walk(self) -> Iterator[tuple[Remote, list[str], list[str]]]:
        """Yield each folder, from the top, with the names of folders and of objects in it.

        A folder taken out of the list of folders is not entered.
        """
        with told():
            walked = self.files.walk(self.url)
        root = str(self.files._strip_protocol(self.url)).rstrip("/")
        while True:
            with told():
                step = next(walked, None)
            if step is None:
                return
            where, folders, names = step
            below = str(where)[len(root) :].strip("/")
            here = self / below if below else self
            yield here, folders, [name for name in names if name]


class Part(io.RawIOBase):
    """A stretch of an open file, as a file of its own.

    Attributes
    ----------
    failure
        What went wrong in reading, ``None`` if nothing did: a decoder may take it for the end.

    Parameters
    ----------
    file
        The open file; it is closed with the part.
    start, size
        The stretch, in bytes.
    """

    def __init__(self, file: BinaryIO, *, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size = file, start, size
        self._at = 0
        self.failure: OSError | None = getattr(file, "failure", None)

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the place in the part."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "a place before the begin of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the length of the buffer; 0 at the end."""
        length = max(0, min(len(buffer), self._size - self._at))
        try:
            with told():
                self._file.seek(self._start + self._at)
                read = self._file.read(length)
        except OSError as error:
            self.failure = error
            raise
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self._file.close()
        super().close()


def filesystem(scheme: str) -> Any:
    """Return the fsspec file system of a scheme.

    It takes its credentials from where its own platform keeps them, and is told none. Listings
    are not kept, as other processes write too.

    Raises
    ------
    OffhandError
        What it needs is not installed.
    """
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        extra = SCHEMES[scheme]
        raise OffhandError(
            f"{scheme}:// needs packages that are not installed: pip install 'offhand[{extra}]'"
        ) from error


@contextmanager
def told() -> Iterator[None]:
    """Turn what a file system of fsspec raises into an OSError that says why."""
    try:
        yield
    except (OffhandError, FileExistsError):
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "no such file") from error
    except OSError as error:
        if error.strerror:
            raise
        raise OSError(errno.EIO, str(error) or type(error).__name__) from error
    except Exception as error:
        if "range requests" in str(error):
            said = "the server does not send parts of files (HTTP ranges)"
        else:
            said = f"{type(error).__name__}: {error}"
        raise OSError(errno.EIO, said) from error
