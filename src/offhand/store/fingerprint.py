"""Identities: of a configured step (code and options), of a file, of a result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from offhand.errors import VideoError
from offhand.files.reading import opened


def of_step(step: Any, *, after: tuple[str, ...] = ()) -> str:
    """Return the fingerprint of a configured step: 12 hexadecimal digits.

    Parameters
    ----------
    step
        A frozen dataclass with class attributes ``name`` and ``version``; its fields are its
        options.
    after
        Fingerprints of the steps whose results it reads.
    """
    content = {
        "name": step.name,
        "version": step.version,
        "options": dataclasses.asdict(step),
        "after": list(after),
    }
    return digest(content)


def digest(content: Any) -> str:
    """Return 12 hexadecimal digits that identify plain data."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def of_file(path: str) -> str:
    """Return the SHA-256 of a file's content in hexadecimal.

    Raises
    ------
    VideoError
        The file cannot be read.
    """
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror or error})") from error
