"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from offhand.errors import StoreError
from offhand.files.names import is_local
from offhand.files.remote import Remote


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and rename it there if the block succeeds.

    The data are on disk before the rename; after a failure neither a partial nor a temporary file
    is left, and an earlier file stays as it was. An object of a store is written on this machine,
    and uploaded as a whole.

    Raises
    ------
    StoreError
        The folder cannot be made or written to.
    """
    if not is_local(path):
        with _uploading(cast(Remote, path)) as temporary:
            yield temporary
        return
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _uploading(remote: Remote) -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="offhand-") as folder:
            temporary = Path(folder) / remote.name
            yield temporary
            remote.upload(str(temporary))
    except OSError as error:
        raise StoreError(f"{remote}: cannot be written ({error.strerror or error})") from error


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a new folder beside ``path``, and put it in that one's place if the block succeeds.

    What was in the folder before is gone then; after a failure it stays as it was. Objects of a
    store are written on this machine, and uploaded one after the other.

    Raises
    ------
    StoreError
        The folder cannot be made or written to.
    """
    if not is_local(path):
        with tempfile.TemporaryDirectory(prefix="offhand-") as folder:
            yield Path(folder)
            remove_folder(path)
            for file in sorted(Path(folder).iterdir()):
                with replacing(path / file.name) as upload:
                    file.replace(upload)
        return
    number = uuid.uuid4().hex
    temporary, old = (path.with_name(f".{path.name}.{number}.{end}") for end in ("tmp", "old"))
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.replace(old)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Delete a folder with all that is in it, if it is there."""
    if is_local(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        for file in path.rglob("*"):
            file.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all; raises StoreError."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; raises StoreError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
