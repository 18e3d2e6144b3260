"""The period of flow, and following it along a clip."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.records import FloatArray
from offhand.rhythm.flow import STEP_S, flow_period, step_samples, track_rhythm, window_samples

RATE_HZ = 15.0


def swing(tempo_hz: FloatArray, *, noise: float = 0.1, seed: int = 0) -> FloatArray:
    """Return flow ``(n, 3)`` that swings along y at a tempo given for each sample."""
    rng = np.random.default_rng(seed)
    phase = np.cumsum(tempo_hz) / RATE_HZ * 2 * np.pi
    x = noise * rng.normal(size=len(phase))
    y = np.sin(phase) + noise * rng.normal(size=len(phase))
    return np.column_stack([x, y, np.hypot(x, y)])


def test_a_stroke_and_its_return_are_one_cycle() -> None:
    flow = swing(np.full(150, 0.8))
    assert flow_period(flow, rate_hz=RATE_HZ).period_s == pytest.approx(1.25, rel=0.01)
    turned = flow[:, [1, 0, 2]]
    assert flow_period(turned, rate_hz=RATE_HZ).period_s == pytest.approx(1.25, rel=0.01)


def test_speed_is_asked_where_the_direction_does_not_repeat() -> None:
    rng = np.random.default_rng(0)
    speed = 1 + 0.8 * np.sin(np.arange(150) / RATE_HZ * 2 * np.pi / 1.6)
    angle = rng.uniform(0, 2 * np.pi, 150)
    flow = np.column_stack([speed * np.cos(angle), speed * np.sin(angle), speed])
    assert flow_period(flow, rate_hz=RATE_HZ).period_s == pytest.approx(1.6, rel=0.01)


def test_no_rhythm_still_has_a_strength() -> None:
    rng = np.random.default_rng(1)
    answer = flow_period(rng.normal(size=(150, 3)), rate_hz=RATE_HZ)
    assert np.isnan(answer.period_s)
    assert 0 < answer.strength < 0.3


def test_no_data_has_neither() -> None:
    for flow in (np.full((150, 3), np.nan), np.empty((0, 3))):
        answer = flow_period(flow, rate_hz=RATE_HZ)
        assert np.isnan([answer.period_s, answer.strength]).all()


def tracked(flow: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the middle of each step in seconds, and the period and strength there."""
    found = track_rhythm(flow, rate_hz=RATE_HZ, first=0, stop=len(flow))
    time_s = (np.arange(len(found)) + 0.5) * step_samples(RATE_HZ) / RATE_HZ
    return time_s, *np.array([(each.period_s, each.strength) for each in found]).T


def test_a_change_of_tempo_is_followed() -> None:
    tempo_hz = np.repeat([0.8, 2.0], round(30 * RATE_HZ))
    time_s, period_s, strength = tracked(swing(tempo_hz))
    early, late = (time_s > 1) & (time_s < 24), (time_s > 36) & (time_s < 59)
    np.testing.assert_allclose(period_s[early], 1.25, rtol=0.03)
    np.testing.assert_allclose(period_s[late], 0.5, rtol=0.03)
    assert np.all((strength[early | late] > 0.7) & (strength[early | late] <= 1))


@pytest.mark.parametrize("n", [1, 5, 8, 899, 900])
def test_steps_cover_the_samples(n: int) -> None:
    found = track_rhythm(swing(np.full(n, 1.0)), rate_hz=RATE_HZ, first=0, stop=n)
    step = step_samples(RATE_HZ)
    assert step / RATE_HZ == pytest.approx(STEP_S, rel=0.1)
    assert (len(found) - 1) * step < n <= len(found) * step


def test_what_is_around_some_samples_has_a_say() -> None:
    flow = swing(np.full(900, 1.0))
    step, reach = step_samples(RATE_HZ), window_samples(RATE_HZ)
    whole = track_rhythm(flow, rate_hz=RATE_HZ, first=0, stop=900)
    first, stop = 40 * step, 50 * step
    near = flow[first - reach : stop + reach]
    part = track_rhythm(near, rate_hz=RATE_HZ, first=reach, stop=reach + stop - first)
    assert part == whole[40:50]


def test_a_gap_has_no_rhythm() -> None:
    flow = swing(np.full(900, 1.0))
    flow[300:600] = np.nan  # 20 s to 40 s
    time_s, period_s, strength = tracked(flow)
    deep = (time_s > 26) & (time_s < 34)
    assert np.isnan(period_s[deep]).all()
    assert np.isnan(strength[deep]).all()
    outside = (time_s < 14) | (time_s > 46)
    np.testing.assert_allclose(period_s[outside], 1.0, rtol=0.02)


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("rate_hz", [0.5, 15.0])
def test_short_clips(n: int, rate_hz: float) -> None:
    found = track_rhythm(np.ones((n, 3)), rate_hz=rate_hz, first=0, stop=n)
    assert 1 <= len(found) <= n
    assert np.isnan([each.period_s for each in found]).all()
