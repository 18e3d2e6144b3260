"""How much a series moves at each tempo: power in bands of frequency."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy

from offhand.records import FloatArray

FLOOR = 1e-7
"""Power density added before taking the logarithm: the level of measurement noise."""

ENVELOPE_FLOOR = 1e-4
"""Amplitude added before taking the logarithm: the level of measurement noise."""


def band_edges(low_hz: float, high_hz: float, n_bands: int) -> FloatArray:
    """Return ``(n_bands + 1,)`` edges of bands that are equally wide on a logarithmic scale."""
    return np.geomspace(low_hz, high_hz, n_bands + 1)


def log_band_power(
    series: FloatArray, edges_hz: FloatArray, *, rate_hz: float, highest_hz: float
) -> FloatArray:
    """Return the logarithm of the mean power density of a series in bands of frequency.

    The series is centred and Hann-tapered; the density is the two-sided one of Welch's
    method with a single window.

    Parameters
    ----------
    series
        ``(n,)``; NaN samples are left out.
    edges_hz
        ``(bands + 1,)`` edges of the bands.
    rate_hz
        Samples per second.
    highest_hz
        Highest frequency that the source of the series resolves: half its own sampling rate.

    Returns
    -------
    FloatArray
        ``(bands,)`` natural logarithm of power per Hz; NaN for bands that reach above
        ``highest_hz``, and for all where fewer than 8 samples, or fewer than half, are known.
    """
    bands = np.full(len(edges_hz) - 1, np.nan)
    known = ~np.isnan(series)
    if known.sum() < 8 or known.sum() < len(series) / 2:
        return bands
    taper = np.hanning(len(series) + 2)[1:-1] * known
    centred = np.where(known, series - series[known].mean(), 0.0)
    length = max(1024, 1 << (len(series) - 1).bit_length())
    power = np.abs(np.fft.rfft(centred * taper, length)) ** 2 / (taper**2).sum() / rate_hz
    frequency = np.fft.rfftfreq(length, 1 / rate_hz)
    for band, (low, high) in enumerate(pairwise(edges_hz)):
        inside = (frequency >= low) & (frequency < high)
        if inside.any() and high <= highest_hz:
            bands[band] = np.log(power[inside].mean() + FLOOR)
    return bands


def log_band_envelopes(
    series: FloatArray, edges_hz: FloatArray, *, rate_hz: float, smooth_s: float
) -> FloatArray:
    """Return how strongly a series moves in each band around each moment.

    The logarithm is averaged over time, not the power: averaging the power first would let the
    strong side of a change spread over the weak side, and the change would seem to lie there.

    Parameters
    ----------
    series
        ``(n,)`` without NaN.
    edges_hz
        ``(bands + 1,)`` edges of the bands; the last must lie below half the rate.
    rate_hz
        Samples per second.
    smooth_s
        Standard deviation of the Gaussian average over time.

    Returns
    -------
    FloatArray
        ``(n, bands)`` natural logarithm of the amplitude in the series' unit.
    """
    columns = []
    for low, high in pairwise(edges_hz):
        sections = _bandpass(float(low), float(high), rate_hz)
        pad = min(len(series) - 1, int(3 * rate_hz / low))
        amplitude = np.abs(
            scipy.signal.hilbert(scipy.signal.sosfiltfilt(sections, series, padlen=pad))
        )
        columns.append(
            scipy.ndimage.gaussian_filter1d(np.log(amplitude + ENVELOPE_FLOOR), smooth_s * rate_hz)
        )
    return np.column_stack(columns)


@lru_cache
def _bandpass(low_hz: float, high_hz: float, rate_hz: float) -> FloatArray:
    """Return a filter as second-order sections; designing one takes longer than using it."""
    sections = scipy.signal.butter(2, [low_hz, high_hz], "bandpass", fs=rate_hz, output="sos")
    return np.asarray(sections, np.float64)
