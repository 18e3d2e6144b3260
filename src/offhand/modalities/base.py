"""The contract of a modality, and finding the installed ones.

A modality is found through the entry-point group ``offhand.modalities``. It is a frozen
keyword-only dataclass whose fields are its configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import ClassVar, Protocol

import numpy as np

from offhand.records import Features, FloatArray, LongSignal, Segments, Signal
from offhand.rhythm.resample import LONGEST_GAP_S, to_uniform
from offhand.rhythm.spectrum import log_band_power


class Modality(Protocol):
    """One way to describe segments.

    ``signals`` are those it cannot do without, ``optional_signals`` those it uses where they are.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    signals: ClassVar[tuple[str, ...]]
    optional_signals: ClassVar[tuple[str, ...]]

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment of a clip in one row; NaN where there are no usable data."""
        ...


def installed() -> dict[str, type[Modality]]:
    """Return the class of every installed modality, in order of name."""
    found = sorted(entry_points(group="offhand.modalities"), key=lambda point: point.name)
    return {point.name: point.load() for point in found}


def segment_series(
    signal: Signal,
    channels: Sequence[str],
    *,
    rate_hz: float,
    start_s: float,
    stop_s: float,
) -> FloatArray:
    """Return channels of a signal inside one segment on a uniform grid, ``(n, channels)``."""
    first = max(0, int(np.searchsorted(signal.time_s, start_s - LONGEST_GAP_S)) - 1)
    last = int(np.searchsorted(signal.time_s, stop_s + LONGEST_GAP_S)) + 1
    values = np.column_stack([signal.channel(name)[first:last] for name in channels])
    _, series = to_uniform(
        signal.time_s[first:last], values, rate_hz=rate_hz, start_s=start_s, stop_s=stop_s
    )
    return series


def tempo_columns(channels: Sequence[str], edges_hz: FloatArray) -> tuple[str, ...]:
    """Return the feature names of :func:`tempo_features`: channel and lower edge of the band."""
    return tuple(f"{name}_{low:.2f}hz" for name in channels for low in edges_hz[:-1])


def resolved_hz(signal: Signal) -> float:
    """Return the highest frequency that a signal's sampling resolves, 0 below two samples."""
    return 0.5 / float(np.median(np.diff(signal.time_s))) if len(signal.time_s) > 1 else 0.0


def tempo_features(
    series: FloatArray,
    columns: Sequence[str],
    edges_hz: FloatArray,
    *,
    rate_hz: float,
    highest_hz: float,
) -> dict[str, float]:
    """Return the log power of each series ``(n, channels)`` in each band, by feature name."""
    powers = [
        log_band_power(channel, edges_hz, rate_hz=rate_hz, highest_hz=highest_hz)
        for channel in series.T
    ]
    return dict(zip(columns, np.concatenate(powers).tolist(), strict=True))


def mean_known(samples: FloatArray) -> float:
    """Return the mean of the samples that are not NaN, NaN if there is none."""
    known = samples[~np.isnan(samples)]
    return float(known.mean()) if len(known) else float("nan")


def tabulate(
    modality: str,
    segments: Segments,
    rows: list[dict[str, float]],
    *,
    informative: tuple[str, ...],
    columns: tuple[str, ...],
    notes: dict[str, str] | None = None,
) -> Features:
    """Join one dictionary a segment into features.

    Parameters
    ----------
    modality
        Its name.
    segments
        The segments described, one for each row.
    rows
        Feature values by name; a missing one becomes NaN.
    informative
        Columns for readers only, with weight 0; they come first.
    columns
        Columns that enter the distance, with weight 1.
    notes
        What a reader must know.
    """
    names = (*informative, *columns)
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows], np.float64)
    weights: FloatArray = np.concatenate([np.zeros(len(informative)), np.ones(len(columns))])
    return Features(
        modality=modality,
        clip_id=np.array([segments.clip_id] * len(segments), dtype=np.str_),
        segment_id=np.arange(len(segments), dtype=np.int64),
        columns=names,
        weights=weights,
        values=values.reshape(len(segments), len(names)),
        notes=notes or {},
    )
