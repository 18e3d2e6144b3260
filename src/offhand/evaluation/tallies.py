"""Sums over pairs of segments from counts by clip and cluster: no indicator of every segment.

For labels, what :mod:`offhand.evaluation.concordance` sums over pairs depends on how many segments
of each clip are in each cluster, and on the sums of their vectors there; so memory and time do not
grow with segments times clusters.
"""

from __future__ import annotations

import numpy as np

from offhand.evaluation.resampling import members
from offhand.records import FloatArray, IntArray


def tallied(
    label: IntArray, vectors: FloatArray, clip: IntArray, group: IntArray, *, is_single: bool
) -> tuple[float, float]:
    """Return the norm of labels over pairs, and the sum of their products with vectors.

    Parameters
    ----------
    label
        ``(n,)``; below 0 for noise.
    vectors
        ``(n, d)``, with mean 0 in each clip.
    clip, group
        ``(n,)``: pairs from two groups count, each a set of clips; labels are taken less their mean
        in the clip.
    is_single
        Whether there is one group, whose segments are paired with each other.
    """
    known = label >= 0
    if not known.any():
        return 0.0, 0.0
    names, place = np.unique(label[known], return_inverse=True)
    k, number = len(names), np.unique(clip, return_inverse=True)[1]
    above = np.unique(group, return_inverse=True)[1]
    n_clips, n_groups = int(number.max()) + 1, int(above.max()) + 1
    held = np.bincount(number[known] * k + place, minlength=n_clips * k).reshape(n_clips, k)
    size = np.bincount(number)
    if (held.max(axis=1) == size).all():  # never varies inside a clip, as the clip itself
        return 0.0, 0.0
    share = held / size[:, None]
    whole = np.diag(held.sum(axis=0).astype(np.float64)) - held.T @ share
    total, scale = float((whole**2).sum()), float(np.trace(whole)) ** 2
    cell = above[known] * k + place
    sums = np.stack(
        [np.bincount(cell, one, minlength=n_groups * k) for one in vectors[known].T], axis=-1
    ).reshape(n_groups, k, -1)
    shared = float((sums.sum(axis=0) ** 2).sum())
    if is_single:
        length = (share**2).sum(axis=1)[number]
        length[known] += 1 - 2 * share[number[known], place]
        total -= float((length**2).sum())
        shared -= float(length @ (vectors**2).sum(axis=1))
    else:
        group_of = np.zeros(n_clips, np.int64)
        group_of[number] = above
        for own in members(group_of):
            here = np.flatnonzero(held[own].any(axis=0))  # few clusters occur in one group
            part = held[own][:, here]
            inside = np.diag(part.sum(axis=0).astype(np.float64)) - part.T @ share[own][:, here]
            total -= float((inside**2).sum())
        shared -= float((sums**2).sum())
    return (float(np.sqrt(total)) if total > 1e-12 * scale else 0.0), shared
