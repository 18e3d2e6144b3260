"""The period of a series, or the statement that it has none.

Finding: the power spectrum of the detrended series, finely interpolated, is compared with a
power-law background (white, 1/f and 1/f^2 noise are power laws) fitted to the other frequencies.
The height of the tallest peak above that background, corrected for the number of frequencies
searched and for the error of the fit, is the score; below ``MIN_SCORE`` the series is called not
periodic. The threshold is set by simulation (``tests/unit/rhythm/test_periodicity.py``).

Measuring: the peak's frequency is then refined by least squares on a sinusoid with offset and
trend, which is the maximum-likelihood estimate in white noise (Rife & Boorstyn 1974,
doi:10.1109/TIT.1974.1055282), so the period is not tied to the bins of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from offhand.records import BoolArray, FloatArray

MIN_SCORE = 2.75
"""Score from which a series counts as periodic: 0 to 4 % of noise series reach it."""

MIN_SUBHARMONIC_SCORE = 3.5
"""Score that half or a third of the peak's frequency needs to be taken for the fundamental."""

MIN_CYCLES = 2.5
"""Cycles that the series must hold."""

MIN_SAMPLES_PER_CYCLE = 5.0
"""Samples that a cycle must hold."""

MIN_SAMPLES = 20
"""Samples that the series must hold."""

OVERSAMPLING = 8
"""Spectrum points per independent frequency."""

REFINED = (13, 7, 7)
"""Frequencies tried in turn on the way to the best one."""

TINY = 1e-12
"""Keeps a wave that the known samples do not show from being divided by."""

_MEAN_LOG_EXPONENTIAL = -np.euler_gamma  # mean of the log of an exponential variable of mean 1
_LOG_VARIANCE = np.pi**2 / 6  # its variance


@dataclass(frozen=True, kw_only=True)
class Period:
    """What was found.

    Attributes
    ----------
    period_s
        Length of a cycle, NaN where the series is not periodic or too short to tell.
    strength
        Share of the detrended variance that the best sinusoid explains, in 0..1; given for
        aperiodic series too; NaN where there are too few samples.
    score
        Height of the spectral peak above the noise background in standard deviations.
    """

    period_s: float
    strength: float
    score: float


NOTHING = Period(period_s=np.nan, strength=np.nan, score=np.nan)
"""The answer where there are too few samples."""


def estimate_period(series: FloatArray, *, rate_hz: float) -> Period:
    """Estimate the period of an evenly sampled series.

    Parameters
    ----------
    series
        ``(n,)``; NaN samples are left out, and if they are more than half there is no answer.
    rate_hz
        Samples per second.

    Returns
    -------
    Period
        Periods from ``MIN_SAMPLES_PER_CYCLE / rate_hz`` to ``n / rate_hz / MIN_CYCLES`` seconds
        can be found.
    """
    known = ~np.isnan(series)
    n = len(series)
    if known.sum() < MIN_SAMPLES or known.sum() < n / 2:
        return NOTHING
    time = np.arange(n) / n - 0.5
    trend = np.column_stack([np.ones(n), time])
    slope, *_ = np.linalg.lstsq(trend[known], series[known], rcond=None)
    detrended = _filled(series - trend @ slope, known)
    scale = float(np.sqrt((detrended[known] ** 2).mean()))
    if not scale > 1e-9 * float(np.abs(series[known]).max()):
        return Period(period_s=np.nan, strength=0.0, score=-np.inf)
    cycles, power = _spectrum(detrended / scale)
    searched = (cycles >= MIN_CYCLES) & (cycles <= n / MIN_SAMPLES_PER_CYCLE)
    if not searched.any():
        return NOTHING
    peak, score = _tallest_peak(cycles, power, searched)
    peak, strength = _refine(series[known], time[known], peak)
    if score >= MIN_SCORE:
        lower = _fundamental(detrended / scale, known, time, peak)
        if lower is not None:
            peak, strength = _refine(series[known], time[known], lower)
    periodic = score >= MIN_SCORE and MIN_CYCLES <= peak <= n / MIN_SAMPLES_PER_CYCLE
    return Period(
        period_s=n / rate_hz / peak if periodic else np.nan,
        strength=strength,
        score=score,
    )


def _filled(series: FloatArray, known: BoolArray) -> FloatArray:
    """Fill gaps: by a straight line where no cycle fits into them, else with zeros.

    Zeros in many short gaps would turn slow motion into a rhythm of gaps; a line across a long one
    would add slow motion that was not there.
    """
    if known.all():
        return series
    at, everywhere = np.flatnonzero(known), np.arange(len(series))
    after = np.searchsorted(at, everywhere)
    inner = (after > 0) & (after < len(at))
    last = len(at) - 1
    gap = at[after.clip(0, last)] - at[(after - 1).clip(0)]
    filled = np.where(known, series, 0.0)
    short = ~known & inner & (gap <= MIN_SAMPLES_PER_CYCLE)
    filled[short] = np.interp(everywhere[short], at, series[known])
    return filled


def _spectrum(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return frequencies in cycles per series, from 1 to Nyquist, and the power at each."""
    n = len(series)
    power = np.abs(np.fft.rfft(series, n * OVERSAMPLING)) ** 2 / n
    cycles = np.arange(len(power)) / OVERSAMPLING
    kept = (cycles >= 1) & (cycles <= n / 2 - 0.5)
    return cycles[kept], power[kept]


def _tallest_peak(
    cycles: FloatArray, power: FloatArray, searched: BoolArray
) -> tuple[float, float]:
    """Return the most significant frequency, in cycles per series, and its score."""
    tried = np.flatnonzero(searched)
    width = float(cycles[tried[-1]] - cycles[tried[0]])
    tallest = tried[np.argmax(power[tried])]
    background = _background(cycles, power, leave_out=cycles[tallest])
    whitest = tried[np.argmax(power[tried] / background.level(cycles[tried]))]
    scored = [
        (_score(cycles, power, int(index), independent=width), float(cycles[index]))
        for index in {int(tallest), int(whitest)}
    ]
    score, peak = max(scored)
    return peak, score


def _score(cycles: FloatArray, power: FloatArray, index: int, *, independent: float) -> float:
    """Return how far a peak stands above the background, in standard deviations of the log."""
    at = cycles[index]
    background = _background(cycles, power, leave_out=at)
    ratio = np.log(power[index] / background.level(at))
    expected = np.log(np.log(independent + 1.0) + 1.0)
    return float((ratio - expected) / np.sqrt(background.variance(at) + 0.15))


class _Background(NamedTuple):
    """A power law: logarithm of its level at one cycle, slope, and how sure both are ``(2, 2)``."""

    offset: float
    slope: float
    spread: FloatArray

    def level(self, cycles: FloatArray) -> FloatArray:
        """Return the power at frequencies in cycles per series."""
        return np.asarray(np.exp(self.offset - self.slope * np.log(cycles)))

    def variance(self, cycles: float) -> float:
        """Return the variance of the logarithm of the power at a frequency."""
        design = np.array([1.0, -np.log(cycles)])
        return float(design @ self.spread @ design)


def _background(cycles: FloatArray, power: FloatArray, *, leave_out: float) -> _Background:
    """Fit a power law to the spectrum, leaving out a peak and its harmonics."""
    independent = np.arange(OVERSAMPLING - 1, len(cycles), OVERSAMPLING)
    independent = np.concatenate([[0], independent])
    at, height = cycles[independent], power[independent]
    kept = np.abs(at - leave_out) > 1.3
    for harmonic in (2, 3):
        apart = np.abs(at - harmonic * leave_out) > 1.0
        if (kept & apart).sum() >= 5:
            kept &= apart
    at, height = at[kept], height[kept]
    level = np.log(height + 1e-12) - _MEAN_LOG_EXPONENTIAL
    weight = 1.0 / np.sqrt(at)
    steep = -np.log(at)
    ones, some, many = weight.sum(), weight @ steep, weight @ steep**2 + 0.3  # slopes cost a little
    inverse = np.array([[many, -some], [-some, ones]]) / (ones * many - some**2)
    first, second = float(weight @ level), float((weight * steep) @ level)
    slope = min(max(float(inverse[1] @ (first, second)), 0.0), 2.2)
    offset = (first - slope * float(some)) / float(ones)
    square = weight**2
    mixed = float(square @ steep)
    products = np.array([[square.sum(), mixed], [mixed, square @ steep**2]])
    spread = inverse @ products @ inverse * _LOG_VARIANCE
    return _Background(offset, slope, spread)


def _fundamental(
    detrended: FloatArray, known: BoolArray, time: FloatArray, peak: float
) -> float | None:
    """Return a third or half of the peak's frequency if the series has a clear peak there as well.

    The peak itself is subtracted first, so that its side lobes are not taken for one.
    """
    angle = 2 * np.pi * peak * time
    wave = np.column_stack([np.ones(len(time)), np.cos(angle), np.sin(angle)])
    fitted, *_ = np.linalg.lstsq(wave[known], detrended[known], rcond=None)
    cycles, power = _spectrum(_filled(detrended - wave @ fitted, known))
    for divisor in (3, 2):
        near = np.flatnonzero(np.abs(cycles - peak / divisor) <= 0.4)
        if peak / divisor < MIN_CYCLES or len(near) == 0:
            continue
        index = int(near[np.argmax(power[near])])
        if _score(cycles, power, index, independent=2.0) >= MIN_SUBHARMONIC_SCORE:
            return float(cycles[index])
    return None


def _refine(series: FloatArray, time: FloatArray, peak: float) -> tuple[float, float]:
    """Return the least-squares frequency near a peak, and the share of variance explained.

    Frequencies on both sides are tried at once, finer ones around the best of them, and so on; a
    parabola through the last three places it between them.
    """
    trend, _ = np.linalg.qr(np.column_stack([np.ones(len(time)), time]))
    detrended = series - trend @ (trend.T @ series)
    total = float(detrended @ detrended)

    def explained(cycles: FloatArray) -> FloatArray:
        angle = 2 * np.pi * np.outer(cycles, time)
        cosine, sine = np.cos(angle), np.sin(angle)
        cosine -= cosine @ trend @ trend.T  # least squares of both is least squares one by one
        sine -= sine @ trend @ trend.T
        along, across = cosine @ detrended, sine @ detrended
        cosines, sines, mixed = (
            np.einsum("ij,ij->i", one, other)
            for one, other in ((cosine, cosine), (sine, sine), (cosine, sine))
        )
        shown = sines * along**2 - 2 * mixed * along * across + cosines * across**2
        return np.asarray(shown / np.maximum(cosines * sines - mixed**2, TINY))

    tried = np.linspace(max(1.0, peak - 0.6), peak + 0.6, REFINED[0])
    shown = explained(tried)
    best = int(shown.argmax())
    for n in REFINED[1:]:
        tried = np.linspace(tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)], n)
        shown = explained(tried)
        best = int(shown.argmax())
    found, height = float(tried[best]), float(shown[best])
    if 0 < best < len(tried) - 1:
        left, right = float(shown[best - 1]), float(shown[best + 1])
        bend = left - 2 * height + right
        if bend < 0:
            found += 0.5 * (left - right) / bend * float(tried[1] - tried[0])
            height -= 0.125 * (left - right) ** 2 / bend
    return found, float(np.clip(height / total, 0.0, 1.0)) if total > 0 else 0.0


def autocorrelation(series: FloatArray) -> FloatArray:
    """Return the unbiased autocorrelation ``(n,)`` of a series, 1 at lag 0.

    Each lag is averaged over the pairs of known samples that are that far apart.

    Parameters
    ----------
    series
        ``(n,)``; NaN samples are left out.
    """
    known = ~np.isnan(series)
    if not known.any():
        return np.full(len(series), np.nan)
    centred = np.where(known, series - series[known].mean(), 0.0)
    pairs = scipy.signal.correlate(known.astype(np.float64), known.astype(np.float64))[
        len(series) - 1 :
    ]
    total = scipy.signal.correlate(centred, centred)[len(series) - 1 :]
    mean = np.where(pairs > 0.5, total / np.maximum(pairs, 1.0), np.nan)
    return np.asarray(mean / mean[0] if mean[0] > 0 else np.full(len(series), np.nan))


def first_peak(profile: FloatArray, *, least: float = 0.1) -> float:
    """Return the lag of a periodic profile's first high peak, between samples, or NaN.

    The first local maximum within 85 % of the highest one wins, so that a multiple of the period is
    not taken for it; a parabola through three samples places it.

    Parameters
    ----------
    profile
        ``(n,)`` by lag, 1 at lag 0. Lags beyond the end over ``MIN_CYCLES`` are not looked at.
    least
        Height that a peak needs.
    """
    looked = profile[: max(0, int((len(profile) - 1) / MIN_CYCLES)) + 2]
    if len(looked) < 3 or np.isnan(looked).all():
        return float("nan")
    below = np.flatnonzero(looked < 0.5 * (1.0 + np.nanmin(looked)))
    peaks, _ = scipy.signal.find_peaks(np.nan_to_num(looked, nan=-1.0), height=least)
    peaks = peaks[peaks > below[0]] if len(below) else peaks[:0]
    if len(peaks) == 0:
        return float("nan")
    peak = int(peaks[looked[peaks] >= 0.85 * looked[peaks].max()][0])
    left, top, right = looked[peak - 1 : peak + 2]
    bend = left - 2 * top + right
    return float(peak + (0.5 * (left - right) / bend if bend < 0 else 0.0))


def autocorrelation_period(series: FloatArray, *, rate_hz: float) -> float:
    """Return the period at the first high peak of the autocorrelation, in seconds, or NaN.

    Parameters
    ----------
    series
        ``(n,)`` evenly sampled; NaN samples are left out.
    rate_hz
        Samples per second.
    """
    return first_peak(autocorrelation(series)) / rate_hz


def difference_period(series: FloatArray, *, rate_hz: float, threshold: float = 0.3) -> float:
    """Return the period at the first deep dip of the difference function, in seconds, or NaN.

    The cumulative mean normalised difference of YIN (de Cheveigne & Kawahara 2002,
    doi:10.1121/1.1458024): 0 where the series equals itself a lag later, about 1 elsewhere.

    Parameters
    ----------
    series
        ``(n,)`` evenly sampled without NaN.
    rate_hz
        Samples per second.
    threshold
        Depth that a dip needs.
    """
    n = len(series)
    lags = np.arange(1, int((n - 1) / MIN_CYCLES) + 2)
    lags = lags[lags < n]
    if len(lags) < 3:
        return float("nan")
    difference = np.array([((series[lag:] - series[:-lag]) ** 2).mean() for lag in lags])
    running = np.cumsum(difference) / np.arange(1, len(lags) + 1)
    normalised = np.where(running > 0, difference / np.where(running > 0, running, 1.0), 1.0)
    dips, _ = scipy.signal.find_peaks(-normalised, height=-threshold)
    if len(dips) == 0:
        return float("nan")
    dip = int(dips[0])
    left, bottom, right = normalised[dip - 1 : dip + 2]
    bend = left - 2 * bottom + right
    return float((lags[dip] + (0.5 * (left - right) / bend if bend > 0 else 0.0)) / rate_hz)


def uneven_period(
    time_s: FloatArray, series: FloatArray, *, shortest_s: float, least: float = 0.001
) -> float:
    """Return the period of an unevenly sampled series, in seconds, or NaN.

    The highest peak of the Lomb-Scargle periodogram (Lomb 1976, doi:10.1007/BF00648343; Scargle
    1982, doi:10.1086/160554), normalised by the series' variance.

    Parameters
    ----------
    time_s
        ``(n,)`` increasing.
    series
        ``(n,)``; NaN samples are left out.
    shortest_s
        Shortest period looked for; the longest is the span over ``MIN_CYCLES``.
    least
        Chance that white noise has as high a peak, from which there is no answer.
    """
    known = ~np.isnan(series)
    time_s, series = time_s[known], series[known]
    if len(series) < MIN_SAMPLES or not series.std() > 0:
        return float("nan")
    span = float(time_s[-1] - time_s[0])
    cycles = np.arange(MIN_CYCLES, span / shortest_s, 1 / OVERSAMPLING)
    if len(cycles) < 3:
        return float("nan")
    centred = series - series.mean()
    frequency = 2 * np.pi * cycles / span
    height = scipy.signal.lombscargle(time_s, centred, frequency) / centred.var()
    peak = int(height.argmax())
    independent = cycles[-1] - cycles[0]
    if 1 - (1 - np.exp(-height[peak])) ** independent > least:
        return float("nan")
    return span / float(cycles[peak])
