"""Which tempo stands out when: the power of a series by tempo and time, against its surroundings.

A continuous wavelet transform with Morlet wavelets (Torrence & Compo 1998,
doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2), each a little over two cycles long, so that a
bout of three cycles shows. What is called prominence here is the logarithm of the power at a tempo
over the mean power of the tempi within about an octave to either side at the same time: it does not
depend on how strongly something moves, only on whether it moves at one tempo.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import fft, ifft, next_fast_len
from scipy.ndimage import median_filter

from offhand.records import FloatArray

PER_OCTAVE = 24
"""Tempi looked at in each octave."""

LOWEST_HZ, HIGHEST_HZ = 0.1, 3.2
"""Range of tempi looked at; a tempo is looked for somewhat inside it."""

WIDTH_CYCLES = 1.2
"""Standard deviation of the wavelet's envelope."""

REACH = 9.0
"""Standard deviations around a tempo beyond which its wavelet is zero: there it is below 1e-17."""

SURROUNDINGS_OCTAVES = 1.15
"""How far to either side of a tempo its surroundings reach."""

FLOOR = -0.7
"""Lowest prominence: a quiet tempo is no evidence against another witness."""

OUTLIER = 2.5
"""Samples longer than this many running medians are shortened to it."""

RUNNING_S = 8.0
"""Window of the running median."""


def tempi() -> FloatArray:
    """Return the tempi looked at, in cycles per second, rising."""
    low, high = np.log2(LOWEST_HZ) * PER_OCTAVE, np.log2(HIGHEST_HZ) * PER_OCTAVE
    return np.asarray(2.0 ** (np.arange(low, high) / PER_OCTAVE))


def tamed(series: FloatArray, *, rate_hz: float) -> FloatArray:
    """Return a vector series with outliers shortened, such as those of a turn of the head.

    Parameters
    ----------
    series
        ``(n, components)`` without NaN.
    rate_hz
        Samples per second.
    """
    length = np.linalg.norm(series, axis=1)
    usual = median_filter(length, size=int(RUNNING_S * rate_hz) | 1, mode="nearest") + 1e-9
    return np.asarray(series * np.minimum(1.0, OUTLIER * usual / (length + 1e-12))[:, None])


def power(series: FloatArray, *, rate_hz: float) -> FloatArray:
    """Return the power of each component by tempo and time.

    Parameters
    ----------
    series
        ``(n, components)`` without NaN.
    rate_hz
        Samples per second.

    Returns
    -------
    FloatArray
        ``(components, tempi, n)``; white noise has the same power at every tempo.
    """
    n = len(series)
    wanted = tempi()
    length = next_fast_len(n + int(8 * WIDTH_CYCLES / wanted[0] * rate_hz))
    spectrum, step_hz = fft(series.T, length), rate_hz / length
    found = np.empty((series.shape[1], len(wanted), n))
    for index, tempo in enumerate(wanted.tolist()):
        width_s = WIDTH_CYCLES / tempo
        reach_hz = REACH / (2 * np.pi * width_s)
        low_hz, high_hz = tempo - reach_hz, min(tempo + reach_hz, rate_hz / 2)
        band = np.arange(np.ceil(low_hz / step_hz), high_hz / step_hz)
        wavelet = np.exp(-0.5 * ((band * step_hz - tempo) * 2 * np.pi * width_s) ** 2)
        bins = band.astype(np.int64) % length
        shaped = np.zeros_like(spectrum)
        shaped[:, bins] = spectrum[:, bins] * wavelet
        wave = ifft(shaped, overwrite_x=True)[:, :n]
        found[:, index] = (wave.real**2 + wave.imag**2) * width_s
    return found


def prominence(found: FloatArray) -> FloatArray:
    """Return how far each tempo stands out of its surroundings.

    Parameters
    ----------
    found
        ``(..., tempi, n)``, from :func:`power`.

    Returns
    -------
    FloatArray
        ``(..., tempi, n)``: about 0 in noise, 1.9 for a pure tone, ``FLOOR`` at the least.
    """
    count, reach = found.shape[-2], int(SURROUNDINGS_OCTAVES * PER_OCTAVE)
    total = np.concatenate([np.zeros_like(found[..., :1, :]), found.cumsum(axis=-2)], axis=-2)
    first = np.maximum(np.arange(count) - reach, 0)
    last = np.minimum(np.arange(count) + reach + 1, count)
    around = (total[..., last, :] - total[..., first, :]) / (last - first)[:, None]
    return np.asarray(np.maximum(np.log((found + 1e-12) / (around + 1e-12)), FLOOR))
