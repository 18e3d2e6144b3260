"""Fingerprint probe: whether features tell which clip a segment comes from.

A clip's segments are cut in two stretches of time. A classifier learns the clips on one and is
asked on the other, and the other way round, with a gap between, as neighbours are alike in any
case. A modality that knows the clip, and still does with the mean of each stretch taken out, will
find clusters that are one clip's alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from offhand.records import BoolArray, FloatArray, IntArray

GAP_SHARE = 0.1
"""Share of a clip's segments left out between its stretches, at least one segment."""

LEAST_STRETCH = 2
"""Segments that each of both stretches of a clip must have."""

MAX_SEGMENTS = 20_000
"""Segments used at most: of more clips than these allow, evenly chosen ones."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How well the clip is told, as a mean over clips of the share of segments told right.

    Attributes
    ----------
    accuracy, low, high
        With its 95 % interval over clips; NaN with fewer than two usable clips.
    centred, centred_low, centred_high
        The same with the mean of each stretch taken out.
    chance
        One over the number of clips.
    n_clips
        Clips that were long enough.
    """

    accuracy: float
    low: float
    high: float
    centred: float
    centred_low: float
    centred_high: float
    chance: float
    n_clips: int


def fingerprint_probe(space: FloatArray, clip: IntArray) -> Probe:
    """Predict each segment's clip from segments of another time.

    The classifier is linear discriminant analysis with a shrunk covariance (Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4) and equal priors.

    Parameters
    ----------
    space
        ``(n, d)``, the rows of a clip in order of time.
    clip
        ``(n,)``.
    """
    stretch = _stretches(clip)
    clips = np.unique(clip[stretch >= 0])
    if len(clips) < 2:
        nan = float("nan")
        return Probe(
            accuracy=nan,
            low=nan,
            high=nan,
            centred=nan,
            centred_low=nan,
            centred_high=nan,
            chance=nan,
            n_clips=len(clips),
        )
    plain = _interval(_told(space, clip, stretch, clips))
    centred = _interval(_told(_centred(space, clip, stretch), clip, stretch, clips))
    return Probe(
        accuracy=plain[0],
        low=plain[1],
        high=plain[2],
        centred=centred[0],
        centred_low=centred[1],
        centred_high=centred[2],
        chance=1 / len(clips),
        n_clips=len(clips),
    )


def _stretches(clip: IntArray) -> IntArray:
    """Return the stretch, 0 or 1, of each segment ``(n,)``; -1 in gaps and in unused clips."""
    found = np.full(len(clip), -1, dtype=np.int64)
    clips = np.unique(clip)
    step = -(-len(clip) // MAX_SEGMENTS) if len(clip) else 1
    for number in clips[::step]:
        rows = np.flatnonzero(clip == number)
        gap = max(1, round(GAP_SHARE * len(rows)))
        first = (len(rows) - gap) // 2
        if first < LEAST_STRETCH:
            continue
        found[rows[:first]] = 0
        found[rows[first + gap :]] = 1
    return found


def _centred(space: FloatArray, clip: IntArray, stretch: IntArray) -> FloatArray:
    """Take the mean of each stretch out: that of the whole clip would tell the other's."""
    found = space.copy()
    for number in np.unique(clip):
        for part in (0, 1):
            rows = (clip == number) & (stretch == part)
            if rows.any():
                found[rows] -= found[rows].mean(axis=0)
    return found


def _told(space: FloatArray, clip: IntArray, stretch: IntArray, clips: IntArray) -> FloatArray:
    """Return for each clip the share of its segments told right."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # takes a second

    right: BoolArray = np.zeros(len(clip), dtype=bool)
    for part in (0, 1):
        train, test = stretch == part, stretch == 1 - part
        model = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(len(clips), 1 / len(clips))
        )
        model.fit(space[train], clip[train])
        right[test] = model.predict(space[test]) == clip[test]
    return np.array([right[(clip == number) & (stretch >= 0)].mean() for number in clips])


def _interval(told: FloatArray) -> tuple[float, float, float]:
    """Return the mean over clips and its 95 % interval, within 0..1."""
    mean = float(told.mean())
    half = float(student_t.ppf(0.975, len(told) - 1) * told.std(ddof=1) / np.sqrt(len(told)))
    return mean, max(0.0, mean - half), min(1.0, mean + half)
