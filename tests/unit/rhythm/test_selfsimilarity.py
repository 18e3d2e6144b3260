from __future__ import annotations

import numpy as np
import pytest

from offhand.rhythm.estimators import first_peak
from offhand.rhythm.seed import seed_count
from offhand.rhythm.selfsimilarity import diagonal_profile, self_similarity, thinned
from tests.naive import mean_of_diagonals


def pictures(period_s: float, seconds: float = 12.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(0, seconds, 1 / 15) / period_s
    ways = rng.normal(size=(2, 40))
    shown = np.column_stack([np.cos(angle), np.sin(angle)]) @ ways + 5.0
    return shown + 0.1 * rng.normal(size=shown.shape)


def test_stripes_lie_one_period_apart() -> None:
    matrix = self_similarity(pictures(2.0))
    assert np.allclose(np.diag(matrix), 1.0)
    assert np.array_equal(matrix, matrix.T)
    assert np.abs(matrix).max() <= 1.0
    assert first_peak(diagonal_profile(matrix)) / 15 == pytest.approx(2.0, rel=0.02)


def test_the_profile_is_the_mean_of_each_diagonal() -> None:
    matrix = self_similarity(pictures(1.3, seconds=3.0))
    matrix[5, :] = matrix[:, 5] = np.nan
    assert diagonal_profile(matrix) == pytest.approx(mean_of_diagonals(matrix), nan_ok=True)


def test_unknown_and_still_pictures() -> None:
    shown = pictures(2.0)
    shown[3] = np.nan
    matrix = self_similarity(shown)
    assert np.isnan(matrix[3]).all()
    assert np.isfinite(np.delete(np.delete(matrix, 3, 0), 3, 1)).all()
    assert np.isnan(self_similarity(np.full((4, 2), np.nan))).all()
    still = self_similarity(np.full((30, 5), 7.0))
    assert np.isfinite(still).all()
    assert np.isnan(first_peak(diagonal_profile(still)))


def test_a_long_stretch_is_thinned() -> None:
    few, step = thinned(np.zeros((1000, 3)), largest=160)
    assert (len(few), step) == (143, 7)
    same, one = thinned(np.zeros((160, 3)), largest=160)
    assert (len(same), one) == (160, 1)


def test_the_seeds_rule_counts_where_both_periods_agree() -> None:
    time_s = np.arange(0, 12, 1 / 15)
    agrees = 1 + np.sin(2 * np.pi * time_s / 2.1)
    found = seed_count(pictures(2.0), agrees, rate_hz=15.0)
    assert found.accepted
    assert found.count == 6
    differs = seed_count(pictures(2.0), 1 + np.sin(2 * np.pi * time_s / 0.9), rate_hz=15.0)
    assert not differs.accepted
    assert differs.count == 0
    nearly = 1 + np.sin(2 * np.pi * time_s / 2.3)
    assert seed_count(pictures(2.0), nearly, rate_hz=15.0).accepted
    strict = seed_count(pictures(2.0), nearly, rate_hz=15.0, tolerance=0.05)
    assert not strict.accepted
    nothing = seed_count(pictures(2.0), np.full(len(time_s), np.nan), rate_hz=15.0)
    assert not nothing.accepted
