"""Remedies for fingerprints: what clips differ in as a whole is taken out of a space.

They help where clips differ in look and not in what is done; where clips differ in what is done,
they take that out too. So none is the default, and the score without labels tells (see
:func:`offhand.selection.compare_alignments`).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from offhand.records import FloatArray, IntArray

Alignment = Literal["none", "centre", "covariance"]
"""``centre`` takes each clip's mean out; ``covariance`` makes its spread that of all clips too."""

ALIGNMENTS: tuple[Alignment, ...] = get_args(Alignment)

SHRINKAGE = 4.0
"""Segments that the spread of all clips counts for beside a clip's own."""


def align(space: FloatArray, clip: IntArray, how: Alignment) -> FloatArray:
    """Align the clips in a space.

    Parameters
    ----------
    space
        ``(n, d)``.
    clip
        ``(n,)``.
    how
        The remedy. Correlation alignment is that of Sun et al. (2016, arXiv:1511.05547), with each
        clip's covariance shrunk towards the mean one, as clips may have few segments.

    Returns
    -------
    FloatArray
        ``(n, d)``.
    """
    if how == "none" or not len(space):
        return space
    counts = np.unique(clip, return_counts=True)[1]
    clips = np.split(np.argsort(clip, kind="stable"), counts.cumsum()[:-1])
    centred = np.array(space)
    for own in clips:
        centred[own] -= centred[own].mean(axis=0)
    if how == "centre" or len(clips) < 2:
        return centred
    pooled = centred.T @ centred / len(centred)
    found = np.empty_like(centred)
    root = _power(pooled, 0.5)
    for own in clips:
        rows = centred[own]
        spread = (rows.T @ rows + SHRINKAGE * pooled) / (len(rows) + SHRINKAGE)
        found[own] = rows @ _power(spread, -0.5) @ root
    return found


def _power(covariance: FloatArray, exponent: float) -> FloatArray:
    """Return a power of a symmetric matrix; directions without spread stay without."""
    value, vector = np.linalg.eigh(covariance)
    kept = value > 1e-9 * max(float(value.max(initial=0.0)), 1e-300)
    raised = np.where(kept, np.where(kept, value, 1.0) ** exponent, 0.0)
    return np.asarray((vector * raised) @ vector.T)
