import math

import numpy as np
import pytest

from offhand.report.plots import band_path, envelope, line_path, round_up, time_ticks


def naive_envelope(time_s, values, start_s, stop_s, bins):
    rows = []
    for b in range(bins):
        inside = [
            (t, v)
            for t, v in zip(time_s, values, strict=True)
            if min(bins - 1, int((t - start_s) / (stop_s - start_s) * bins)) == b
        ]
        if inside:
            finite = [v for _, v in inside if math.isfinite(v)] or [math.nan]
            middle = sum(finite) / len(finite)
            rows.append((np.mean([t for t, _ in inside]), min(finite), middle, max(finite)))
    return np.array(rows).T


def test_envelope_matches_the_naive_one():
    rng = np.random.default_rng(3)
    time_s = np.sort(rng.uniform(10, 70, 5000))
    values = np.where(rng.random(5000) < 0.9, math.nan, rng.normal(size=5000))
    curve = envelope(time_s, values, start_s=10.0, stop_s=70.0, bins=50)
    expected = naive_envelope(time_s, values, 10.0, 70.0, 50)
    for got, wanted in zip(
        (curve.time_s, curve.low, curve.middle, curve.high), expected, strict=True
    ):
        np.testing.assert_allclose(got, wanted)


def test_a_short_series_is_kept_and_broken_at_gaps():
    time_s = np.array([0.0, 0.5, 1.0, 9.0, 9.5])
    curve = envelope(time_s, np.arange(5.0), start_s=0.0, stop_s=10.0)
    np.testing.assert_array_equal(curve.middle, [0, 1, 2, math.nan, 3, 4])


def test_paths_break_at_missing_values():
    x = np.linspace(0, 1, 5)
    y = np.array([0.0, 1.0, math.nan, 0.5, math.nan])
    assert line_path(x, y) == "M0 1000 2500 0M7500 500h15"
    assert band_path(x, y, y).count("Z") == 2
    assert line_path(x, np.full(5, math.nan)) == ""


@pytest.mark.parametrize("stop_s", [0.5, 7.0, 59.9, 60.0, 3600.0, 14_400.0, 90_000.0])
def test_ticks_are_few_round_and_inside(stop_s):
    ticks = time_ticks(3.0, 3.0 + stop_s)
    assert len(ticks) <= 8
    assert all(3.0 <= tick < 3.0 + stop_s for tick in ticks)
    assert len(ticks) >= 2 or stop_s < 2


def test_no_ticks_on_an_empty_axis():
    assert time_ticks(2.0, 2.0) == [2.0]


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, 0.5), (0.5, 0.5), (7, 10), (0, 1), (math.nan, 1), (1.2e-3, 2e-3)]
)
def test_round_up(value, expected):
    assert round_up(value) == pytest.approx(expected)
