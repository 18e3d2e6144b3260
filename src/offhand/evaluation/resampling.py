"""Parts of the data that show how far a figure would vary: without some clips, and in blocks."""

from __future__ import annotations

import numpy as np

from offhand.records import BoolArray, IntArray

MAX_FOLDS = 10
"""Groups of clips that are left out in turn: each clip alone, up to as many clips."""


def members(number: IntArray) -> list[IntArray]:
    """Return the rows of each value of ``number`` ``(n,)``, in order of value, then of row."""
    counts = np.unique(number, return_counts=True)[1]
    return (
        np.split(np.argsort(number, kind="stable"), np.cumsum(counts)[:-1]) if len(counts) else []
    )


def folds(clip: IntArray) -> list[BoolArray]:
    """Return which rows ``(n,)`` to keep for each group of clips left out; none below 3 clips."""
    clips = np.unique(clip)
    if len(clips) < 3:
        return []
    number = np.arange(len(clips)) % min(MAX_FOLDS, len(clips))
    return [number[np.searchsorted(clips, clip)] != fold for fold in range(int(number.max()) + 1)]


def drawn_blocks(clip: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw blocks of neighbouring segments with replacement, inside each clip.

    Blocks are as long as the root of the clip's number of segments and go round at its end (Politis
    and Romano 1992); each clip keeps its size.

    Returns
    -------
    IntArray
        ``(n,)``: rows, some of them several times.
    """
    drawn = []
    for rows in members(clip):
        length = max(1, round(np.sqrt(len(rows))))
        starts = rng.integers(0, len(rows), -(-len(rows) // length))
        places = (starts[:, None] + np.arange(length)).ravel()[: len(rows)] % len(rows)
        drawn.append(rows[places])
    return np.concatenate(drawn) if drawn else np.empty(0, np.int64)


def whole_clips(clip: IntArray, limit: int, *, seed: int) -> IntArray:
    """Return the rows of as many whole clips as ``limit`` segments allow, at least of two."""
    if len(clip) <= limit:
        return np.arange(len(clip))
    clips, sizes = np.unique(clip, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(clips))
    taken = max(2, int(np.searchsorted(sizes[order].cumsum(), limit, side="right")))
    rows = np.flatnonzero(np.isin(clip, clips[order[:taken]]))
    return rows[:: -(-len(rows) // limit)]
