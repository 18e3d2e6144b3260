"""What a segment's video shows: embeddings pooled over time.

Where a video model has embedded windows of frames, their mean describes a segment. Without one,
embeddings of single frames and the optical flow stand in: their mean, their spread and how much
they vary at low tempi. The note ``method`` says which it was.

A picture shows the site before it shows the work, so that plain embeddings tell clips apart and not
activities. What is described is therefore how a segment differs from the rest of its clip: each
dimension less its mean over the clip, over its spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np

from offhand.modalities.base import (
    resolved_hz,
    segment_series,
    tabulate,
    tempo_columns,
    tempo_features,
)
from offhand.records import Features, FloatArray, Segments, Signal, option
from offhand.rhythm.spectrum import band_edges

RATE_HZ = 15.0
CHANNELS = ("flow_x", "flow_y", "flow_speed", "residual_x", "residual_y", "residual_speed")
EDGES_HZ = band_edges(0.12, 1.8, 4)
"""Low tempi: those that embeddings at 4 Hz resolve."""

N_CHANGES = 32
"""Columns of the projection from which the tempo of changes in appearance is measured."""

CHANGE_WEIGHT = 0.5
"""Weight of the columns on changes in appearance together; mean and motion have 1 each."""

SPREAD_FLOOR = 0.25
"""Share of the mean spread of all dimensions that is added to the spread of each."""

DEVIATION_FLOOR = 1e-3
"""Standard deviation added before taking the logarithm: the level of measurement noise."""

BASIS_SEED = 0
"""Seed of the random projection: the same in every run, so that columns mean the same."""


@dataclass(frozen=True, kw_only=True)
class VideoEmbedding:
    """Embeddings of a segment, relative to its clip and projected at random.

    A random projection to some hundred columns keeps distances within about a tenth (Johnson and
    Lindenstrauss 1984, doi:10.1090/conm/026/737400) and, unlike principal components, needs no
    other clip to be known.

    Attributes
    ----------
    n_columns
        Columns that an embedding is projected to.
    relative
        Whether segments are compared with the rest of their clip.
    """

    name: ClassVar[str] = "video_embedding"
    version: ClassVar[int] = 1
    signals: ClassVar[tuple[str, ...]] = ("appearance", "motion")
    optional_signals: ClassVar[tuple[str, ...]] = ("video",)

    n_columns: int = option(
        256, "columns that an embedding is projected to; one with fewer dimensions is kept whole"
    )
    relative: bool = option(
        True, "describe how a segment differs from the rest of its clip, not how it looks as such"
    )

    def __post_init__(self) -> None:
        if self.n_columns < 1:
            raise ValueError(f"n_columns is {self.n_columns}, must be at least 1")

    def describe(self, signals: Mapping[str, Signal], segments: Segments) -> Features:
        """Describe each segment by its embedding; see :class:`offhand.records.Features`."""
        if "video" in signals:
            video = signals["video"]
            groups = [_means(self._projected(video), "video", segments)]
            method = f"embeddings of windows ({_model(video)}), averaged"
        else:
            appearance = signals["appearance"]
            look = self._projected(appearance)
            groups = [
                _means(look, "look", segments),
                _changes(look, segments),
                _motions(signals["motion"], segments),
            ]
            method = (
                f"appearance ({_model(appearance)}) and motion pooled over time, as there are no "
                "embeddings of video: mean, spread, low tempi"
            )
        columns = [name for group in groups for name in group.columns]
        rows = [
            dict(zip(columns, np.concatenate(parts).tolist(), strict=True))
            for parts in zip(*(group.rows for group in groups), strict=True)
        ]
        features = tabulate(
            self.name,
            segments,
            rows,
            informative=(),
            columns=tuple(columns),
            notes={"method": method},
        )
        return replace(features, weights=np.concatenate([group.weights for group in groups]))

    def _projected(self, signal: Signal) -> Signal:
        """Return an embedding relative to the clip and in at most ``n_columns`` dimensions."""
        there = ~np.isnan(signal.values).any(axis=1)
        known, n_dims = signal.values[there], signal.values.shape[1]
        if self.relative and len(known):
            spread = known.std(axis=0)
            scale = spread + SPREAD_FLOOR * spread.mean()
            varies = scale > 1e-9 * np.abs(known).max()
            known = (known - known.mean(axis=0)) / np.where(varies, scale, 1.0)
        if n_dims > self.n_columns:
            draw = np.random.default_rng(BASIS_SEED)
            basis = draw.standard_normal((n_dims, self.n_columns))
            known = known @ basis / np.sqrt(self.n_columns)
        values = np.full((len(signal.time_s), known.shape[1]), np.nan)
        values[there] = known
        channels = tuple(f"{index:03d}" for index in range(values.shape[1]))
        return replace(signal, channels=channels, values=values)


class _Group(NamedTuple):
    """Columns that share a weight, and their values ``(columns,)`` in each segment."""

    weight: float
    columns: tuple[str, ...]
    rows: list[FloatArray]

    @property
    def weights(self) -> FloatArray:
        """One weight a column, so that the group counts as one column of its weight would."""
        return np.full(len(self.columns), self.weight / np.sqrt(len(self.columns)))


def _model(signal: Signal) -> str:
    """Return what a signal notes of its model."""
    return signal.notes.get("model", "model not known")


def _means(embedding: Signal, name: str, segments: Segments) -> _Group:
    """Return the mean embedding of each segment."""
    columns = tuple(f"{name}_{channel}" for channel in embedding.channels)
    there = ~np.isnan(embedding.values).any(axis=1)
    rows = []
    for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
        inside = there & (embedding.time_s >= start_s) & (embedding.time_s < stop_s)
        known = embedding.values[inside]
        rows.append(known.mean(axis=0) if len(known) else np.full(len(columns), np.nan))
    return _Group(1.0, columns, rows)


def _changes(look: Signal, segments: Segments) -> _Group:
    """Return how much the appearance varies in each segment: in all, and at low tempi."""
    channels = look.channels[:N_CHANGES]
    names = tempo_columns(channels, EDGES_HZ)
    highest_hz = resolved_hz(look)
    rows = []
    for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
        series = segment_series(look, channels, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s)
        logs = tempo_features(series, names, EDGES_HZ, rate_hz=RATE_HZ, highest_hz=highest_hz)
        power = np.exp(np.array(list(logs.values()))).reshape(len(channels), -1)
        spread = np.mean([_level(samples)[1] for samples in series.T])
        rows.append(np.append(np.log(power.mean(axis=0)), spread))
    return _Group(CHANGE_WEIGHT, (*tempo_columns(["look"], EDGES_HZ), "look_spread"), rows)


def _motions(motion: Signal, segments: Segments) -> _Group:
    """Return mean, spread and power at low tempi of the motion in each segment."""
    names = tempo_columns(CHANNELS, EDGES_HZ)
    levels = [f"{name}_{level}" for name in CHANNELS for level in ("mean", "spread")]
    highest_hz = min(RATE_HZ / 2, resolved_hz(motion))
    rows = []
    for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
        series = segment_series(motion, CHANNELS, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s)
        logs = tempo_features(series, names, EDGES_HZ, rate_hz=RATE_HZ, highest_hz=highest_hz)
        pooled = [_level(samples) for samples in series.T]
        rows.append(np.concatenate([list(logs.values()), np.ravel(pooled)]))
    return _Group(1.0, (*names, *levels), rows)


def _level(samples: FloatArray) -> tuple[float, float]:
    """Return mean and logarithm of the standard deviation, NaN where less than half is known."""
    known = samples[~np.isnan(samples)]
    if len(known) == 0 or len(known) < len(samples) / 2:
        return float("nan"), float("nan")
    return float(known.mean()), float(np.log(known.std() + DEVIATION_FLOOR))
