"""Signals that are written in groups of rows and read in parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from offhand.records import ClipInfo, Signal
from offhand.store import parquet, signal_files


def written(path: Path, signal: Signal, *, chunk: int) -> None:
    with signal_files.writer(path, signal.name) as writer:
        for first in range(0, max(1, len(signal.time_s)), chunk):
            rows = slice(first, first + chunk)
            writer.write(
                Signal(
                    name=signal.name,
                    time_s=signal.time_s[rows],
                    channels=signal.channels,
                    values=signal.values[rows],
                )
            )
        writer.close("key", ClipInfo())


def some(rows: int) -> Signal:
    values = np.arange(3.0 * rows).reshape(rows, 3)
    values[1::5, 1] = np.nan
    return Signal(
        name="motion", time_s=np.arange(rows) / 15, channels=("a", "b", "c"), values=values
    )


@pytest.fixture(params=[3, 2], ids=["columns", "lists"], autouse=True)
def _wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store the three channels in both ways."""
    monkeypatch.setattr(signal_files, "WIDE", request.param)


@pytest.mark.parametrize("chunk", [7, 32, 100])
def test_groups_hold_many_chunks_and_all_of_them_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(signal_files, "GROUP_ROWS", 50)
    signal, path = some(333), tmp_path / "motion.parquet"
    written(path, signal, chunk=chunk)
    with parquet.opened(path) as file:
        sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert len(sizes) > 2
    assert min(sizes[:-1]) >= 50
    back = signal_files.read(path)
    np.testing.assert_array_equal(back.time_s, signal.time_s)
    np.testing.assert_array_equal(back.values, signal.values)
    assert back.channels == signal.channels
    assert signal_files.read(path, ("c", "a")).values.tolist() == signal.values[:, [2, 0]].tolist()
    assert signal_files.read(path, ()).values.shape == (333, 0)


@pytest.mark.parametrize(
    "span",
    [(-np.inf, np.inf), (0.0, 1.0), (3.3, 3.4), (10 / 3, 20 / 3), (21.0, 99.0), (50.0, 60.0)],
)
def test_a_part_is_what_the_whole_has_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: tuple[float, float]
) -> None:
    monkeypatch.setattr(signal_files, "GROUP_ROWS", 50)
    signal, path = some(333), tmp_path / "motion.parquet"
    written(path, signal, chunk=32)
    part, expected = signal_files.StoredSignal(path).between(*span), signal.between(*span)
    np.testing.assert_array_equal(part.time_s, expected.time_s)
    np.testing.assert_array_equal(part.values, expected.values)
    assert part.channels == signal.channels
    assert part.time_s.tolist() == [t for t in signal.time_s.tolist() if span[0] <= t < span[1]]


def test_a_signal_without_samples_has_none_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "motion.parquet"
    written(path, some(0), chunk=32)
    part = signal_files.StoredSignal(path).between(0.0, 5.0)
    assert part.values.shape == (0, 3)


def test_many_channels_are_lists_that_anyone_can_read(tmp_path: Path) -> None:
    path, signal = tmp_path / "motion.parquet", some(3)
    written(path, signal, chunk=32)
    table = pd.read_parquet(path)
    if signal_files.WIDE < 3:
        assert table.columns.tolist() == ["time_s", "values"]
        np.testing.assert_array_equal(np.stack([*table["values"]]), signal.values)
    else:
        assert table.columns.tolist() == ["time_s", "a", "b", "c"]
        np.testing.assert_array_equal(table[["a", "b", "c"]], signal.values)
