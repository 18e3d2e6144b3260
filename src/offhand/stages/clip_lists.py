"""Files that name clips: one a line, or a column of a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from offhand.errors import VideoError

SUFFIXES = frozenset((".txt", ".csv", ".parquet"))

COLUMNS = ("path", "file", "file_name", "video", "clip")
"""Columns that may name the files, in order of preference; Hugging Face has ``file_name``."""


def listed(path: Path) -> list[Path]:
    """Return the files that a list names, in its order, each once.

    Parameters
    ----------
    path
        Text, with one file a line (blank lines and those that begin with ``#`` are passed over);
        or a CSV or Parquet table with one of the columns in ``COLUMNS``. Names are relative to the
        folder of the list.

    Raises
    ------
    VideoError
        The list cannot be read, has no such column, or names nothing.
    """
    try:
        names = _lines(path) if path.suffix.lower() == ".txt" else _column(path)
    except (OSError, ValueError) as error:
        raise VideoError(f"{path}: the list of clips cannot be read ({error})") from error
    if not names:
        raise VideoError(f"{path}: the list names no clip")
    return [path.parent / name for name in dict.fromkeys(names)]


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text("utf-8-sig").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _column(path: Path) -> list[str]:
    if path.suffix.lower() == ".csv":
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False)
    else:
        table = pd.read_parquet(path)
    for column in COLUMNS:
        if column in table:
            names = table[column].dropna().astype("str").str.strip()
            return [name for name in names if name]
    there = ", ".join(str(name) for name in table.columns)
    raise VideoError(
        f"{path}: no column of the list names clips; it has {there}, and one of "
        f"{', '.join(COLUMNS)} is needed"
    )
