"""What a name stands for: a file of this machine, a URL, or a member of a tar archive."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import cast
from urllib.parse import unquote, urlsplit

from offhand.errors import OffhandError
from offhand.files.remote import SCHEMES, Remote

ARCHIVE = ".tar"

Name = str | os.PathLike[str] | Remote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_MEMBER = re.compile(r"(.+?\.tar)::(.+)", re.IGNORECASE | re.DOTALL)


def is_url(name: str) -> bool:
    """Tell whether a name is a URL, ``file://`` included."""
    return _SCHEME.match(name) is not None


def location(name: Name) -> Path:
    """Return the file or folder that a name stands for.

    Parameters
    ----------
    name
        A path, or a URL (``file://``, ``s3://``, ``gs://``, ``http://``, ``https://``). A member
        of an archive has no location of its own.

    Returns
    -------
    Path
        For what is not on this machine a :class:`offhand.files.remote.Remote`, which has those of
        a path's methods that are used; :func:`is_local` tells them apart.

    Raises
    ------
    OffhandError
        The URL is of another kind, or may hold credentials.
    """
    if isinstance(name, Remote):
        return cast(Path, name)
    text = os.fspath(name)
    found = _SCHEME.match(text)
    if found is None:
        return Path(name)
    scheme = found[1].lower()
    if scheme != "file" and scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in ("file", *SCHEMES))
        raise OffhandError(f"{scheme}:// is not read; a URL begins with one of {known}")
    parts = urlsplit(text)
    if scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise OffhandError(f"{text}: a file of another machine")
        return Path(unquote(text[found.end() + len(parts.netloc) :]))
    if "@" in parts.netloc or (scheme.startswith("http") and (parts.query or parts.fragment)):
        shown = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise OffhandError(
            f"{shown}: a URL with a user, a query (?) or a fragment (#) is not taken: it may hold "
            "credentials, and names of files stand in the results; see docs/remote.md"
        )
    return cast(Path, Remote(scheme + text[found.end() - 3 :]))


def is_local(path: Path) -> bool:
    """Tell whether a location is on this machine."""
    return isinstance(path, Path)


def in_archive(name: str) -> tuple[str, str] | None:
    """Return the archive and the member that a name stands for, ``None`` for any other name.

    ``shard.tar::a/b.mp4`` is the member ``a/b.mp4`` of ``shard.tar``.
    """
    found = _MEMBER.fullmatch(name)
    return (found[1], found[2]) if found else None


def plain(name: Name) -> str:
    """Return a name in the form in which a file has one name only; links stay links.

    A path becomes absolute, without ``..``; ``file://`` becomes a path; URLs and names inside
    archives stay as they are.

    Raises
    ------
    OffhandError
        As :func:`location`.
    """
    text = str(name) if isinstance(name, Remote) else os.fspath(name)
    if member := in_archive(text):
        return f"{plain(member[0])}::{member[1]}"
    path = location(name)
    return os.path.abspath(path) if is_local(path) else str(path)  # noqa: PTH100 (links)


def beside(file: str, name: str) -> str:
    """Return a name, which is relative to the folder that a file lies in, as seen from here."""
    if is_url(name):
        return name
    folder = location(file).parent
    if is_local(folder):
        return str(folder / name)
    start = str(folder).index("//") + 2
    bucket, _, key = str(folder)[start:].partition("/")
    whole = posixpath.normpath(posixpath.join("/" + key, name))
    return str(folder)[:start] + bucket + "/" + whole.lstrip("/")


def suffix(name: str) -> str:
    """Return the ending of a file's name in lower case, such as ``.mp4``."""
    return PurePosixPath(name).suffix.lower()


def stem(name: str) -> str:
    """Return what a file is called without folders and ending; ``shard/stem`` inside archives."""
    if member := in_archive(name):
        return f"{stem(member[0])}/{PurePosixPath(member[1]).stem}"
    return PurePosixPath(name).stem
