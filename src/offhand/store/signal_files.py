"""Signals as Parquet files that are written chunk by chunk, and read where they are asked for.

A channel is a column, or an entry of the lists in one column where a signal has very many: each
column of each group of rows costs 850 bytes until the file is closed, and 1,280 columns take ten
times as long to write as their lists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from offhand.files import replacing
from offhand.records import ClipInfo, Signal
from offhand.store import parquet

WIDE = 128
"""Most channels that are columns of their own."""

VALUES = "values"
"""Column of all channels of a signal that has more; the file's metadata name them."""

GROUP_ROWS = 2048
"""Rows of a signal that are written, and read, at a time, unless it has many channels."""

GROUP_VALUES = 1 << 17
"""Values that a group of rows holds about at most: rows wait in memory until there are so many."""

ROWS_KEPT = 8192
"""Rows of a long signal that stay in memory, nine minutes of motion: what counting looks at around
a boundary."""

VALUES_KEPT = 1_100_000
"""Values that stay in memory at most: five minutes of the 256 channels of pictures."""


class SignalWriter:
    """Write a signal chunk by chunk; made by :func:`writer`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[Signal] = []
        self._channels: tuple[str, ...] = ()
        self._notes: dict[str, str] = {}

    def write(self, chunk: Signal) -> None:
        """Append a chunk."""
        self._waiting.append(chunk)
        self._notes.update(chunk.notes)
        rows = sum(len(waiting.time_s) for waiting in self._waiting)
        if rows >= GROUP_ROWS or rows * len(chunk.channels) >= GROUP_VALUES:
            self._write_group()

    def _write_group(self) -> None:
        """Write the chunks that wait as one group of rows."""
        self._channels = self._waiting[0].channels
        columns = {"time_s": pa.array(np.concatenate([part.time_s for part in self._waiting]))}
        values = np.concatenate([part.values.astype(np.float32) for part in self._waiting])
        if len(self._channels) > WIDE:
            lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
            columns[VALUES] = lists
        else:
            for index, channel in enumerate(self._channels):
                columns[channel] = pa.array(np.ascontiguousarray(values[:, index]))
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="zstd",
                use_dictionary=False,
                use_byte_stream_split=True,
            )
        self._writer.write_table(table)
        self._waiting = []

    def close(self, key: str, info: ClipInfo) -> None:
        """Finish the file; ``info`` is what decoding found out about the clip."""
        if self._waiting:
            self._write_group()
        if self._writer is None:
            raise ValueError("a signal needs at least one chunk")
        meta = {"notes": self._notes, "name": self._name, "clip": dataclasses.asdict(info)}
        if len(self._channels) > WIDE:
            meta["channels"] = self._channels
        self._writer.add_key_value_metadata({parquet.META: parquet.packed(key, meta)})
        self._writer.close()
        self._writer = None

    def abandon(self) -> None:
        """Let go of a file that was not closed."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def writer(path: Path, name: str) -> Iterator[SignalWriter]:
    """Open a signal's file for writing; it appears only if the block succeeds and closes it."""
    with replacing(path) as temporary:
        opened = SignalWriter(temporary, name)
        try:
            yield opened
        finally:
            opened.abandon()


def read(
    path: Path, channels: Sequence[str] | None = None, *, groups: Sequence[int] | None = None
) -> Signal:
    """Read a signal, or some channels or groups of rows of it; raises StoreError.

    Group by group into the array that is returned, so that nothing is in memory twice.
    """
    try:
        with parquet.opened(path) as file:
            meta = parquet.unpacked(file.metadata.metadata)
            stored = _channels_of(file)
            channels = tuple(stored if channels is None else channels)
            wide = "channels" in meta and len(channels) > 0
            place_of = {name: place for place, name in enumerate(stored)}
            places = [place_of[name] for name in channels]
            groups = range(file.num_row_groups) if groups is None else groups
            rows_of = [file.metadata.row_group(index).num_rows for index in groups]
            time_s = np.empty(sum(rows_of))
            values = np.empty((len(time_s), len(channels)))
            done = 0
            for index in groups:
                group = file.read_row_group(index, ["time_s", *([VALUES] if wide else channels)])
                rows = slice(done, done + group.num_rows)
                time_s[rows] = group["time_s"].to_numpy()
                if wide:
                    lists = group[VALUES].combine_chunks().flatten().to_numpy()
                    values[rows] = lists.reshape(-1, len(stored))[:, places]
                else:
                    for column, name in enumerate(channels):
                        values[rows, column] = group[name].to_numpy()
                done += group.num_rows
    except (OSError, pa.ArrowException) as error:
        raise parquet.damaged(path, error) from error
    return Signal(
        name=meta["name"],
        time_s=time_s,
        channels=channels,
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
        self._time_s = read(path, ()).time_s
        with parquet.opened(path) as file:
            n_channels = len(_channels_of(file))
            groups = range(file.num_row_groups)
            rows = [file.metadata.row_group(group).num_rows for group in groups]
        self._edges = np.cumsum([0, *rows])
        kept = min(ROWS_KEPT, VALUES_KEPT / max(1, n_channels))
        self._group = lru_cache(maxsize=max(1, round(kept / max([1, *rows]))))(self._read)

    def between(self, start_s: float, stop_s: float) -> Signal:
        """Return the samples in ``[start_s, stop_s)``; raises StoreError."""
        first, last = np.searchsorted(self._time_s, [start_s, stop_s]).tolist()
        begin = max(0, int(np.searchsorted(self._edges, first, side="right")) - 1)
        end = max(begin + 1, int(np.searchsorted(self._edges, last)))
        groups = range(begin, min(end, len(self._edges) - 1))
        parts: list[Signal] = [self._group(group) for group in groups]
        parts = parts or [read(self._path, groups=())]
        rows = slice(first - self._edges[begin], last - self._edges[begin])
        return replace(
            parts[0],
            time_s=self._time_s[first:last],
            values=np.concatenate([part.values for part in parts])[rows],
        )

    def whole(self) -> Signal:
        """Return all samples; raises StoreError."""
        return read(self._path)

    def parts(self) -> Iterator[Signal]:
        """Yield all samples, a group of rows at a time; raises StoreError."""
        for group in range(len(self._edges) - 1):
            part: Signal = self._group(group)
            yield part
        if len(self._edges) == 1:
            yield read(self._path)

    def _read(self, group: int) -> Signal:
        return read(self._path, groups=[group])


def _channels_of(file: pq.ParquetFile) -> list[str]:
    """Return the channels that a file holds, in their order."""
    columns: list[str] = file.schema_arrow.names[1:]
    channels: list[str] = parquet.unpacked(file.metadata.metadata).get("channels", columns)
    return channels


def read_clip_info(path: Path) -> ClipInfo:
    """Read what decoding found out about a clip from one of its signals' files."""
    meta = parquet.metadata_of(path)
    return ClipInfo(**meta["clip"])


def read_notes(path: Path) -> dict[str, str]:
    """Read what a stored signal noted of itself."""
    return dict(parquet.metadata_of(path).get("notes", {}))
