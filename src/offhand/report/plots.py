"""Axes and SVG paths: numbers in, path strings out, no drawing library.

Every panel is drawn in a box of ``WIDTH`` x ``HEIGHT`` units that the page stretches to its own
width; text stays outside the drawing, so that nothing is distorted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray

WIDTH = 10_000
HEIGHT = 1000
MAX_BINS = 600
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A series reduced to equal bins of time.

    Attributes
    ----------
    time_s
        Mean time of the samples of each bin, ``(n,)``, increasing.
    low, middle, high
        Least, mean and greatest value of each bin, ``(n,)``; NaN where a bin holds none.
    """

    time_s: FloatArray
    low: FloatArray
    middle: FloatArray
    high: FloatArray


def envelope(
    time_s: FloatArray, values: FloatArray, *, start_s: float, stop_s: float, bins: int = MAX_BINS
) -> Envelope:
    """Reduce a series to at most ``bins`` bins of time; a short one is returned as it is.

    Parameters
    ----------
    time_s, values
        Samples ``(n,)`` in order of time; NaN for missing.
    start_s, stop_s
        The axis; samples outside it are left out.
    bins
        Greatest number of bins.
    """
    inside = (time_s >= start_s) & (time_s <= stop_s)
    time_s, values = time_s[inside], values[inside]
    if len(time_s) <= bins:
        time_s, (values,) = _broken_at_gaps(time_s, [values])
        return Envelope(time_s=time_s, low=values, middle=values, high=values)
    place = np.floor((time_s - start_s) / (stop_s - start_s) * bins).astype(np.int64)
    first = np.flatnonzero(np.diff(np.minimum(place, bins - 1), prepend=-1))
    finite = np.isfinite(values)
    known = np.add.reduceat(finite.astype(np.float64), first)
    total = np.add.reduceat(np.where(finite, values, 0.0), first)
    size = np.diff(first, append=len(values)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        middle = np.where(known > 0, total / known, np.nan)
    low, high = np.fmin.reduceat(values, first), np.fmax.reduceat(values, first)
    centre = np.add.reduceat(time_s, first) / size
    centre, (low, middle, high) = _broken_at_gaps(centre, [low, middle, high])
    return Envelope(time_s=centre, low=low, middle=middle, high=high)


def to_unit(values: npt.ArrayLike, low: float, high: float) -> FloatArray:
    """Map ``low..high`` to 0..1, clipped; NaN stays NaN."""
    span = high - low if high > low else 1.0
    return np.clip((np.asarray(values, dtype=np.float64) - low) / span, 0.0, 1.0)


Value = TypeVar("Value", float, FloatArray)


def percent_of(value: Value, low: float, high: float) -> Value:
    """Return where values lie from ``low`` to ``high``, in percent; 0 where these are equal."""
    return 100 * (value - low) / (high - low) if high > low else 0.0 * value


def percent_within(value: float, low: float, high: float) -> float:
    """Return where one value lies from ``low`` to ``high``, in percent, clipped to 0..100."""
    return min(max(percent_of(value, low, high), 0.0), 100.0)


def line_path(x: FloatArray, y: FloatArray) -> str:
    """Return an SVG path through points in the unit square, broken where ``y`` is NaN.

    Parameters
    ----------
    x, y
        ``(n,)`` in 0..1, y upwards. A point without neighbours becomes a short dash.
    """
    points = _points(x, y)
    return "".join(
        _path(points[start:stop]) + ("h15" if stop - start == 1 else "") for start, stop in runs(y)
    )


def band_path(x: FloatArray, low: FloatArray, high: FloatArray) -> str:
    """Return a closed SVG path between two curves in the unit square, broken where they are NaN."""
    there, back = _points(x, high), _points(x, low)
    return "".join(
        _path(np.concatenate([there[start:stop], back[start:stop][::-1]])) + "Z"
        for start, stop in runs(low)
    )


def _points(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return points of the drawing, ``(n, 2)``, whole numbers: they are written fastest."""
    return np.rint(np.stack([WIDTH * x, HEIGHT * (1 - y)], axis=1))


def _path(points: FloatArray) -> str:
    return "M" + " ".join(map(str, points.astype(np.int64).ravel().tolist()))


def time_ticks(start_s: float, stop_s: float, *, at_most: int = 8) -> list[float]:
    """Return round times inside ``[start_s, stop_s)``, at most ``at_most`` of them."""
    span = stop_s - start_s
    if not span > 0:
        return [start_s]
    fitting = (step for step in STEPS_S if span / step <= at_most - 1)
    step = next(fitting, math.ceil(span / (at_most - 1) / 3600) * 3600)
    first = math.ceil(start_s / step)
    return [n * float(step) for n in range(first, math.ceil(stop_s / step))]


def round_up(value: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is not below ``value``."""
    if not (math.isfinite(value) and value > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))


def _broken_at_gaps(
    time_s: FloatArray, curves: list[FloatArray]
) -> tuple[FloatArray, list[FloatArray]]:
    """Insert a NaN into each curve where the time jumps by more than three usual steps."""
    steps = np.diff(time_s)
    if len(steps) < 2:
        return time_s, curves
    after = np.flatnonzero(steps > 3 * np.median(steps)) + 1
    return np.insert(time_s, after, time_s[after]), [np.insert(c, after, np.nan) for c in curves]


def runs(values: FloatArray) -> list[tuple[int, int]]:
    """Return the half-open index ranges in which ``values`` are finite."""
    edges = np.diff(np.isfinite(values).astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]
