from __future__ import annotations

import itertools

import numpy as np
import pytest

from offhand.records import FloatArray
from offhand.rhythm import bouts as bouts_module
from offhand.rhythm.bouts import DRIFT, ENTER, THRESHOLD, find_bouts
from offhand.rhythm.tempo import FLOOR, OUTLIER, power, prominence, tamed, tempi
from tests import naive


def test_power_of_a_tone_is_highest_at_its_tempo() -> None:
    time_s = np.arange(0, 40, 1 / 15)
    found = power(np.sin(2 * np.pi * 0.8 * time_s)[:, None], rate_hz=15.0)[0]
    assert tempi()[found[:, 300].argmax()] == pytest.approx(0.8, rel=0.02)


def test_power_equals_the_naive_twin() -> None:
    series = np.random.default_rng(3).normal(size=(700, 2))
    found = power(series, rate_hz=15.0)
    for index in (0, 40, 80, len(tempi()) - 1):
        for component in (0, 1):
            expected = naive.wavelet_power(
                series[:, component].tolist(), float(tempi()[index]), rate_hz=15.0
            )
            np.testing.assert_allclose(found[component, index], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [1, 60, 700])
def test_power_of_all_components_together_is_their_sum(n: int) -> None:
    series = np.random.default_rng(4).normal(size=(n, 3))
    each = power(series, rate_hz=15.0)
    found = power(series, rate_hz=15.0, together=True)
    assert found.shape == (1, len(tempi()), n)
    np.testing.assert_allclose(found[0], each.sum(axis=0), rtol=1e-9, atol=1e-12)


def test_white_noise_has_the_same_power_at_every_tempo() -> None:
    noise = np.random.default_rng(0).normal(size=(40_000, 1))
    mean = power(noise, rate_hz=15.0)[0].mean(axis=1)
    assert mean.max() / mean.min() < 1.6


def test_prominence_does_not_depend_on_size_and_has_a_floor() -> None:
    time_s = np.arange(0, 40, 1 / 15)
    found = power(np.sin(2 * np.pi * 0.8 * time_s)[:, None], rate_hz=15.0)[0]
    assert prominence(found) == pytest.approx(prominence(100 * found), abs=1e-6)
    assert prominence(found)[:, 300].max() == pytest.approx(1.9, abs=0.2)
    assert prominence(found).min() == FLOOR


def test_prominence_is_the_log_of_power_over_its_surroundings() -> None:
    found = np.random.default_rng(1).random((len(tempi()), 3))
    reach = int(1.15 * 24)
    at = 60
    around = found[at - reach : at + reach + 1].mean(axis=0)
    expected = np.maximum(np.log(found[at] / around), FLOOR)
    assert prominence(found)[at] == pytest.approx(expected, abs=1e-6)


def test_outliers_are_shortened() -> None:
    series = np.random.default_rng(2).normal(size=(300, 2))
    series[150] = [40.0, 30.0]
    length = np.linalg.norm(tamed(series, rate_hz=15.0), axis=1)
    usual = np.median(np.linalg.norm(series, axis=1))
    assert length[150] == pytest.approx(OUTLIER * usual, rel=0.3)
    assert np.array_equal(tamed(series, rate_hz=15.0)[0], series[0])


def worth(path: tuple[int, ...], gain: FloatArray) -> float:
    """Return what a path through tempi brings in; the last state is none of them."""
    none, value, before = len(gain), 0.0, len(gain)
    for sample, state in enumerate(path):
        if state != none:
            if before == none:
                value -= ENTER
            elif abs(state - before) > 1:
                return -np.inf
            elif state != before:
                value -= DRIFT
            value += gain[state, sample]
        before = state
    return value


@pytest.mark.parametrize("seed", range(8))
def test_the_path_is_the_best_one(seed: int) -> None:
    gain = np.random.default_rng(seed).normal(0, 1.2, size=(3, 6))
    best = max(worth(path, gain) for path in itertools.product(range(4), repeat=6))
    assert worth(tuple(bouts_module._best_path(gain)), gain) == pytest.approx(best)


def test_bouts_start_and_stop_with_the_evidence() -> None:
    hz = np.array([0.5, 1.0, 2.0])
    evidence = np.full((3, 300), -0.5)
    evidence[1, 60:150] = THRESHOLD + 1.0
    evidence[1, 220:224] = THRESHOLD + 1.0  # too short to pay the entrance
    (bout,) = find_bouts(evidence, hz, rate_hz=15.0)
    assert (bout.first, bout.last) == (60, 150)
    assert set(bout.tempo) == {1}


def test_a_slip_does_not_end_a_bout_and_a_pause_does() -> None:
    hz = np.array([0.5, 1.0, 2.0])
    evidence = np.full((3, 300), -3.0)
    evidence[1, 30:100] = evidence[1, 110:180] = evidence[1, 240:] = THRESHOLD + 1.0
    found = find_bouts(evidence, hz, rate_hz=15.0)
    assert [(bout.first, bout.last) for bout in found] == [(30, 180), (240, 300)]
    assert all(len(bout.tempo) == bout.last - bout.first for bout in found)


def test_there_need_not_be_a_bout() -> None:
    evidence = np.full((3, 50), -np.inf)
    assert find_bouts(evidence, np.array([0.5, 1.0, 2.0]), rate_hz=15.0) == []
