"""The self-similarity matrix of a stretch: which moments look like which, and how far apart.

Repeated work shows as stripes along the diagonal, one period apart; a change of scene as blocks.
"""

from __future__ import annotations

import numpy as np

from offhand.records import FloatArray, LevelArray

LARGEST = 160
"""Rows and columns of a matrix that is kept; a longer stretch is thinned to them."""


LEVELS = 100
"""What a similarity of 1 is kept as."""


def self_similarity(pictures: FloatArray) -> FloatArray:
    """Return the cosine similarity between all moments of a stretch.

    Parameters
    ----------
    pictures
        ``(n, d)`` descriptions of the moments, such as grey levels or embeddings; a row with NaN
        is unknown. What all moments share is taken off first: the mean of the rows.

    Returns
    -------
    FloatArray
        ``(n, n)`` in -1..1, symmetric; NaN in rows and columns of unknown moments.
    """
    known = ~np.isnan(pictures).any(axis=1)
    if not known.any():
        return np.full((len(pictures),) * 2, np.nan)
    centred = pictures - pictures[known].mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    scale = float(np.sqrt((length[known] ** 2).mean()))
    unit = centred / np.maximum(length, max(1e-6 * scale, 1e-12))
    return np.asarray(np.clip(unit @ unit.T, -1.0, 1.0))


def in_levels(matrix: FloatArray) -> LevelArray:
    """Return a matrix in hundredths, an eighth of its size: int8, unknown ones 0."""
    return np.nan_to_num(matrix * LEVELS).round().astype(np.int8)


def thinned(values: FloatArray, *, largest: int = LARGEST) -> tuple[FloatArray, int]:
    """Return every k-th row, so that at most ``largest`` are left, and k."""
    step = max(1, int(np.ceil(len(values) / largest)))
    return values[::step], step


def diagonal_profile(matrix: FloatArray) -> FloatArray:
    """Return the mean similarity of moments that are 0, 1, ... samples apart.

    Parameters
    ----------
    matrix
        ``(n, n)``, from :func:`self_similarity`.

    Returns
    -------
    FloatArray
        ``(n,)``; NaN where no known moments are that far apart.
    """
    profile = np.full(len(matrix), np.nan)
    for lag in range(len(matrix)):
        diagonal = np.diagonal(matrix, lag)
        known = ~np.isnan(diagonal)
        if known.any():
            profile[lag] = diagonal[known].mean()
    return profile
