"""Files that name clips: one a line, or a column of a table; and datasets that have such a file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable

import pandas as pd

from offhand.errors import VideoError
from offhand.files.names import beside, location, suffix

SUFFIXES = frozenset((".txt", ".csv", ".jsonl", ".parquet"))

COLUMNS = ("path", "file", "file_name", "video", "clip")
"""Columns that may name the files, in order of preference; Hugging Face has ``file_name``."""

DATASET_LISTS = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""What makes a folder a dataset of Hugging Face's kind, if it has the column ``file_name``."""


def listed(file: str) -> list[str]:
    """Return the files that a list names, in its order, each once.

    Parameters
    ----------
    file
        Path or URL of a text, with one file a line (blank lines and those that begin with ``#``
        are passed over); or of a CSV, JSON Lines or Parquet table with one of the columns in
        ``COLUMNS``. Names are paths or URLs, relative to the folder of the list.

    Raises
    ------
    VideoError
        The list cannot be read, has no such column, or names nothing.
    """
    try:
        names = _lines(file) if suffix(file) == ".txt" else _column(file)
    except (OSError, ValueError) as error:
        raise VideoError(f"{file}: the list of clips cannot be read ({error})") from error
    if not names:
        raise VideoError(f"{file}: the list names no clip")
    return [beside(file, name) for name in dict.fromkeys(names)]


def dataset_listed(folder: str, names: Iterable[str]) -> list[str] | None:
    """Return the files of a Hugging Face dataset, ``None`` if the folder is none.

    Parameters
    ----------
    folder
        Path or URL of the folder.
    names
        Of the files in it.

    Raises
    ------
    VideoError
        Its list cannot be read, or names nothing.
    """
    own = set(names)
    for name in DATASET_LISTS:
        file = f"{folder}/{name}"
        try:
            is_dataset = name in own and "file_name" in _table(file)
        except (OSError, ValueError) as error:
            raise VideoError(f"{file}: cannot be read ({error})") from error
        if is_dataset:
            return listed(file)
    return None


def _lines(file: str) -> list[str]:
    lines = (line.strip() for line in location(file).read_text("utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _table(file: str) -> pd.DataFrame:
    content = location(file).read_bytes()
    if suffix(file) == ".parquet":
        return pd.read_parquet(io.BytesIO(content))
    if suffix(file) == ".csv":
        return pd.read_csv(
            io.BytesIO(content), dtype="str", encoding="utf-8-sig", keep_default_na=False
        )
    lines = content.decode("utf-8-sig").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines if line.strip()])


def _column(file: str) -> list[str]:
    table = _table(file)
    for column in COLUMNS:
        if column in table:
            names = table[column].dropna().astype("str").str.strip()
            return [name for name in names if name]
    there = ", ".join(str(name) for name in table.columns)
    raise VideoError(
        f"{file}: no column of the list names clips; it has {there}, and one of "
        f"{', '.join(COLUMNS)} is needed"
    )
