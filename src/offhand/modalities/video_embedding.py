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
from offhand.records import Features, FloatArray, LongSignal, Segments, Signal, option
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
    version: ClassVar[int] = 2
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

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment by its embedding; see :class:`offhand.records.Features`."""
        if "video" in signals:
            video = self._projection(signals["video"])
            groups = [_means(video, "video", segments)]
            method = f"embeddings of windows ({video.model}), averaged"
        else:
            look = self._projection(signals["appearance"])
            groups = [
                _means(look, "look", segments),
                _changes(look.followed(N_CHANGES), segments),
                _motions(signals["motion"].whole(), segments),
            ]
            method = (
                f"appearance ({look.model}) and motion pooled over time, as there are no "
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

    def _projection(self, signal: LongSignal) -> _Projection:
        """Return an embedding relative to the clip and in at most ``n_columns`` dimensions."""
        first = next(signal.parts())
        n_dims = len(first.channels)
        mean, scale = np.zeros(n_dims), np.ones(n_dims)
        if self.relative:
            mean, spread, largest = _moments(signal, n_dims)
            widened = spread + SPREAD_FLOOR * spread.mean()
            scale = np.where(widened > 1e-9 * largest, widened, 1.0)
        basis = None
        if n_dims > self.n_columns:
            draw = np.random.default_rng(BASIS_SEED)
            basis = draw.standard_normal((n_dims, self.n_columns)) / np.sqrt(self.n_columns)
        return _Projection(
            signal=signal,
            model=first.notes.get("model", "model not known"),
            mean=mean,
            scale=scale,
            basis=basis,
        )


@dataclass(frozen=True, kw_only=True)
class _Projection:
    """A clip's embedding, projected where it is asked for: all of it need not fit in memory.

    Attributes
    ----------
    signal
        The embedding, ``d`` channels.
    model
        What it notes of its model.
    mean, scale
        ``(d,)``: subtracted, and divided by.
    basis
        ``(d, columns)``; ``None`` to keep the channels.
    """

    signal: LongSignal
    model: str
    mean: FloatArray
    scale: FloatArray
    basis: FloatArray | None

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the columns."""
        n_columns = len(self.mean) if self.basis is None else self.basis.shape[1]
        return tuple(f"{index:03d}" for index in range(n_columns))

    def between(self, start_s: float, stop_s: float) -> FloatArray:
        """Return the projected samples in ``[start_s, stop_s)``, ``(n, columns)``."""
        return self._project(self.signal.between(start_s, stop_s).values, len(self.channels))

    def followed(self, n_columns: int) -> Signal:
        """Return the first columns along the clip."""
        channels = self.channels[:n_columns]
        times_s, parts = [], []
        for part in self.signal.parts():
            times_s.append(part.time_s)
            parts.append(self._project(part.values, len(channels)))
        return Signal(
            name="look",
            time_s=np.concatenate(times_s),
            channels=channels,
            values=np.concatenate(parts),
        )

    def _project(self, values: FloatArray, n_columns: int) -> FloatArray:
        relative = (values - self.mean) / self.scale
        if self.basis is None:
            return relative[:, :n_columns]
        return np.asarray(relative @ self.basis[:, :n_columns])


def _moments(signal: LongSignal, n_dims: int) -> tuple[FloatArray, FloatArray, float]:
    """Return mean and deviation ``(n_dims,)`` of the known samples, and the largest value.

    Parts are joined as by Chan et al. 1983 (doi:10.1080/00031305.1983.10483115).
    """
    count, largest, mean, squares = 0, 0.0, np.zeros(n_dims), np.zeros(n_dims)
    for part in signal.parts():
        known = part.values[~np.isnan(part.values).any(axis=1)]
        if len(known) == 0:
            continue
        apart, total = known.mean(axis=0) - mean, count + len(known)
        squares += known.var(axis=0) * len(known) + apart**2 * (count * len(known) / total)
        mean += apart * (len(known) / total)
        count, largest = total, max(largest, float(np.abs(known).max()))
    return mean, np.sqrt(squares / max(count, 1)), largest


class _Group(NamedTuple):
    """Columns that share a weight, and their values ``(columns,)`` in each segment."""

    weight: float
    columns: tuple[str, ...]
    rows: list[FloatArray]

    @property
    def weights(self) -> FloatArray:
        """One weight a column, so that the group counts as one column of its weight would."""
        return np.full(len(self.columns), self.weight / np.sqrt(len(self.columns)))


def _means(embedding: _Projection, name: str, segments: Segments) -> _Group:
    """Return the mean embedding of each segment."""
    columns = tuple(f"{name}_{channel}" for channel in embedding.channels)
    rows = []
    for start_s, stop_s in zip(segments.start_s.tolist(), segments.stop_s.tolist(), strict=True):
        inside = embedding.between(start_s, stop_s)
        known = inside[~np.isnan(inside).any(axis=1)]
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
