"""The period of flow, over one stretch and along a clip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from offhand.records import FloatArray
from offhand.rhythm.periodicity import NOTHING, Period, estimate_periods

WINDOW_S = 10.0
"""Stretch that the period around a moment is estimated from."""

STEP_S = 0.5
"""Time between moments."""


def flow_period(flow: FloatArray, *, rate_hz: float) -> Period:
    """Return the period of flow: the clearest of its signed components, else that of its speed.

    A stroke and its return are one cycle of the signed flow but two peaks of the speed, so the
    speed is only asked when neither component is periodic.

    Parameters
    ----------
    flow
        ``(n, 3)`` evenly sampled x, y and speed; NaN samples are left out.
    rate_hz
        Samples per second.
    """
    return _flow_periods(flow[None], rate_hz=rate_hz)[0]


def _flow_periods(flow: FloatArray, *, rate_hz: float) -> list[Period]:
    """Return the periods of several flows of one length, ``(m, n, 3)``."""
    across, down, speed = np.moveaxis(flow, 2, 0)
    signed = list(
        zip(*(estimate_periods(axis, rate_hz=rate_hz) for axis in (across, down)), strict=True)
    )
    still = [bool(np.isnan([period.period_s for period in pair]).all()) for pair in signed]
    by_speed = iter(estimate_periods(speed[still], rate_hz=rate_hz))
    return [
        _clearest(pair, next(by_speed)) if asked else _strongest(pair)
        for pair, asked in zip(signed, still, strict=True)
    ]


def _clearest(signed: Sequence[Period], by_speed: Period) -> Period:
    """Return the period of the speed, else the aperiodic answer that explains the most."""
    return by_speed if not np.isnan(by_speed.period_s) else _strongest((*signed, by_speed))


def _strongest(periods: Sequence[Period]) -> Period:
    """Return the strongest of the periodic answers, of all if none is."""
    known = [period for period in periods if not np.isnan(period.strength)]
    periodic = [period for period in known if not np.isnan(period.period_s)]
    return max(periodic or known, key=lambda period: period.strength, default=NOTHING)


def track_rhythm(flow: FloatArray, *, rate_hz: float, first: int, stop: int) -> list[Period]:
    """Follow the rhythm of flow: the period of the ten seconds around each step of half a second.

    Parameters
    ----------
    flow
        ``(n, 3)`` evenly sampled x, y and speed.
    rate_hz
        Samples per second.
    first, stop
        The samples to follow it through, :func:`step_samples` at a time; those before and after
        them are looked at too, as far as a window reaches.
    """
    step, half = step_samples(rate_hz), window_samples(rate_hz) // 2
    middles = range(first + step // 2, stop + step // 2, step)
    around = [flow[max(0, middle - half) : middle + half] for middle in middles]
    return [
        period
        for _, alike in groupby(around, key=len)
        for period in _flow_periods(np.stack(list(alike)), rate_hz=rate_hz)
    ]


def step_samples(rate_hz: float) -> int:
    """Return the number of samples from one moment to the next."""
    return max(1, round(STEP_S * rate_hz))


def window_samples(rate_hz: float) -> int:
    """Return the number of samples that the period around a moment is estimated from."""
    return 2 * round(WINDOW_S * rate_hz / 2)
