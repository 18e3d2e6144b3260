"""Simple estimators of a period: autocorrelation, difference function, Lomb-Scargle periodogram."""

from __future__ import annotations

import numpy as np
import scipy

from offhand.records import FloatArray
from offhand.rhythm.periodicity import MIN_CYCLES, MIN_SAMPLES, OVERSAMPLING


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
