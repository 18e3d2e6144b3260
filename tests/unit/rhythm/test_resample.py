"""Samples on a uniform grid: interpolated between neighbours, never across a long gap."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.rhythm.resample import LONGEST_GAP_S, to_uniform
from tests import naive


def test_a_grid_that_meets_the_samples_returns_them() -> None:
    time_s = np.arange(30) / 10
    values = np.random.default_rng(0).normal(size=(30, 3))
    grid_s, uniform = to_uniform(time_s, values, rate_hz=10, start_s=0, stop_s=3)
    np.testing.assert_allclose(grid_s, time_s)
    np.testing.assert_allclose(uniform, values)


def test_uneven_samples_of_a_line_stay_on_the_line() -> None:
    gaps_s = np.random.default_rng(1).uniform(0.01, 0.3, 100)
    time_s = np.cumsum(gaps_s)
    values = np.column_stack([2 * time_s + 1, -time_s])
    grid_s, uniform = to_uniform(time_s, values, rate_hz=15, start_s=1, stop_s=10)
    np.testing.assert_allclose(uniform, np.column_stack([2 * grid_s + 1, -grid_s]))


@pytest.mark.parametrize(
    ("start_s", "stop_s", "rate_hz", "n"),
    [(0, 1, 15, 15), (0, 0.99, 10, 10), (2.5, 3.5, 4, 4), (1, 1, 15, 0), (0, 1 / 3, 30, 10)],
)
def test_the_grid_is_half_open(start_s: float, stop_s: float, rate_hz: float, n: int) -> None:
    values = np.zeros((2, 1))
    grid_s, uniform = to_uniform(
        np.array([0.0, 0.1]), values, rate_hz=rate_hz, start_s=start_s, stop_s=stop_s
    )
    assert len(grid_s) == len(uniform) == n
    assert np.all((grid_s >= start_s) & (grid_s < stop_s))


def test_a_long_gap_stays_a_gap_and_a_short_one_is_bridged() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 0.2 + LONGEST_GAP_S, 0.9, 2.0, 2.1])
    values = time_s[:, None] * 1.0
    grid_s, uniform = to_uniform(time_s, values, rate_hz=20, start_s=0, stop_s=2.1)
    inside_gap = (grid_s > 0.95) & (grid_s < 1.95)
    assert np.isnan(uniform[inside_gap, 0]).all()
    bridged = grid_s < 0.88
    np.testing.assert_allclose(uniform[bridged, 0], grid_s[bridged])


def test_nan_samples_are_gaps_of_their_own_column() -> None:
    time_s = np.arange(40) / 10
    values = np.ones((40, 2))
    values[10:30, 1] = np.nan
    grid_s, uniform = to_uniform(time_s, values, rate_hz=10, start_s=0, stop_s=4)
    assert not np.isnan(uniform[:, 0]).any()
    assert np.isnan(uniform[(grid_s > 1.05) & (grid_s < 2.85), 1]).all()
    assert not np.isnan(uniform[(grid_s < 0.9) | (grid_s > 3.05), 1]).any()


def test_nothing_is_made_up_before_the_first_and_after_the_last_sample() -> None:
    time_s = 5 + np.arange(10) / 10
    grid_s, uniform = to_uniform(time_s, np.ones((10, 1)), rate_hz=10, start_s=0, stop_s=10)
    far = (grid_s < 5 - LONGEST_GAP_S - 0.01) | (grid_s > 5.9 + LONGEST_GAP_S + 0.01)
    assert np.isnan(uniform[far, 0]).all()
    assert not np.isnan(uniform[(grid_s >= 5) & (grid_s <= 5.9), 0]).any()


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_samples_give_hardly_any_values(n: int) -> None:
    _, uniform = to_uniform(np.arange(n) * 1.0, np.ones((n, 2)), rate_hz=10, start_s=0, stop_s=3)
    assert uniform.shape == (30, 2)
    assert np.isnan(uniform[10:]).all()


def test_all_nan_stays_nan() -> None:
    values = np.full((30, 1), np.nan)
    _, uniform = to_uniform(np.arange(30) / 10, values, rate_hz=10, start_s=0, stop_s=3)
    assert np.isnan(uniform).all()


@pytest.mark.parametrize("seed", range(30))
def test_equals_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    steps_s = rng.choice([0.03, 0.07, 0.2, 0.45, 0.9], n) * rng.uniform(0.9, 1.1, n)
    time_s = 3.0 + np.cumsum(steps_s)
    values = rng.normal(size=(n, 2))
    gaps = rng.uniform(size=(n, 1 if seed % 2 else 2)) < 0.2  # both columns alike, or not
    values[np.broadcast_to(gaps, values.shape)] = np.nan
    options = {"rate_hz": float(rng.choice([4.0, 15.0])), "start_s": 2.1, "stop_s": 9.37}
    grid_s, uniform = to_uniform(time_s, values, **options)
    for column in range(2):
        slow_s, slow = naive.to_uniform(
            time_s.tolist(), values[:, column].tolist(), longest_gap_s=LONGEST_GAP_S, **options
        )
        np.testing.assert_allclose(grid_s, slow_s)
        np.testing.assert_allclose(uniform[:, column], slow, atol=1e-12)


def test_a_last_sample_after_a_gap_is_held_like_any_other() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 5.0])
    _, uniform = to_uniform(time_s, np.ones((4, 1)), rate_hz=10.0, start_s=4.0, stop_s=6.0)
    known = ~np.isnan(uniform[:, 0])
    np.testing.assert_array_equal(np.flatnonzero(known), np.arange(10, 16))
