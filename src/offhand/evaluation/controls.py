"""Clusterings that mean nothing: a score that they win is not evidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhand.evaluation.resampling import members
from offhand.records import IntArray


def random_labels(n: int, n_clusters: int, *, seed: int) -> IntArray:
    """Return uniformly random labels ``(n,)`` of ``n_clusters`` clusters."""
    return np.random.default_rng(seed).integers(0, max(1, n_clusters), n)


def one_cluster(n: int) -> IntArray:
    """Return one label ``(n,)`` for everything."""
    return np.zeros(n, dtype=np.int64)


def clip_identity(clip_id: npt.NDArray[np.str_]) -> IntArray:
    """Return the number of its clip as the label ``(n,)`` of each segment."""
    return np.unique(clip_id, return_inverse=True)[1].astype(np.int64)


def time_blocks(clip_id: npt.NDArray[np.str_], n_blocks: int) -> IntArray:
    """Return which part of its clip, of ``n_blocks`` equal ones, each segment ``(n,)`` lies in."""
    label = np.zeros(len(clip_id), dtype=np.int64)
    for rows in members(np.unique(clip_id, return_inverse=True)[1]):
        label[rows] = np.arange(len(rows)) * n_blocks // len(rows)
    return label
