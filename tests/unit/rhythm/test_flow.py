"""The period of flow, and following it along a clip."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.records import FloatArray
from offhand.rhythm.flow import STEP_S, flow_period, track_rhythm

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


def test_a_change_of_tempo_is_followed() -> None:
    tempo_hz = np.repeat([0.8, 2.0], round(30 * RATE_HZ))
    track = track_rhythm(swing(tempo_hz), rate_hz=RATE_HZ, start_s=100.0)
    early = (track.time_s > 101) & (track.time_s < 124)
    late = (track.time_s > 136) & (track.time_s < 159)
    np.testing.assert_allclose(track.period_s[early], 1.25, rtol=0.03)
    np.testing.assert_allclose(track.period_s[late], 0.5, rtol=0.03)
    assert np.all((track.strength[early | late] > 0.7) & (track.strength[early | late] <= 1))


def test_steps_cover_the_clip() -> None:
    track = track_rhythm(swing(np.full(900, 1.0)), rate_hz=RATE_HZ, start_s=7.0)
    assert np.abs(np.diff(track.time_s) - STEP_S).max() <= 0.51 / RATE_HZ
    assert track.time_s[0] - 7.0 <= STEP_S
    assert 66.0 < track.time_s[-1] < 67.0
    sizes = {len(track.time_s), len(track.period_s), len(track.strength)}
    assert len(sizes) == 1


def test_a_gap_has_no_rhythm() -> None:
    flow = swing(np.full(900, 1.0))
    flow[300:600] = np.nan  # 20 s to 40 s
    track = track_rhythm(flow, rate_hz=RATE_HZ, start_s=0.0)
    deep = (track.time_s > 26) & (track.time_s < 34)
    assert np.isnan(track.period_s[deep]).all()
    assert np.isnan(track.strength[deep]).all()
    outside = (track.time_s < 14) | (track.time_s > 46)
    np.testing.assert_allclose(track.period_s[outside], 1.0, rtol=0.02)


@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize("rate_hz", [0.5, 15.0])
def test_short_clips(n: int, rate_hz: float) -> None:
    track = track_rhythm(np.ones((n, 3)), rate_hz=rate_hz, start_s=0.0)
    assert np.isnan(track.period_s).all()
    assert 1 <= len(track.time_s) <= max(1, n)
