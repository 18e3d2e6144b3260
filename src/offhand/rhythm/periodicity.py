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

from dataclasses import dataclass, replace

import numpy as np

from offhand.records import BoolArray, FloatArray, IntArray

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

AT_ONCE = 256
"""Series that are looked at together."""

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
    """Estimate the period of one evenly sampled series ``(n,)``; see :func:`estimate_periods`."""
    return estimate_periods(series[None], rate_hz=rate_hz)[0]


def estimate_periods(series: FloatArray, *, rate_hz: float) -> list[Period]:
    """Estimate the periods of evenly sampled series of one length.

    Parameters
    ----------
    series
        ``(m, n)``; NaN samples are left out, and if they are more than half there is no answer.
    rate_hz
        Samples per second.

    Returns
    -------
    list of Period
        One for each series. Periods from ``MIN_SAMPLES_PER_CYCLE / rate_hz`` to
        ``n / rate_hz / MIN_CYCLES`` seconds can be found.
    """
    parts = [series[first : first + AT_ONCE] for first in range(0, len(series), AT_ONCE)]
    return [period for part in parts for period in _estimated(part, rate_hz=rate_hz)]


def _estimated(series: FloatArray, *, rate_hz: float) -> list[Period]:
    answers = [NOTHING] * len(series)
    n = series.shape[1]
    enough = np.flatnonzero((~np.isnan(series)).sum(axis=1) >= max(MIN_SAMPLES, n / 2))
    if len(enough) == 0:
        return answers
    shown = _Detrended.of(series[enough])
    highest = np.nanmax(np.abs(series[enough]), axis=1)
    varies = shown.scale > 1e-9 * highest
    for index in enough[~varies]:
        answers[index] = Period(period_s=np.nan, strength=0.0, score=-np.inf)
    if not varies.any():
        return answers
    shown = shown.some(varies)
    spectrum = _Spectrum.of(shown.filled())
    peak, score = _tallest_peak(spectrum, highest=n / MIN_SAMPLES_PER_CYCLE)
    peak, strength = _refine(shown, peak)
    clear = np.flatnonzero(score >= MIN_SCORE)
    if len(clear):
        lower = _fundamental(shown.some(clear), peak[clear])
        below = clear[~np.isnan(lower)]
        peak[below], strength[below] = _refine(shown.some(below), lower[~np.isnan(lower)])
    periodic = (score >= MIN_SCORE) & (peak >= MIN_CYCLES) & (peak <= n / MIN_SAMPLES_PER_CYCLE)
    period_s = np.where(periodic, n / rate_hz / peak, np.nan)
    found = zip(period_s.tolist(), strength.tolist(), score.tolist(), strict=True)
    for index, (length_s, share, height) in zip(enough[varies], found, strict=True):
        answers[index] = Period(period_s=length_s, strength=share, score=height)
    return answers


@dataclass(frozen=True)
class _Detrended:
    """Series without offset and trend, in standard deviations.

    Attributes
    ----------
    values
        ``(m, n)``, 0 where a sample is missing.
    known
        ``(m, n)``: 1 where there is one, else 0.
    time
        ``(m, n)``: -0.5 to 0.5, less its mean; 0 where a sample is missing.
    scale
        ``(m,)``: the standard deviation.
    """

    values: FloatArray
    known: FloatArray
    time: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, series: FloatArray) -> _Detrended:
        n = series.shape[1]
        known = (~np.isnan(series)).astype(np.float64)
        count = known.sum(axis=1, keepdims=True)
        time = known * (np.arange(n) / n - 0.5)
        time = known * (time - time.sum(axis=1, keepdims=True) / count)
        values = np.where(known, series, 0.0)
        values = known * (values - values.sum(axis=1, keepdims=True) / count)
        slope = (values * time).sum(axis=1, keepdims=True)
        values = values - time * (slope / (time**2).sum(axis=1, keepdims=True))
        scale = np.sqrt((values**2).sum(axis=1) / count[:, 0])
        return cls(values / np.where(scale > 0, scale, 1.0)[:, None], known, time, scale)

    def some(self, rows: BoolArray | IntArray) -> _Detrended:
        return _Detrended(self.values[rows], self.known[rows], self.time[rows], self.scale[rows])

    def filled(self) -> FloatArray:
        """Return the values with gaps filled, ``(m, n)``."""
        return np.stack(
            [_filled(one, known > 0) for one, known in zip(self.values, self.known, strict=True)]
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


@dataclass(frozen=True)
class _Spectrum:
    """Power spectra.

    Attributes
    ----------
    cycles
        ``(k,)`` frequencies in cycles per series, from 1 to Nyquist.
    height
        ``(m, k)`` logarithm of the power at each.
    """

    cycles: FloatArray
    height: FloatArray

    @classmethod
    def of(cls, series: FloatArray) -> _Spectrum:
        n = series.shape[1]
        wave = np.fft.rfft(series, n * OVERSAMPLING)
        cycles = np.arange(wave.shape[1]) / OVERSAMPLING
        kept = (cycles >= 1) & (cycles <= n / 2 - 0.5)
        wave = wave[:, kept]
        return cls(cycles[kept], np.log((wave.real**2 + wave.imag**2) / n + 1e-12))

    def some(self, rows: BoolArray | IntArray) -> _Spectrum:
        return _Spectrum(self.cycles, self.height[rows])

    def score(self, index: IntArray, background: _Background, *, independent: float) -> FloatArray:
        """Return how far peaks stand above the background, in standard deviations of the log."""
        at = np.log(self.cycles[index])
        above = self.height[np.arange(len(index)), index] - background.level(at)
        expected = np.log(np.log(independent + 1.0) + 1.0)
        return np.asarray((above - expected) / np.sqrt(background.variance(at) + 0.15))


@dataclass(frozen=True)
class _Background:
    """Power laws: logarithms of their levels at one cycle, slopes, and how sure both are.

    Attributes
    ----------
    offset, slope
        ``(m,)``.
    inverse
        ``(m, 2, 2)`` inverse of the normal equations that both come from.
    spread
        ``(m, 2, 2)`` variances of their right sides.
    """

    offset: FloatArray
    slope: FloatArray
    inverse: FloatArray
    spread: FloatArray

    def level(self, log_cycles: FloatArray) -> FloatArray:
        """Return the logarithm of the power at the logarithm of a frequency each, ``(m,)``."""
        return np.asarray(self.offset - self.slope * log_cycles)

    def variance(self, log_cycles: FloatArray) -> FloatArray:
        """Return the variance of that logarithm ``(m,)``."""
        design = np.stack([np.ones(len(log_cycles)), -log_cycles], axis=1)
        pull = (self.inverse @ design[:, :, None])[:, :, 0]
        return np.asarray(np.einsum("mi,mij,mj->m", pull, self.spread, pull))


def _background(spectrum: _Spectrum, *, leave_out: FloatArray) -> _Background:
    """Fit a power law to each spectrum, leaving out a peak ``(m,)`` and its harmonics."""
    independent = np.arange(OVERSAMPLING - 1, len(spectrum.cycles), OVERSAMPLING)
    independent = np.concatenate([[0], independent])
    at = spectrum.cycles[independent]
    kept = np.abs(at - leave_out[:, None]) > 1.3
    for harmonic in (2, 3):
        fewer = kept & (np.abs(at - harmonic * leave_out[:, None]) > 1.0)
        kept = np.where(fewer.sum(axis=1, keepdims=True) >= 5, fewer, kept)
    weight = kept / np.sqrt(at)
    design = np.stack([np.ones(len(at)), -np.log(at)])
    products = (design[:, None] * design).reshape(4, -1)
    normal = (weight @ products.T).reshape(-1, 2, 2) + np.diag([0.0, 0.3])  # slopes cost a little
    inverse = np.linalg.inv(normal)
    level = weight * (spectrum.height[:, independent] - _MEAN_LOG_EXPONENTIAL)
    right = level @ design.T
    slope = np.clip((inverse[:, 1] * right).sum(axis=1), 0.0, 2.2)
    offset = (right[:, 0] - slope * normal[:, 0, 1]) / normal[:, 0, 0]
    spread = (weight**2 @ products.T).reshape(-1, 2, 2) * _LOG_VARIANCE
    return _Background(offset, slope, inverse, spread)


def _tallest_peak(spectrum: _Spectrum, *, highest: float) -> tuple[FloatArray, FloatArray]:
    """Return the most significant frequencies, in cycles per series, and their scores."""
    cycles = spectrum.cycles
    tried = np.flatnonzero((cycles >= MIN_CYCLES) & (cycles <= highest))
    width = float(cycles[tried[-1]] - cycles[tried[0]])
    looked = spectrum.height[:, tried]
    index = tried[looked.argmax(axis=1)]
    background = _background(spectrum, leave_out=cycles[index])
    score = spectrum.score(index, background, independent=width)
    whitest = tried[(looked + background.slope[:, None] * np.log(cycles[tried])).argmax(axis=1)]
    other = np.flatnonzero(whitest != index)
    if len(other):
        among, at = spectrum.some(other), whitest[other]
        again = among.score(at, _background(among, leave_out=cycles[at]), independent=width)
        better = again > score[other]
        index[other[better]], score[other[better]] = at[better], again[better]
    return cycles[index], score


def _fundamental(shown: _Detrended, peak: FloatArray) -> FloatArray:
    """Return a third or half of each peak's frequency if the series has a clear peak there too.

    The peak itself is subtracted first, so that its side lobes are not taken for one. NaN where
    there is none.
    """
    lower = np.full(len(peak), np.nan)
    angle = 2 * np.pi * peak[:, None] * shown.time
    wave = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], axis=1)
    wave *= shown.known[:, None]
    normal = wave @ wave.transpose(0, 2, 1) + TINY * np.eye(3)
    fitted = np.linalg.solve(normal, wave @ shown.values[:, :, None])
    left = shown.values - (fitted.transpose(0, 2, 1) @ wave)[:, 0]
    spectrum = _Spectrum.of(replace(shown, values=left).filled())
    for divisor in (3, 2):
        near = np.abs(spectrum.cycles - peak[:, None] / divisor) <= 0.4
        rows = np.flatnonzero((peak / divisor >= MIN_CYCLES) & near.any(axis=1) & np.isnan(lower))
        if len(rows) == 0:
            continue
        among = spectrum.some(rows)
        index = np.where(near[rows], among.height, -np.inf).argmax(axis=1)
        at = spectrum.cycles[index]
        score = among.score(index, _background(among, leave_out=at), independent=2.0)
        clear = score >= MIN_SUBHARMONIC_SCORE
        lower[rows[clear]] = at[clear]
    return lower


def _refine(shown: _Detrended, peak: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the least-squares frequency near each peak, and the share of variance explained.

    Frequencies on both sides are tried at once, finer ones around the best of them, and so on; a
    parabola through the last three places it between them.
    """
    count = shown.known.sum(axis=1, keepdims=True)
    length = np.sqrt((shown.time**2).sum(axis=1, keepdims=True))
    offset, trend = shown.known / np.sqrt(count), shown.time / length
    against = np.stack([shown.values, offset, trend], axis=2).astype(np.complex128)
    turn = 2j * np.pi * shown.time

    def explained(tried: FloatArray) -> FloatArray:
        wave = np.empty((*tried.shape, turn.shape[1]), np.complex128)
        wave[:, 0] = np.exp(turn * tried[:, :1]) * shown.known
        onwards = np.exp(turn * (tried[:, 1:2] - tried[:, :1]))
        for column in range(1, tried.shape[1]):
            np.multiply(wave[:, column - 1], onwards, out=wave[:, column])
        shares = wave @ against
        along, straight = shares[..., 0], shares[..., 1:]
        # least squares of both is least squares one by one: what is straight is taken away
        square = np.einsum("mcn,mcn->mc", wave, wave) - (straight**2).sum(axis=2)
        power = count - (straight.real**2 + straight.imag**2).sum(axis=2)
        cosines, sines, mixed = power + square.real, power - square.real, square.imag
        shared = sines * along.real**2 - 2 * mixed * along.real * along.imag
        shared += cosines * along.imag**2
        return np.asarray(2 * shared / np.maximum(cosines * sines - mixed**2, TINY))

    rows = np.arange(len(peak))
    tried = _between(np.maximum(1.0, peak - 0.6), peak + 0.6, REFINED[0])
    height = explained(tried)
    for n in REFINED[1:]:
        best = height.argmax(axis=1)
        last = tried.shape[1] - 1
        around = np.maximum(best - 1, 0), np.minimum(best + 1, last)
        tried = _between(tried[rows, around[0]], tried[rows, around[1]], n)
        height = explained(tried)
    best = height.argmax(axis=1)
    found, top = tried[rows, best], height[rows, best]
    inner = np.flatnonzero((best > 0) & (best < tried.shape[1] - 1))
    left, right = height[inner, best[inner] - 1], height[inner, best[inner] + 1]
    bend = left - 2 * top[inner] + right
    curved = bend < 0
    inner, left, right, bend = inner[curved], left[curved], right[curved], bend[curved]
    found[inner] += 0.5 * (left - right) / bend * (tried[inner, 1] - tried[inner, 0])
    top[inner] -= 0.125 * (left - right) ** 2 / bend
    return found, np.clip(top / count[:, 0], 0.0, 1.0)


def _between(first: FloatArray, last: FloatArray, n: int) -> FloatArray:
    """Return so many evenly spaced numbers from each first to each last, ``(m, n)``."""
    return np.asarray(first[:, None] + (last - first)[:, None] * (np.arange(n) / (n - 1)))
