"""Which tempo stands out when: the power of a series by tempo and time, against its surroundings.

A continuous wavelet transform with Morlet wavelets (Torrence & Compo 1998,
doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2), each a little over two cycles long, so that a
bout of three cycles shows. What is called prominence here is the logarithm of the power at a tempo
over the mean power of the tempi within about an octave to either side at the same time: it does not
depend on how strongly something moves, only on whether it moves at one tempo.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from offhand.records import FloatArray

PER_OCTAVE = 24
"""Tempi looked at in each octave."""

LOWEST_HZ, HIGHEST_HZ = 0.1, 3.2
"""Range of tempi looked at; a tempo is looked for somewhat inside it."""

WIDTH_CYCLES = 1.2
"""Standard deviation of the wavelet's envelope."""

AT_ONCE = 8
"""Tempi, a third of an octave, that are looked at together."""

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
    usual = (
        scipy.ndimage.median_filter(length, size=int(RUNNING_S * rate_hz) | 1, mode="nearest")
        + 1e-9
    )
    return np.asarray(series * np.minimum(1.0, OUTLIER * usual / (length + 1e-12))[:, None])


def power(series: FloatArray, *, rate_hz: float, together: bool = False) -> FloatArray:
    """Return the power of each component, or of all together, by tempo and time.

    A wavelet reaches as far as its tempo is slow, so slow tempi are padded more than fast ones.
    What it leaves of the spectrum is a narrow band, whose power changes slowly: it is
    computed at as few moments as tell all of it, and filled in between them by Fourier's series,
    which is exact.

    Parameters
    ----------
    series
        ``(n, components)`` without NaN.
    rate_hz
        Samples per second.
    together
        Whether to add up the components.

    Returns
    -------
    FloatArray
        ``(components, tempi, n)``, or ``(1, tempi, n)`` of all together; white noise has the same
        power at every tempo.
    """
    n, wanted = len(series), tempi()
    found = np.empty((1 if together else series.shape[1], len(wanted), n))
    for first in range(0, len(wanted), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        padding = int(8 * WIDTH_CYCLES / wanted[first] * rate_hz)
        spectrum = scipy.fft.fft(series.T, scipy.fft.next_fast_len(n + padding))
        each = _power_at(wanted[some], spectrum, rate_hz=rate_hz, together=together)
        found[:, some] = each[..., :n]
    return found


def _power_at(
    tempo: FloatArray, spectrum: npt.NDArray[np.complex128], *, rate_hz: float, together: bool
) -> FloatArray:
    """Return the power at some tempi, over the whole length of a spectrum ``(components, length)``.

    ``(components or 1, tempi, length)``.
    """
    length = spectrum.shape[1]
    step_hz, width_s = rate_hz / length, (WIDTH_CYCLES / tempo)[:, None]
    reach_hz = REACH / (2 * np.pi * width_s)
    lowest = np.ceil((tempo[:, None] - reach_hz) / step_hz)
    band = lowest + np.arange(int(2 * reach_hz.max() / step_hz) + 1)
    wavelet = np.exp(-0.5 * ((band * step_hz - tempo[:, None]) * 2 * np.pi * width_s) ** 2)
    wavelet[band * step_hz >= rate_hz / 2] = 0.0
    moments = min(scipy.fft.next_fast_len(2 * band.shape[1]), length)
    wave = scipy.fft.ifft(
        spectrum[:, band.astype(np.int64) % length] * wavelet, moments, overwrite_x=True
    )
    found = wave.real**2 + wave.imag**2
    if together:
        found = found.sum(axis=0, keepdims=True)
    if moments < length:
        found = scipy.fft.irfft(scipy.fft.rfft(found), length) * (length / moments)
    return np.asarray(np.maximum(found, 0.0) * ((moments / length) ** 2 * width_s))


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
