"""The period of flow, over one stretch and along a clip."""

from __future__ import annotations

import numpy as np

from offhand.records import FloatArray
from offhand.rhythm.periodicity import NOTHING, Period, estimate_period

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
    signed = [estimate_period(flow[:, axis], rate_hz=rate_hz) for axis in (0, 1)]
    periodic = [period for period in signed if not np.isnan(period.period_s)]
    if periodic:
        return max(periodic, key=lambda period: period.strength)
    by_speed = estimate_period(flow[:, 2], rate_hz=rate_hz)
    if not np.isnan(by_speed.period_s):
        return by_speed
    known = [period for period in (*signed, by_speed) if not np.isnan(period.strength)]
    return max(known, key=lambda period: period.strength, default=NOTHING)


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
    return [flow_period(window, rate_hz=rate_hz) for window in around]


def step_samples(rate_hz: float) -> int:
    """Return the number of samples from one moment to the next."""
    return max(1, round(STEP_S * rate_hz))


def window_samples(rate_hz: float) -> int:
    """Return the number of samples that the period around a moment is estimated from."""
    return 2 * round(WINDOW_S * rate_hz / 2)
