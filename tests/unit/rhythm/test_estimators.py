"""The simple estimators of a period: autocorrelation, difference function, Lomb-Scargle."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.rhythm.estimators import (
    autocorrelation,
    autocorrelation_period,
    difference_period,
    first_peak,
    uneven_period,
)
from tests import naive

PERIODS_S = (0.5, 0.83, 1.37, 2.9, 4.4)


def movement(period_s: float, *, noise: float = 0.2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(0, 15, 1 / 15) / period_s
    wave = np.sin(angle) + 0.4 * np.sin(2 * angle + 1)
    return wave + noise * rng.normal(size=len(angle))


@pytest.mark.parametrize("period_s", PERIODS_S)
@pytest.mark.parametrize("seed", range(3))
def test_all_find_the_period_and_no_multiple_of_it(period_s: float, seed: int) -> None:
    series = movement(period_s, seed=seed)
    assert autocorrelation_period(series, rate_hz=15.0) == pytest.approx(period_s, rel=0.05)
    assert difference_period(series, rate_hz=15.0) == pytest.approx(period_s, rel=0.05)
    kept = np.random.default_rng(seed).random(len(series)) < 0.6
    time_s = (np.arange(len(series)) / 15)[kept]
    found = uneven_period(time_s, series[kept], shortest_s=0.3)
    assert found == pytest.approx(period_s, rel=0.05)


def test_autocorrelation_averages_known_pairs() -> None:
    series = np.random.default_rng(0).normal(size=24)
    series[[3, 4, 17]] = np.nan
    expected = naive.autocorrelation(series)
    found = autocorrelation(series)
    known = np.isfinite(expected)
    assert found[known] == pytest.approx(np.array(expected)[known])


def test_noise_has_no_period() -> None:
    rng = np.random.default_rng(4)
    time_s = np.arange(200) / 15
    alarms = [
        np.isfinite(uneven_period(time_s, rng.normal(size=200), shortest_s=0.3)) for _ in range(100)
    ]
    assert np.mean(alarms) <= 0.03
    deep = [np.isfinite(difference_period(rng.normal(size=200), rate_hz=15.0)) for _ in range(50)]
    assert np.mean(deep) <= 0.05


@pytest.mark.parametrize("series", [np.zeros(50), np.full(50, np.nan), np.zeros(3), np.empty(0)])
def test_nothing_to_find(series: np.ndarray) -> None:
    assert np.isnan(autocorrelation_period(series, rate_hz=15.0))
    if not np.isnan(series).any():
        assert np.isnan(difference_period(series, rate_hz=15.0))
    assert np.isnan(uneven_period(np.arange(len(series)) / 15, series, shortest_s=0.3))


def test_a_peak_lies_between_samples() -> None:
    profile = np.cos(2 * np.pi * np.arange(60) / 10.4)
    assert first_peak(profile) == pytest.approx(10.4, abs=0.03)
