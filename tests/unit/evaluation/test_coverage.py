"""Coverage and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.evaluation.coverage import Coverage, coverage
from offhand.records import FloatArray

STRETCH_S, EVERY_S, RATE_HZ = 2.0, 12.0, 10.0


def sampled(shares: list[float], *, frames: int = 20) -> tuple[FloatArray, FloatArray]:
    """Stretches of ``frames`` frames, in each of which the first share shows a hand."""
    time_s = np.concatenate([k * EVERY_S + np.arange(frames) / RATE_HZ for k in range(len(shares))])
    seen = np.concatenate([np.arange(frames) < round(share * frames) for share in shares])
    return time_s, seen.astype(float)


def estimate(time_s: FloatArray, seen: FloatArray) -> Coverage:
    return coverage(time_s, seen, stretch_s=STRETCH_S, every_s=EVERY_S)


def test_the_interval_is_exact_where_every_frame_was_examined() -> None:
    found = coverage(np.arange(10.0), np.arange(10.0) < 3, stretch_s=1.0, every_s=1.0)
    assert found == Coverage(share=0.3, low=0.3, high=0.3, n_frames=10, n_stretches=1)


def test_nothing_is_known_where_nothing_was_examined() -> None:
    for time_s, seen in ((np.empty(0), np.empty(0)), (np.arange(3.0), np.full(3, np.nan))):
        found = estimate(time_s, seen)
        assert all(math.isnan(value) for value in (found.share, found.low, found.high))
        assert (found.n_frames, found.n_stretches) == (0, 0)


def test_a_stretch_is_one_draw() -> None:
    found = estimate(*sampled([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]))
    assert found.n_stretches == 10
    assert found.share == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0252, 0.5561), abs=1e-4)  # 2 of 10


def test_frames_that_are_not_known_are_left_out() -> None:
    time_s, seen = sampled([1.0, 0.5])
    seen[20:30] = np.nan
    found = estimate(time_s, seen)
    assert (found.share, found.n_frames) == (pytest.approx(20 / 30), 30)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_the_interval_holds_the_share_and_narrows(share: float, count: int) -> None:
    few, many = (estimate(*sampled([share] * n)) for n in (count, 2 * count))
    for found in (few, many):
        assert 0 <= found.low <= found.share <= found.high <= 1
        assert found.high - found.low > 0
    assert many.high - many.low < few.high - few.low


def test_one_stretch_says_little() -> None:
    found = estimate(*sampled([0.0]))
    assert (found.low, found.high) == (0, pytest.approx(0.975))


def test_longer_stretches_weigh_more_and_make_the_rest_count_less() -> None:
    equal = estimate(*sampled([0.5, 0.5, 0.5]))
    time_s, seen = sampled([0.5, 0.5, 0.5])
    keep = np.r_[0:20, 20:22, 40:42]
    unequal = estimate(time_s[keep], seen[keep])
    assert unequal.high - unequal.low > equal.high - equal.low


@pytest.mark.parametrize("burst_s", [0.3, 2.0, 20.0])
def test_the_interval_keeps_its_promise_on_bursts(burst_s: float) -> None:
    rng = np.random.default_rng(3)
    steps, share = 6000, 0.25
    held = 0
    for _ in range(150):
        lengths = rng.exponential(burst_s * RATE_HZ, (2, steps)) * [[share], [1 - share]]
        edges = np.cumsum(lengths.T.reshape(-1))
        clip = np.searchsorted(edges, np.arange(steps), side="right") % 2 == rng.integers(2)
        time_s = np.arange(steps) / RATE_HZ
        examined = time_s % EVERY_S < STRETCH_S
        found = estimate(time_s[examined], clip[examined].astype(float))
        held += found.low <= clip.mean() <= found.high
    assert held >= 0.93 * 150


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="must be one vector's"):
        estimate(np.arange(3.0), np.arange(2.0))
    with pytest.raises(ValueError, match="stretch_s is 3"):
        coverage(np.arange(3.0), np.arange(3.0), stretch_s=3.0, every_s=2.0)
