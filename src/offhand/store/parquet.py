"""Records as Parquet files that anyone can read, each with the key of what it was made from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from offhand.errors import StoreError
from offhand.files import replacing
from offhand.files.names import is_local
from offhand.records import ClipInfo, Features, Segments, Signal

SCHEMA_VERSION = 1
"""Version of the files' layout; a file of another version is computed anew."""

GROUP_ROWS = 2048
"""Rows of a signal that are written, and read, at a time."""

VALUES_KEPT = 2_200_000
"""Values of a long signal that stay in memory, in whole groups of rows and at least one: the 256
channels of five minutes at 15 Hz, as counting goes over such a stretch several times."""

ROW_GROUP_BYTES = 1_000_000
"""How much of a table, in memory, a row group of it holds: what is read at once is small, though
lists of small numbers take many times as much on their way to and from a file."""

NESTED = {
    "bytes": pa.binary(),
    "list of float64": pa.list_(pa.float64()),
    "list of int8": pa.list_(pa.int8()),
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

_META = b"offhand"


class SignalWriter:
    """Write a signal chunk by chunk; made by :func:`signal_writer`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[Signal] = []
        self._notes: dict[str, str] = {}

    def write(self, chunk: Signal) -> None:
        """Append a chunk."""
        self._waiting.append(chunk)
        self._notes.update(chunk.notes)
        if sum(len(waiting.time_s) for waiting in self._waiting) >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        """Write the chunks that wait as one group of rows: each costs time for every channel."""
        columns = {"time_s": pa.array(np.concatenate([part.time_s for part in self._waiting]))}
        values = np.concatenate([part.values for part in self._waiting]).astype(np.float32)
        for index, channel in enumerate(self._waiting[0].channels):
            columns[channel] = pa.array(np.ascontiguousarray(values[:, index]))
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._waiting = []

    def close(self, key: str, info: ClipInfo) -> None:
        """Finish the file; ``info`` is what decoding found out about the clip."""
        if self._waiting:
            self._write_group()
        if self._writer is None:
            raise ValueError("a signal needs at least one chunk")
        meta = {"notes": self._notes, "name": self._name, "clip": dataclasses.asdict(info)}
        self._writer.add_key_value_metadata({_META: _packed(key, meta)})
        self._writer.close()
        self._writer = None

    def abandon(self) -> None:
        """Let go of a file that was not closed."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def signal_writer(path: Path, name: str) -> Iterator[SignalWriter]:
    """Open a signal's file for writing; it appears only if the block succeeds and closes it."""
    with replacing(path) as temporary:
        writer = SignalWriter(temporary, name)
        try:
            yield writer
        finally:
            writer.abandon()


def write_frame(
    path: Path, frame: pd.DataFrame, *, key: str = "", meta: dict[str, Any] | None = None
) -> None:
    """Write a table with its key, whole or not at all; raises StoreError."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({_META: _packed(key, meta or {})})
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
    described = schema.with_metadata({_META: _packed(key, {})})
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
            raise _damaged(path, error) from error


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
            return file.read(columns and [*columns]).to_pandas(), _unpacked(file.metadata.metadata)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: cannot be read ({error}); if it is damaged, delete it and run again"
    )


def has_key(path: Path, key: str) -> bool:
    """Tell whether a file exists, can be read, and was made from what ``key`` stands for."""
    if not path.is_file():
        return False
    try:
        meta = _metadata(path)
    except (OSError, pa.ArrowException):
        return False
    return meta.get("schema") == SCHEMA_VERSION and meta.get("key") == key


def read_signal(
    path: Path, channels: Sequence[str] | None = None, *, groups: Sequence[int] | None = None
) -> Signal:
    """Read a signal, or some channels or groups of rows of it; raises StoreError.

    Group by group into the array that is returned, so that nothing is in memory twice.
    """
    try:
        with opened(path) as file:
            meta = _unpacked(file.metadata.metadata)
            if channels is None:
                channels = tuple(name for name in file.schema_arrow.names if name != "time_s")
            groups = range(file.num_row_groups) if groups is None else groups
            rows_of = [file.metadata.row_group(index).num_rows for index in groups]
            time_s = np.empty(sum(rows_of))
            values = np.empty((len(time_s), len(channels)))
            done = 0
            for index in groups:
                group = file.read_row_group(index, ["time_s", *channels])
                rows = slice(done, done + group.num_rows)
                time_s[rows] = group["time_s"].to_numpy()
                for column, name in enumerate(channels):
                    values[rows, column] = group[name].to_numpy()
                done += group.num_rows
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    return Signal(
        name=meta["name"],
        time_s=time_s,
        channels=tuple(channels),
        values=values,
        notes=meta["notes"],
    )


class StoredSignal:
    """A signal that is read where it is asked for, a few groups of rows at a time.

    Parameters
    ----------
    path
        Its file.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._time_s = read_signal(path, ()).time_s
        with opened(path) as file:
            groups = range(file.num_row_groups)
            rows = [file.metadata.row_group(group).num_rows for group in groups]
            largest = max(rows, default=1) * file.metadata.num_columns
        self._edges = np.cumsum([0, *rows])
        self._group = lru_cache(maxsize=max(1, VALUES_KEPT // max(1, largest)))(self._read)

    def between(self, start_s: float, stop_s: float) -> Signal:
        """Return the samples in ``[start_s, stop_s)``; raises StoreError."""
        first, last = np.searchsorted(self._time_s, [start_s, stop_s]).tolist()
        begin = max(0, int(np.searchsorted(self._edges, first, side="right")) - 1)
        end = max(begin + 1, int(np.searchsorted(self._edges, last)))
        groups = range(begin, min(end, len(self._edges) - 1))
        parts: list[Signal] = [self._group(group) for group in groups]
        parts = parts or [read_signal(self._path, groups=())]
        rows = slice(first - self._edges[begin], last - self._edges[begin])
        return replace(
            parts[0],
            time_s=self._time_s[first:last],
            values=np.concatenate([part.values for part in parts])[rows],
        )

    def whole(self) -> Signal:
        """Return all samples; raises StoreError."""
        return read_signal(self._path)

    def parts(self) -> Iterator[Signal]:
        """Yield all samples, a group of rows at a time; raises StoreError."""
        for group in range(len(self._edges) - 1):
            part: Signal = self._group(group)
            yield part
        if len(self._edges) == 1:
            yield read_signal(self._path)

    def _read(self, group: int) -> Signal:
        return read_signal(self._path, groups=[group])


def read_clip_info(path: Path) -> ClipInfo:
    """Read what decoding found out about a clip from one of its signals' files."""
    meta = _metadata(path)
    return ClipInfo(**meta["clip"])


def read_notes(path: Path) -> dict[str, str]:
    """Read what a stored signal noted of itself."""
    return dict(_metadata(path).get("notes", {}))


def write_segments(path: Path, segments: Segments, *, key: str) -> None:
    """Write a clip's segments; raises StoreError."""
    frame = pd.DataFrame({"start_s": segments.start_s, "stop_s": segments.stop_s})
    write_frame(path, frame, key=key, meta={"clip_id": segments.clip_id})


def read_segments(path: Path) -> Segments:
    """Read a clip's segments; raises StoreError."""
    frame, meta = read_frame(path)
    return Segments(
        clip_id=meta["clip_id"],
        start_s=frame["start_s"].to_numpy(np.float64),
        stop_s=frame["stop_s"].to_numpy(np.float64),
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


def _metadata(path: Path) -> dict[str, Any]:
    with _source(path) as source:
        return _unpacked(pq.read_metadata(source).metadata)


def _packed(key: str, meta: dict[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA_VERSION, "key": key, **meta}, sort_keys=True).encode()


def _unpacked(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    packed = (metadata or {}).get(_META)
    return cast(dict[str, Any], json.loads(packed)) if packed else {}
