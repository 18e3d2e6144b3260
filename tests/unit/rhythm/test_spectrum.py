"""Band powers and envelopes."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.rhythm.spectrum import FLOOR, band_edges, log_band_envelopes, log_band_power
from tests import naive

EDGES_HZ = band_edges(0.12, 7.0, 10)


def power(series: np.ndarray, *, rate_hz: float = 15.0, highest_hz: float = 7.5) -> np.ndarray:
    return log_band_power(series, EDGES_HZ, rate_hz=rate_hz, highest_hz=highest_hz)


def test_edges_are_equally_wide_on_a_log_scale() -> None:
    assert EDGES_HZ[0] == pytest.approx(0.12)
    assert EDGES_HZ[-1] == pytest.approx(7.0)
    assert np.ptp(np.diff(np.log(EDGES_HZ))) < 1e-12


@pytest.mark.parametrize(("n", "missing"), [(8, 0), (31, 6), (75, 0), (75, 30), (1100, 100)])
def test_power_equals_the_direct_sum(n: int, missing: int) -> None:
    rng = np.random.default_rng(n)
    series = 0.3 + rng.normal(size=n)
    series[rng.permutation(n)[:missing]] = np.nan
    edges_hz = [1.0, 1.3, 2.0]
    quick = log_band_power(series, np.array(edges_hz), rate_hz=15.0, highest_hz=7.5)
    slow = naive.log_band_power(series.tolist(), edges_hz, rate_hz=15.0, floor=FLOOR)
    np.testing.assert_allclose(quick, slow, rtol=1e-9)


def test_white_noise_has_its_density() -> None:
    rng = np.random.default_rng(0)
    mean = np.mean([np.exp(power(rng.normal(size=600))) for _ in range(60)], axis=0)
    np.testing.assert_allclose(mean[2:], 1 / 15.0, rtol=0.15)  # variance over rate


@pytest.mark.parametrize("band", range(1, 10))
def test_a_tone_is_strongest_in_its_band(band: int) -> None:
    tempo_hz = np.sqrt(EDGES_HZ[band] * EDGES_HZ[band + 1])
    series = np.sin(2 * np.pi * tempo_hz * np.arange(450) / 15)
    assert np.argmax(power(series)) == band


def test_no_motion_is_the_floor() -> None:
    np.testing.assert_allclose(power(np.full(100, 3.3)), np.log(FLOOR), atol=1e-6)


def test_bands_above_what_is_resolved_are_missing() -> None:
    bands = power(np.random.default_rng(0).normal(size=100), highest_hz=3.0)
    np.testing.assert_array_equal(np.isnan(bands), EDGES_HZ[1:] > 3.0)


def test_too_few_samples_are_missing() -> None:
    half = np.where(np.arange(40) < 19, 1.0, np.nan)
    for series in (np.empty(0), np.ones(7), np.full(30, np.nan), half):
        assert np.isnan(power(series)).all()


def test_the_rate_does_not_matter() -> None:
    slow, fast = (np.arange(12 * rate_hz) / rate_hz for rate_hz in (15, 40))
    bands = [
        power(np.sin(2 * np.pi * 1.1 * time_s), rate_hz=rate_hz)
        for time_s, rate_hz in ((slow, 15), (fast, 40))
    ]
    np.testing.assert_allclose(bands[0][4:6], bands[1][4:6], atol=0.15)


def test_envelopes_show_where_a_band_is_strong() -> None:
    time_s = np.arange(900) / 15
    series = np.where(time_s < 30, np.sin(2 * np.pi * 0.8 * time_s), np.sin(2 * np.pi * 2 * time_s))
    edges_hz = np.array([0.6, 1.1, 1.8, 3.0])
    amplitude = np.exp(log_band_envelopes(series, edges_hz, rate_hz=15.0, smooth_s=0.8))
    inner = (time_s > 5) & (time_s < 25)
    np.testing.assert_allclose(amplitude[inner, 0], 1.0, atol=0.1)
    assert amplitude[inner, 2].max() < 0.1
    np.testing.assert_allclose(amplitude[(time_s > 35) & (time_s < 55), 2], 1.0, atol=0.15)
    crossing_s = time_s[np.argmax(amplitude[:, 2] > amplitude[:, 0])]
    assert crossing_s == pytest.approx(30, abs=0.3)


def test_envelopes_of_stillness_and_of_one_sample() -> None:
    edges_hz = np.array([0.6, 1.1, 1.8])
    for n in (1, 2, 50):
        still = log_band_envelopes(np.zeros(n), edges_hz, rate_hz=15.0, smooth_s=1.0)
        assert still.shape == (n, 2)
        np.testing.assert_allclose(still, still[0, 0])
