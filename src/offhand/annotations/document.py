"""Files that people write through the viewer: versioned JSON, replaced as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from offhand.errors import StoreError
from offhand.files import write_text
from offhand.files.names import is_local


class Record(BaseModel):
    """A part of such a file: nothing in it that is not named, and nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_document(path: Path, *, version: int) -> dict[str, Any] | None:
    """Return the content of a file, ``None`` where there is none.

    Raises
    ------
    StoreError
        The file is damaged, or its ``format`` is not this version; it is left as it is.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); mend or move the file") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != version:
        raise StoreError(
            f"{path}: format {found}, this offhand reads {version}; update it or move the file"
        )
    return dict(content)


def write_document(path: Path, content: dict[str, Any]) -> None:
    """Replace a file, whole or not at all; StoreError if that fails."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=True))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep others from changing a file meanwhile; StoreError where its folder is not writable."""
    if not is_local(path):
        raise StoreError(
            f"{path.parent}: a workspace in an object store cannot be edited; copy it to this "
            "machine, and back when you are done"
        )
    try:
        with filelock.FileLock(path.with_name(f".{path.name}.lock")):
            yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error


def in_words(error: ValidationError) -> str:
    """Return what is wrong with data in one line: where, and why."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
