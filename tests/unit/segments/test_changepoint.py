"""Change points: what every cut must hold, and that it lies where something changes."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from offhand.records import FloatArray, Segments, Signal
from offhand.segments.changepoint import STEP_S, ChangePoints
from tests.fixtures.motion import SIGNED, blanked, constant_motion, motion_signal


def cut(signal: Signal, *, start_s: float = 0.0, stop_s: float, **options: float) -> Segments:
    return ChangePoints(**options).cut("a", {"motion": signal}, start_s=start_s, stop_s=stop_s)


def tiles(segments: Segments, start_s: float, stop_s: float) -> bool:
    return (
        segments.start_s[0] == start_s
        and segments.stop_s[-1] == stop_s
        and np.array_equal(segments.start_s[1:], segments.stop_s[:-1])
    )


def lively(length_s: float, seed: int = 0, *, rate_hz: float = 15.0) -> Signal:
    """Return motion that changes its tempo and the camera's direction every 4 to 20 s."""
    rng = np.random.default_rng(seed)
    stretches: list[tuple[float, float]] = []
    while sum(length for length, _ in stretches) < length_s:
        stretches.append((rng.uniform(4, 20), rng.uniform(0.4, 3)))
    return motion_signal(stretches, turn=0.4, seed=seed, rate_hz=rate_hz)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_s", [0.6, 2.0, 2.1, 3.3])
@pytest.mark.parametrize(("start_s", "stop_s"), [(0.0, 90.0), (12.34, 71.03)])
def test_segments_tile_and_are_long_enough(
    seed: int, min_s: float, start_s: float, stop_s: float
) -> None:
    segments = cut(lively(90, seed), start_s=start_s, stop_s=stop_s, min_s=min_s, penalty=2.0)
    assert tiles(segments, start_s, stop_s)
    assert len(segments) > 4
    assert (segments.stop_s - segments.start_s).min() >= min_s - 1e-9


def test_the_same_input_gives_the_same_cut() -> None:
    signal = lively(60)
    before = signal.values.copy()
    first, second = (cut(signal, stop_s=60.0) for _ in range(2))
    assert first.start_s.tobytes() == second.start_s.tobytes()
    np.testing.assert_array_equal(signal.values, before)


@pytest.mark.parametrize("length_s", [0.05, 1.0, 3.9])
def test_short_clips_stay_whole(length_s: float) -> None:
    segments = cut(motion_signal([(10, 1)], turn=1.0), stop_s=length_s)
    assert tiles(segments, 0.0, length_s)
    assert len(segments) == 1


def nearest(segments: Segments, at_s: float) -> float:
    return float(np.abs(segments.start_s[1:] - at_s).min(initial=np.inf))


@pytest.mark.parametrize("tempo_hz", [(0.7, 2.5), (0.7, 1.5), (1.0, 2.0), (2.5, 0.8)])
def test_two_rhythms_at_one_heading_are_cut(tempo_hz: tuple[float, float]) -> None:
    off = []
    for seed in range(10):
        signal = motion_signal([(30, tempo_hz[0]), (30, tempo_hz[1])], seed=seed)
        off.append(nearest(cut(signal, stop_s=60.0), 30.0))
    assert np.mean(np.array(off) <= 1.0) >= 0.9


@pytest.mark.parametrize("turn", [0.3, -0.6])
@pytest.mark.parametrize("length_s", [6, 30])
def test_two_headings_with_one_rhythm_are_cut(turn: float, length_s: float) -> None:
    for seed in range(4):
        signal = motion_signal([(length_s, 1), (length_s, 1)], turn=turn, seed=seed)
        assert nearest(cut(signal, stop_s=2.0 * length_s), length_s) <= 1.0


@pytest.mark.parametrize(
    "level", [{}, {"residual_speed": 0.1, "camera_roll": -0.3, "inlier_ratio": 0.9}]
)
@pytest.mark.parametrize("length_s", [10, 60, 301])
def test_motion_that_never_changes_is_one_segment(level: dict[str, float], length_s: float) -> None:
    segments = cut(constant_motion(length_s, level), stop_s=float(length_s))
    assert tiles(segments, 0.0, length_s)
    assert len(segments) == 1


@pytest.mark.parametrize("n", [0, 1, 900])
def test_unknown_motion_is_one_segment(n: int) -> None:
    signal = constant_motion(60, {})
    values = np.full((n, signal.values.shape[1]), np.nan)
    unknown = replace(signal, time_s=signal.time_s[:n], values=values)
    assert len(cut(unknown, stop_s=60.0)) == 1


def test_a_gap_does_not_hide_a_change() -> None:
    signal = motion_signal([(30, 0.7), (30, 2.5)])
    for from_s, to_s in ((8, 14), (44, 50)):
        segments = cut(blanked(signal, from_s, to_s), stop_s=60.0)
        assert tiles(segments, 0.0, 60.0)
        assert nearest(segments, 30.0) <= 1.0


def test_flow_stands_in_where_the_camera_fit_failed() -> None:
    turned = motion_signal([(15, 1), (15, 1)], turn=0.5)
    unfitted = blanked(turned, 0, 30, [name for name in SIGNED if name.startswith("camera")])
    assert nearest(cut(unfitted, stop_s=30.0), 15.0) <= 1.0


def test_a_higher_penalty_gives_fewer_segments() -> None:
    signal = lively(90)
    counts = [len(cut(signal, stop_s=90.0, penalty=p)) for p in (2.0, 24.0, 200.0, 1e6)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_the_sampling_rate_hardly_matters() -> None:
    slow, fast = (cut(lively(60, rate_hz=rate_hz), stop_s=60.0).start_s for rate_hz in (15, 30))
    assert len(slow) == len(fast)
    assert np.abs(slow - fast).max() <= 2 * STEP_S


def test_two_hours_take_seconds() -> None:
    rng = np.random.default_rng(0)
    stretches = [(rng.uniform(30, 60), rng.uniform(0.4, 3)) for _ in range(160)]
    signal = motion_signal(stretches, turn=0.4)
    edges_s: FloatArray = np.cumsum([length for length, _ in stretches])
    began = time.perf_counter()
    segments = cut(signal, stop_s=float(edges_s[-1]))
    assert time.perf_counter() - began < 10
    off = np.array([nearest(segments, at_s) for at_s in edges_s[:-1]])
    assert np.mean(off <= 1.0) >= 0.95


@pytest.mark.slow
def test_two_still_hours_take_seconds() -> None:
    began = time.perf_counter()
    assert len(cut(constant_motion(7200, {}), stop_s=7200.0)) == 1
    assert time.perf_counter() - began < 60


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_wrong_options_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="min_s is"):
        ChangePoints(min_s=wrong)
    with pytest.raises(ValueError, match="penalty is"):
        ChangePoints(penalty=wrong)


def test_a_task_begins_where_the_camera_begins_to_turn_to_it() -> None:
    """Two spots, and 1.5 s of turning from one to the other."""
    rng = np.random.default_rng(0)
    time_s = np.arange(0, 60, 1 / 15)
    speed = np.where((time_s >= 30) & (time_s < 31.5), 0.4, 0.0)
    signal = motion_signal([(60, 1.0)])
    values = signal.values.copy()
    for name in ("camera_x", "flow_x"):
        column = signal.channels.index(name)
        values[:, column] = speed + 0.01 * rng.normal(size=len(time_s))
    turning = replace(signal, values=values)
    begun = cut(turning, stop_s=60.0)
    amid = cut(turning, stop_s=60.0, from_turn=False)
    assert np.abs(begun.start_s - 30.0).min() < 0.2
    assert 0.4 < amid.start_s[np.abs(amid.start_s - 30).argmin()] - 30 < 1.4
    assert len(begun) == len(amid)


@pytest.mark.parametrize("seed", range(4))
def test_moved_boundaries_tell_where_the_change_was_found(seed: int) -> None:
    signal = lively(300, seed)
    moved, kept = (cut(signal, stop_s=300.0, from_turn=way) for way in (True, False))
    assert kept.change_s is None
    assert moved.change_s is not None
    np.testing.assert_array_equal(moved.change_s, kept.start_s)
    assert (moved.start_s < moved.change_s).any()
