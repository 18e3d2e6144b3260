"""Records as Parquet files that anyone can read, each with the key of what it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from offhand.errors import StoreError
from offhand.files import replacing
from offhand.files.names import is_local
from offhand.records import Features, Segments

SCHEMA_VERSION = 1
"""Version of the files' layout; a file of another version is computed anew."""

ROW_GROUP_BYTES = 1_000_000
"""How much of a table, in memory, a row group of it holds: what is read at once is small."""

NESTED = {
    "bytes": pa.binary(),
    "list of float64": pa.list_(pa.float64()),
}
"""Kinds of columns that pandas holds as objects."""

_KINDS = {
    "str": pa.large_string(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "boolean": pa.bool_(),
    **NESTED,
}

META = b"offhand"
"""Where, among a file's own metadata, ours are."""


def write_frame(
    path: Path, frame: pd.DataFrame, *, key: str = "", meta: dict[str, Any] | None = None
) -> None:
    """Write a table with its key, whole or not at all; raises StoreError."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({META: packed(key, meta or {})})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", row_group_size=_group_rows(table))


def write_frames(
    path: Path, frames: Iterable[pd.DataFrame], kinds: Mapping[str, str], *, key: str = ""
) -> None:
    """Write tables one after the other as one, whole or not at all.

    Parameters
    ----------
    path
        The table.
    frames
        Made as they are written, so that few rows are in memory at a time.
    kinds
        Type of each column: of pandas, or one of ``NESTED``.
    key
        What the table was made from.

    Raises
    ------
    StoreError
        The table cannot be written.
    """
    schema = _schema(kinds)
    filled = (frame for frame in frames if len(frame))  # without values a column may have any type
    tables = (pa.Table.from_pandas(frame, schema, preserve_index=False) for frame in filled)
    _write_tables(path, tables, schema, key=key)


def write_joined(path: Path, parts: Iterable[Path], kinds: Mapping[str, str]) -> None:
    """Write a table that is others one after the other, of which few rows are in memory at a time.

    Parameters
    ----------
    path
        The table.
    parts
        Files with these columns.
    kinds
        As for :func:`write_frames`.

    Raises
    ------
    StoreError
        A file is missing or damaged, or the table cannot be written.
    """
    schema = _schema(kinds)
    _write_tables(path, _groups(parts, schema), schema)


def _schema(kinds: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, _KINDS[kind]) for name, kind in kinds.items()])


def _write_tables(
    path: Path, tables: Iterable[pa.Table], schema: pa.Schema, *, key: str = ""
) -> None:
    """Write tables one after the other, in groups of as many rows as there is room for."""
    described = schema.with_metadata({META: packed(key, {})})
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, described, compression="zstd") as writer,
    ):
        waiting = schema.empty_table()
        for table in tables:
            waiting = pa.concat_tables([waiting, table.replace_schema_metadata()])
            if waiting.nbytes >= ROW_GROUP_BYTES:
                writer.write_table(waiting, _group_rows(waiting))
                waiting = schema.empty_table()
        if waiting.num_rows:
            writer.write_table(waiting)


def _groups(paths: Iterable[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the groups of rows of several files in a schema's columns and types."""
    for path in paths:
        try:
            with opened(path) as file:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    if table.num_rows:  # columns without values may have any type
                        yield table.select(schema.names).cast(schema)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise damaged(path, error) from error


def _group_rows(table: pa.Table) -> int:
    return max(1, int(table.num_rows * ROW_GROUP_BYTES / max(1, table.nbytes)))


def read_frame(
    path: Path, columns: Sequence[str] | None = None, *, categories: Sequence[str] = ()
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table, or some columns of it, and its metadata.

    Parameters
    ----------
    path
        The file.
    columns
        Those to read; ``None`` for all.
    categories
        Columns of texts, few of them different, to be returned as categories.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """
    try:
        with opened(path, categories=categories) as file:
            return file.read(columns and [*columns]).to_pandas(), unpacked(file.metadata.metadata)
    except (OSError, pa.ArrowException) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> StoreError:
    """Return the error of a file that cannot be read."""
    return StoreError(
        f"{path}: cannot be read ({error}); if it is damaged, delete it and run again"
    )


def has_key(path: Path, key: str) -> bool:
    """Tell whether a file exists, can be read, and was made from what ``key`` stands for."""
    if not path.is_file():
        return False
    try:
        meta = metadata_of(path)
    except (OSError, pa.ArrowException):
        return False
    return meta.get("schema") == SCHEMA_VERSION and meta.get("key") == key


def write_segments(path: Path, segments: Segments, *, key: str) -> None:
    """Write a clip's segments; raises StoreError."""
    frame = pd.DataFrame({"start_s": segments.start_s, "stop_s": segments.stop_s})
    if segments.change_s is not None:
        frame["change_s"] = segments.change_s
    write_frame(path, frame, key=key, meta={"clip_id": segments.clip_id})


def read_segments(path: Path) -> Segments:
    """Read a clip's segments; raises StoreError."""
    frame, meta = read_frame(path)
    return Segments(
        clip_id=meta["clip_id"],
        start_s=frame["start_s"].to_numpy(np.float64),
        stop_s=frame["stop_s"].to_numpy(np.float64),
        change_s=frame["change_s"].to_numpy(np.float64) if "change_s" in frame else None,
    )


def write_features(path: Path, features: Features, *, key: str = "") -> None:
    """Write feature rows; raises StoreError."""
    frame = pd.DataFrame(features.values, columns=list(features.columns))
    frame.insert(0, "segment_id", features.segment_id)
    frame.insert(0, "clip_id", features.clip_id)
    meta = {
        "modality": features.modality,
        "weights": dict(zip(features.columns, features.weights.tolist(), strict=True)),
        "notes": features.notes,
    }
    write_frame(path, frame, key=key, meta=meta)


def read_features(path: Path) -> Features:
    """Read feature rows; raises StoreError."""
    frame, meta = read_frame(path)
    columns = tuple(name for name in frame.columns if name not in ("clip_id", "segment_id"))
    return Features(
        modality=meta["modality"],
        clip_id=frame["clip_id"].to_numpy(np.str_),
        segment_id=frame["segment_id"].to_numpy(np.int64),
        columns=columns,
        weights=np.array([meta["weights"][name] for name in columns]),
        values=frame[list(columns)].to_numpy(np.float64),
        notes=meta["notes"],
    )


@contextmanager
def opened(
    path: Path, *, categories: Sequence[str] = (), metadata: pq.FileMetaData | None = None
) -> Iterator[pq.ParquetFile]:
    """Open a file, here or elsewhere.

    Parameters
    ----------
    path
        The file.
    categories
        As for :func:`read_frame`.
    metadata
        The file's own, if it was open before: a file of many groups need not be understood again.
    """
    with (
        _source(path) as source,
        pq.ParquetFile(source, metadata=metadata, read_dictionary=[*categories]) as file,
    ):
        yield file


@contextmanager
def _source(path: Path) -> Iterator[Any]:
    """Give what Arrow reads a file from: it opens those of this machine itself."""
    if is_local(path):
        yield path
        return
    with path.open("rb") as file:
        yield file


def metadata_of(path: Path) -> dict[str, Any]:
    """Return our metadata of a file."""
    with _source(path) as source:
        return unpacked(pq.read_metadata(source).metadata)


def packed(key: str, meta: dict[str, Any]) -> bytes:
    """Return metadata as they are stored, with what a file was made from."""
    return json.dumps({"schema": SCHEMA_VERSION, "key": key, **meta}, sort_keys=True).encode()


def unpacked(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    """Return our metadata out of all that a file has; empty without them."""
    packed = (metadata or {}).get(META)
    return cast(dict[str, Any], json.loads(packed)) if packed else {}
