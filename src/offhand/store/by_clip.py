"""Rows of a large table, one clip at a time: pictures and matrices need not fit in memory."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from offhand.store.parquet import damaged, opened

CLIP = "clip_id"


class RowsByClip:
    """A table that is read in parts; clips that follow each other in it are read fastest.

    Parameters
    ----------
    path
        A table with the column ``clip_id``, written by :func:`offhand.store.parquet.write_frame`.

    Raises
    ------
    StoreError
        The file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._runs: dict[str, list[tuple[int, int, int]]] = {}
        try:
            with opened(path) as file:
                self._metadata = file.metadata
                self._empty: pa.Table = file.schema_arrow.empty_table()
                for group in range(file.num_row_groups):
                    ids = file.read_row_group(group, [CLIP]).column(CLIP).combine_chunks()
                    runs = pc.run_end_encode(ids)
                    stops = runs.run_ends.to_pylist()
                    starts = [0, *stops][:-1]
                    for clip_id, *run in zip(runs.values.to_pylist(), starts, stops, strict=True):
                        self._runs.setdefault(clip_id, []).append((group, *run))
        except (OSError, pa.ArrowException, KeyError) as error:
            raise damaged(path, error) from error
        self._group = lru_cache(maxsize=4)(self._read)

    def of(self, clip_id: str) -> pd.DataFrame:
        """Return a clip's rows, in their order in the table; none for a clip that has none.

        Raises
        ------
        StoreError
            The file cannot be read any more.
        """
        runs = self._runs.get(clip_id, ())
        parts = [self._group(group).slice(start, stop - start) for group, start, stop in runs]
        table = pa.concat_tables(parts) if parts else self._empty
        return cast(pd.DataFrame, table.to_pandas())

    def _read(self, group: int) -> pa.Table:
        try:
            with opened(self._path, metadata=self._metadata) as file:
                return file.read_row_group(group)
        except (OSError, pa.ArrowException) as error:
            raise damaged(self._path, error) from error
