"""Identities: of a configured step (code and options), of a file, of a result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

from offhand.errors import VideoError
from offhand.files.reading import opened
from offhand.files.remote import Part

SAMPLES = 32
"""Places, evenly spread over a large file and its ends among them, that tell its content."""

SAMPLE_BYTES = 32 << 10
"""Bytes that are read at each of them."""


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
    with _readable(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_samples(path: str) -> str:
    """Return a SHA-256 that tells a file's content, in hexadecimal, from at most 1 MiB of it.

    Of its size and its bytes, of a larger file at evenly spread places: reading all the footage
    before work begins would take hours at thousands of hours of it.

    Raises
    ------
    VideoError
        The file cannot be read.
    """
    with _readable(path) as file:
        size = file.seek(0, os.SEEK_END)
        found = hashlib.sha256(f"{size} ".encode())
        step = max(SAMPLE_BYTES, math.ceil((size - SAMPLE_BYTES) / (SAMPLES - 1)))
        for place in range(SAMPLES):
            file.seek(place * step)
            found.update(file.read(SAMPLE_BYTES))
        return found.hexdigest()


@contextmanager
def _readable(path: str) -> Iterator[BufferedReader | Part]:
    """Open a file; what goes wrong with it is a VideoError."""
    try:
        with opened(path) as file:
            yield file
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror or error})") from error
