"""The specification of the period estimate, and the figures measured against it.

Measured with 3000 tones at 10 dB over the whole space: a period in every one, median relative
error 0.06 %, 95 % below 0.65 %, 99 % below 1.2 %; below 2 % in 99.9 %. In the corner of 3 to 3.3
cycles of 8 to 10 samples: median 0.9 %, 95 % below 1.9 % (the Cramer-Rao bound at 3 cycles of
8 samples is a standard deviation of 1.2 %). Noise is called periodic in 0 to 4 % of trials.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import sawtooth, square

from offhand.records import FloatArray
from offhand.rhythm.periodicity import (
    AT_ONCE,
    MIN_CYCLES,
    MIN_SAMPLES,
    Period,
    estimate_period,
    estimate_periods,
)


def tone(rng: np.random.Generator, *, n: int, cycles: float, snr_db: float = 10.0) -> FloatArray:
    phase = np.arange(n) / n * cycles + rng.uniform()
    return np.sqrt(2) * np.sin(2 * np.pi * phase) + rng.normal(size=n) * 10 ** (-snr_db / 20)


def coloured(rng: np.random.Generator, *, n: int, slope: float) -> FloatArray:
    """Cut noise whose power falls as frequency to the power ``slope`` from a longer realisation."""
    frequency = np.fft.rfftfreq(8 * n)
    frequency[0] = frequency[1]
    drawn = rng.normal(size=len(frequency)) + 1j * rng.normal(size=len(frequency))
    first = rng.integers(0, 7 * n)
    return np.fft.irfft(drawn * frequency ** (-slope / 2), 8 * n)[first : first + n]


def found(series: FloatArray, rate_hz: float = 15.0) -> float:
    return estimate_period(series, rate_hz=rate_hz).period_s


def draw(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def errors(trials: int, *, seed: int, cycles: tuple[float, float], samples: tuple[float, float]):
    """Return relative errors on tones of random period; NaN where none was found."""
    rng = np.random.default_rng(seed)
    off = []
    for _ in range(trials):
        period_s = draw(rng, 0.25, 8.0)
        per_cycle = draw(rng, *samples)
        n = min(1800, int(np.ceil(draw(rng, *cycles) * per_cycle)))
        series = tone(rng, n=n, cycles=n / per_cycle)
        off.append(found(series, rate_hz=per_cycle / period_s) / period_s - 1)
    return np.abs(off)


def test_tones_of_any_period() -> None:
    off = errors(800, seed=0, cycles=(3, 40), samples=(8, 60))
    assert np.mean(off < 0.02) >= 0.98
    assert np.nanmedian(off) < 0.001
    assert np.nanquantile(off, 0.95) < 0.01


def test_tones_of_few_cycles_and_samples() -> None:
    off = errors(400, seed=1, cycles=(3, 3.3), samples=(8, 10))
    assert np.isfinite(off).mean() >= 0.95
    assert np.nanmedian(off) < 0.012
    assert np.nanquantile(off, 0.95) < 0.025


@pytest.mark.slow
@pytest.mark.parametrize("cycles", [(3, 3.6), (3.6, 5), (5, 10), (10, 40)])
@pytest.mark.parametrize("samples", [(8, 10), (10, 13), (13, 20), (20, 60)])
def test_tones_everywhere(cycles: tuple[float, float], samples: tuple[float, float]) -> None:
    off = errors(600, seed=2, cycles=cycles, samples=samples)
    assert np.mean(off < 0.02) >= 0.95 or (cycles, samples) == ((3, 3.6), (8, 10))
    assert np.mean(off < 0.03) >= 0.98


def false_alarms(trials: int, *, n: int, slope: float, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    return float(
        np.mean([np.isfinite(found(coloured(rng, n=n, slope=slope))) for _ in range(trials)])
    )


@pytest.mark.parametrize("slope", [0, 1, 2])
@pytest.mark.parametrize(("n", "trials"), [(24, 300), (45, 300), (150, 200), (600, 150)])
def test_noise_has_no_period(n: int, slope: float, trials: int) -> None:
    assert false_alarms(trials, n=n, slope=slope) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("slope", [0, 0.5, 1, 1.5, 2])
@pytest.mark.parametrize("n", [24, 30, 36, 60, 75, 300, 1200, 1800])
def test_noise_has_no_period_at_any_length(n: int, slope: float) -> None:
    assert false_alarms(1000 if n < 1000 else 400, n=n, slope=slope, seed=1) <= 0.05


SHAPES: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "zero": lambda n, rng: np.zeros(n),
    "constant": lambda n, rng: np.full(n, rng.normal()),
    "large constant": lambda n, rng: np.full(n, 1e9 * rng.normal()),
    "rounding": lambda n, rng: 0.1 + 1e-16 * rng.integers(-2, 3, n),
    "jitter": lambda n, rng: 0.1 + 1e-6 * rng.normal(size=n),
    "float32": lambda n, rng: np.full(n, 0.1, np.float32) + 1e-8 * rng.normal(size=n),
    "ramp": lambda n, rng: rng.normal() * np.arange(n),
    "step": lambda n, rng: (np.arange(n) > rng.uniform(0, n)).astype(float),
    "impulse": lambda n, rng: (np.arange(n) == rng.integers(n)).astype(float),
    "parabola": lambda n, rng: (np.arange(n) / n - rng.uniform()) ** 2,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [24, 75, 600])
def test_what_does_not_repeat_has_no_period(shape: str, n: int) -> None:
    rng = np.random.default_rng(3)
    answers = [found(SHAPES[shape](n, rng)) for _ in range(60)]
    assert np.isnan(answers).mean() >= 0.95


@pytest.mark.parametrize("n", [MIN_SAMPLES - 1, 24, 151])
def test_series_are_answered_the_same_together_and_alone(n: int) -> None:
    rng = np.random.default_rng(7)
    series = np.stack([tone(rng, n=n, cycles=rng.uniform(2, n / 5)) for _ in range(AT_ONCE + 20)])
    series[::3] = rng.normal(size=series[::3].shape).cumsum(axis=1)
    series[::4][rng.uniform(size=series[::4].shape) < 0.2] = np.nan
    series[5, 3 : 3 + n // 3] = np.nan
    series[6, n // 3 :] = np.nan
    series[7] = 2.5
    together = estimate_periods(series, rate_hz=15.0)
    assert len(together) == len(series)
    for one, answer in zip(series, together, strict=True):
        assert same(answer, estimate_period(one, rate_hz=15.0), rel=1e-9)
    assert n < MIN_SAMPLES or 0.3 < np.isfinite([one.period_s for one in together]).mean() < 1


def test_a_constant_is_answered_with_strength_zero() -> None:
    answer = estimate_period(np.full(100, 0.3), rate_hz=15.0)
    assert np.isnan(answer.period_s)
    assert answer.strength == 0


def test_periods_are_not_bins_of_the_window() -> None:
    rng = np.random.default_rng(4)
    true_s = rng.uniform(1.0, 3.5, 300)
    periods = [found(tone(rng, n=180, cycles=12 / period_s)) for period_s in true_s]
    cycles = 12 / np.array(periods)
    distance = np.abs(cycles - np.round(cycles))
    counts, _ = np.histogram(distance, bins=5, range=(0, 0.5))
    assert np.all(np.abs(counts / 300 - 0.2) < 0.08)
    assert len(np.unique(np.round(periods, 4))) > 250


def repeating(shape: Callable[[FloatArray], FloatArray], cycles: float, seed: int) -> list[float]:
    """Return estimates over the truth for a repeating shape in noise at 10 dB."""
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(40):
        n = int(cycles * rng.uniform(14, 30))
        cycle = shape((np.arange(n) / n * cycles + rng.uniform()) % 1)
        series = (cycle - cycle.mean()) / cycle.std() + rng.normal(size=n) * 10**-0.5
        ratios.append(found(series, rate_hz=n / cycles))
    return ratios


CYCLES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "sawtooth": lambda phase: sawtooth(2 * np.pi * phase),
    "square": lambda phase: square(2 * np.pi * phase),
    "pulse": lambda phase: np.exp(-0.5 * ((phase - 0.5) / 0.06) ** 2),
    "weak fundamental": lambda phase: (
        0.3 * np.sin(2 * np.pi * phase) + np.sin(4 * np.pi * phase + 1)
    ),
    "unequal strokes": lambda phase: (
        np.exp(-0.5 * ((phase - 0.25) / 0.06) ** 2)
        + 0.6 * np.exp(-0.5 * ((phase - 0.75) / 0.06) ** 2)
    ),
    "third harmonic": lambda phase: (
        0.4 * np.sin(2 * np.pi * phase)
        + 0.2 * np.sin(4 * np.pi * phase + 1)
        + np.sin(6 * np.pi * phase + 2)
    ),
}


@pytest.mark.parametrize("shape", CYCLES)
@pytest.mark.parametrize("cycles", [8.4, 12.3, 25.7])
def test_the_fundamental_is_found_not_its_harmonics(shape: str, cycles: float) -> None:
    ratios = np.array(repeating(CYCLES[shape], cycles, seed=5))
    assert np.mean(np.abs(ratios - 1) < 0.02) >= 0.95


def test_a_sinusoid_is_not_halved() -> None:
    rng = np.random.default_rng(6)
    ratios = [found(tone(rng, n=300, cycles=20.3), rate_hz=300 / 20.3) for _ in range(300)]
    assert np.mean(np.abs(np.array(ratios) - 1) < 0.02) >= 0.99


def same(first: Period, second: Period, *, rel: float) -> bool:
    pairs = [
        (first.period_s, second.period_s),
        (first.strength, second.strength),
        (first.score, second.score),
    ]
    return all(a == pytest.approx(b, rel=rel, nan_ok=True) for a, b in pairs)


@pytest.mark.parametrize("seed", range(4))
def test_invariances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = tone(rng, n=150, cycles=9.7) if seed % 2 else coloured(rng, n=150, slope=1)
    plain = estimate_period(series, rate_hz=15.0)
    for scale in (1e-12, 1e-3, -1.0, 1e6):
        assert same(estimate_period(scale * series, rate_hz=15.0), plain, rel=1e-4)
    assert same(estimate_period(series + 1000, rate_hz=15.0), plain, rel=1e-4)
    slope = np.linspace(-5, 5, 150)
    assert same(estimate_period(series + slope, rate_hz=15.0), plain, rel=1e-4)
    assert same(estimate_period(series[::-1], rate_hz=15.0), plain, rel=1e-4)
    faster = estimate_period(series, rate_hz=30.0)
    assert faster.period_s == pytest.approx(plain.period_s / 2, nan_ok=True)


def test_the_input_is_not_changed() -> None:
    series = np.append(np.sin(np.arange(100)), np.nan)
    before = series.copy()
    estimate_period(series, rate_hz=15.0)
    np.testing.assert_array_equal(series, before)


@pytest.mark.parametrize("period_s", [0.8, 1.37, 2.9])
def test_the_sampling_rate_does_not_matter(period_s: float) -> None:
    for rate_hz in (10.0, 15.0, 24.0, 60.0):
        rng = np.random.default_rng(7)
        n = round(12 * rate_hz)
        series = tone(rng, n=n, cycles=12 / period_s, snr_db=15)
        assert found(series, rate_hz=rate_hz) == pytest.approx(period_s, rel=0.01)


def with_gaps(rng: np.random.Generator, series: FloatArray, kind: str) -> FloatArray:
    """Take 40 % of the samples away."""
    n, holed = len(series), series.copy()
    if kind == "one":
        first = rng.integers(0, n - int(0.4 * n) + 1)
        holed[first : first + int(0.4 * n)] = np.nan
    elif kind == "scattered":
        holed[rng.permutation(n)[: int(0.4 * n)]] = np.nan
    else:  # at regular distances
        holed[np.arange(n) % 10 < 4] = np.nan
    return holed


@pytest.mark.parametrize("kind", ["one", "scattered", "regular"])
def test_gaps_are_tolerated(kind: str) -> None:
    rng = np.random.default_rng(8)
    off = []
    for _ in range(150):
        cycles = draw(rng, 6, 20)
        n = int(cycles * rng.uniform(8, 20))
        series = with_gaps(rng, tone(rng, n=n, cycles=cycles), kind)
        off.append(found(series, rate_hz=n / cycles) - 1)
    assert np.mean(np.abs(off) < 0.02) >= 0.95


@pytest.mark.parametrize("kind", ["one", "scattered", "regular"])
@pytest.mark.parametrize("slope", [0, 1, 2])
def test_gaps_are_no_rhythm(kind: str, slope: float) -> None:
    rng = np.random.default_rng(9)
    for n in (45, 150):
        holed = [with_gaps(rng, coloured(rng, n=n, slope=slope), kind) for _ in range(150)]
        assert np.mean([np.isfinite(found(series)) for series in holed]) <= 0.05


def test_too_few_samples_give_no_answer() -> None:
    rng = np.random.default_rng(10)
    for series in (
        np.empty(0),
        np.full(50, np.nan),
        tone(rng, n=MIN_SAMPLES - 1, cycles=4),
        np.where(np.arange(60) < 29, tone(rng, n=60, cycles=4), np.nan),
    ):
        answer = estimate_period(series, rate_hz=15.0)
        assert np.isnan([answer.period_s, answer.strength, answer.score]).all()


@pytest.mark.parametrize("cycles", [0.7, 1.3, 1.6, 1.8, 2.0, 2.3])
def test_fewer_cycles_than_it_takes_are_no_period(cycles: float) -> None:
    rng = np.random.default_rng(11)
    for n in (30, 150, 600):
        answers = [found(tone(rng, n=n, cycles=cycles), rate_hz=n) for _ in range(40)]
        assert np.isnan(answers).mean() >= 0.95
        assert not np.any(np.array(answers) > 1 / MIN_CYCLES)


def test_strength_is_the_share_of_variance() -> None:
    rng = np.random.default_rng(12)
    clean = estimate_period(np.sin(np.arange(300) / 3), rate_hz=15.0)
    assert clean.strength == pytest.approx(1.0, abs=1e-6)
    even = [estimate_period(tone(rng, n=600, cycles=30, snr_db=0), rate_hz=15.0) for _ in range(30)]
    assert np.mean([answer.strength for answer in even]) == pytest.approx(0.5, abs=0.03)
