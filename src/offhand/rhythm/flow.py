"""The period of flow, over one stretch and along a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offhand.records import FloatArray
from offhand.rhythm.periodicity import NOTHING, Period, estimate_period

WINDOW_S = 10.0
"""Stretch that the period around a moment is estimated from."""

STEP_S = 0.5
"""Time between moments."""


@dataclass(frozen=True, kw_only=True)
class RhythmTrack:
    """Rhythm along a clip, ``(n,)`` each.

    Attributes
    ----------
    time_s
        Middle of each step.
    period_s, strength
        Of the ten seconds around it; see :class:`offhand.rhythm.periodicity.Period`.
    """

    time_s: FloatArray
    period_s: FloatArray
    strength: FloatArray


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


def track_rhythm(flow: FloatArray, *, rate_hz: float, start_s: float) -> RhythmTrack:
    """Follow the rhythm of flow along a clip.

    Parameters
    ----------
    flow
        ``(n, 3)`` evenly sampled x, y and speed.
    rate_hz
        Samples per second.
    start_s
        Time of the first sample.
    """
    step, half = max(1, round(STEP_S * rate_hz)), round(WINDOW_S * rate_hz / 2)
    middles = np.arange(step // 2, max(len(flow), step // 2 + 1), step)
    around = [flow[max(0, middle - half) : middle + half] for middle in middles]
    periods = [flow_period(window, rate_hz=rate_hz) for window in around]
    return RhythmTrack(
        time_s=start_s + middles / rate_hz,
        period_s=np.array([period.period_s for period in periods], dtype=np.float64),
        strength=np.array([period.strength for period in periods], dtype=np.float64),
    )
