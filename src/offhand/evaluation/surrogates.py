"""Surrogates: segments as they might be if a clip had its look and its pace, but no activities."""

from __future__ import annotations

import numpy as np

from offhand.evaluation.resampling import members
from offhand.records import FloatArray, IntArray


def phase_scrambled(coordinates: FloatArray, clip: IntArray, *, seed: int) -> FloatArray:
    """Scramble the order in time and the shape of each clip's cloud of segments.

    The Fourier phases of each clip's sequence of segments are drawn anew, the same for all columns
    (Prichard and Theiler 1994, doi:10.1103/PhysRevLett.73.951). Kept are each clip's mean, the
    covariance of its columns and their autocorrelation; lost is whether its segments lie in
    clusters, and whether other clips have the same ones.

    Parameters
    ----------
    coordinates
        ``(n, d)``, the rows of a clip in order of time.
    clip
        ``(n,)``.
    seed
        Seed of the phases.

    Returns
    -------
    FloatArray
        ``(n, d)``.
    """
    rng = np.random.default_rng(seed)
    found = np.empty_like(coordinates)
    for rows in members(clip):
        spectrum = np.fft.rfft(coordinates[rows], axis=0)
        turn = np.exp(2j * np.pi * rng.random(len(spectrum)))
        turn[0] = 1.0
        if len(rows) % 2 == 0:
            turn[-1] = rng.choice([-1.0, 1.0])  # the highest frequency has no phase, only a sign
        found[rows] = np.fft.irfft(spectrum * turn[:, None], len(rows), axis=0)
    return found
