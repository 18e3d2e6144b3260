"""Fingerprinting: how well a segment's coordinates tell its clip on held-out stretches of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from offhand.evaluation.coverage import LEVEL, binomial_interval
from offhand.records import FloatArray, IntArray

GAP = 10
"""Segments left out between two stretches of a clip; fewer where the clip is short."""

MAX_ROWS = 20_000
"""About how many segments are used, all clips together; stretches are thinned evenly to it."""

_MIN_ROWS = 2
_PREDICTED_AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """How well the clip is told.

    Attributes
    ----------
    accuracy, low, high
        Share of held-out segments whose clip is told, averaged over clips, 0..1, and its 95 %
        interval; NaN with fewer than two clips that are long enough.
    accuracy_centred, low_centred, high_centred
        The same after the mean of each stretch is removed: what tells the clip beside its mean.
    chance
        What guessing reaches: one over the number of clips.
    n_clips, n_tested
        Clips that are long enough, and their segments that were told apart.
    """

    accuracy: float
    low: float
    high: float
    accuracy_centred: float
    low_centred: float
    high_centred: float
    chance: float
    n_clips: int
    n_tested: int


def fingerprint(
    space: FloatArray, clip_id: npt.NDArray[np.str_], *, n_stretches: int = 2
) -> Fingerprint:
    """Measure how well coordinates predict the clip, on stretches of time held out.

    Each clip is cut into contiguous stretches (:func:`stretches`). A shrunken linear discriminant
    (Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4) with equal priors learns on all
    stretches but one, and tells the clip of the segments in that one; each is held out in turn.

    It sees the standardised coordinates and their absolute values. Without the latter nothing
    linear could tell clips once stretches are centred, as all means are then zero: the figure would
    be chance by construction, also where clips differ in how far they spread. Each stretch is
    centred on its own mean; with the whole clip's, one half would be the mirror of the other and
    the clip told less often than by chance. Centring shrinks a short stretch more than a long one;
    that is undone, as it would tell long clips from short ones.

    The interval is the exact binomial one for the effective number of draws that the spread between
    clips gives (Korn and Graubard 1998, Survey Methodology 24, 193-201), never fewer than the clips
    and never more than the segments.

    Parameters
    ----------
    space
        Coordinates ``(n, d)``, finite; the rows of a clip in order of time.
    clip_id
        ``(n,)``.
    n_stretches
        Stretches a clip is cut into, from 2 up.

    Raises
    ------
    ValueError
        The lengths differ, a coordinate is not finite, or there are fewer than two stretches.
    """
    if space.ndim != 2 or len(space) != len(clip_id):
        raise ValueError(f"space has shape {space.shape}, must be ({len(clip_id)}, d)")
    if not np.isfinite(space).all():
        raise ValueError("coordinates must be finite")
    stretch = stretches(clip_id, n_stretches=n_stretches)
    used = stretch >= 0
    names, clip = np.unique(clip_id[used], return_inverse=True)
    space, stretch, n_clips = space[used], stretch[used], len(names)
    if n_clips < 2 or not space.shape[1]:
        nan = math.nan
        return Fingerprint(
            accuracy=nan,
            low=nan,
            high=nan,
            accuracy_centred=nan,
            low_centred=nan,
            high_centred=nan,
            chance=1 / n_clips if n_clips else nan,
            n_clips=n_clips,
            n_tested=0,
        )
    accuracy, low, high = _score(_told(space, clip, stretch), clip)
    centred = _centred(space, clip * n_stretches + stretch)
    accuracy_centred, low_centred, high_centred = _score(_told(centred, clip, stretch), clip)
    return Fingerprint(
        accuracy=accuracy,
        low=low,
        high=high,
        accuracy_centred=accuracy_centred,
        low_centred=low_centred,
        high_centred=high_centred,
        chance=1 / n_clips,
        n_clips=n_clips,
        n_tested=len(clip),
    )


def stretches(clip_id: npt.NDArray[np.str_], *, n_stretches: int = 2) -> IntArray:
    """Cut the segments of each clip into contiguous stretches of about one length.

    Between two stretches :data:`GAP` segments are left out, or where the clip is short as many as a
    stretch would need at least: with two stretches, a fifth of the clip. A clip that has less than
    two segments a stretch and one a gap is left out: with two stretches, one of four segments or
    fewer. Where there are more than about :data:`MAX_ROWS` segments, every clip's stretch gets an
    equal part of that number, its segments evenly spaced.

    Returns
    -------
    IntArray
        ``(n,)``: stretch of each segment from 0, -1 where it is left out.

    Raises
    ------
    ValueError
        There are fewer than two stretches.
    """
    if n_stretches < 2:
        raise ValueError(f"n_stretches is {n_stretches}, must be at least 2")
    names, clip = np.unique(clip_id, return_inverse=True)
    order = np.argsort(clip, kind="stable")
    by_clip = np.split(order, np.cumsum(np.bincount(clip, minlength=len(names)))[:-1])
    most = max(_MIN_ROWS, MAX_ROWS // max(1, n_stretches * len(names)))
    least = _MIN_ROWS * n_stretches + n_stretches - 1
    found = np.full(len(clip_id), -1, dtype=np.int64)
    for rows in by_clip:
        if len(rows) < least:
            continue
        gap = min(GAP, len(rows) // least)
        kept = len(rows) - gap * (n_stretches - 1)
        for number in range(n_stretches):
            start, stop = (kept * edge // n_stretches for edge in (number, number + 1))
            part = rows[gap * number :][start:stop]
            if len(part) > most:
                part = part[np.linspace(0, len(part) - 1, most).round().astype(np.int64)]
            found[part] = number
    return found


def _centred(space: FloatArray, group: IntArray) -> FloatArray:
    """Remove each group's mean; its expected spread does not depend on the group's size."""
    _, group, size = np.unique(group, return_inverse=True, return_counts=True)
    total = np.zeros((len(size), space.shape[1]))
    np.add.at(total, group, space)
    grown = np.sqrt(size / np.maximum(size - 1, 1))
    centred: FloatArray = (space - (total / size[:, None])[group]) * grown[group, None]
    return centred


def _told(space: FloatArray, clip: IntArray, stretch: IntArray) -> FloatArray:
    """Return 1 for each segment whose clip is told when its stretch is held out, else 0."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # takes a second to import

    n_clips = int(clip.max()) + 1
    told = np.zeros(len(clip))
    for number in np.unique(stretch):
        known, asked = stretch != number, np.flatnonzero(stretch == number)
        mean, spread = space[known].mean(axis=0), space[known].std(axis=0)
        scaled = (space - mean) / np.where(spread > 1e-9 * np.abs(space).max(), spread, 1.0)
        seen = np.hstack([scaled, np.abs(scaled)])
        model = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(n_clips, 1 / n_clips)
        ).fit(seen[known], clip[known])
        for start in range(0, len(asked), _PREDICTED_AT_ONCE):
            rows = asked[start : start + _PREDICTED_AT_ONCE]
            told[rows] = model.predict(seen[rows]) == clip[rows]
    return told


def _score(told: FloatArray, clip: IntArray) -> tuple[float, float, float]:
    """Return the mean over clips of the share that is told, and its interval."""
    recall = np.bincount(clip, weights=told) / np.bincount(clip)
    n_clips, share = len(recall), float(recall.mean())
    variance = float(recall.var(ddof=1)) / n_clips
    draws = float(len(told)) if 0 < share < 1 else float(n_clips)
    if variance > 0:
        tail = (1 + LEVEL) / 2
        few = scipy.stats.t.ppf(tail, len(told) - 1) / scipy.stats.t.ppf(tail, n_clips - 1)
        draws = float(np.clip(share * (1 - share) / variance * few**2, n_clips, len(told)))
    return share, *binomial_interval(share, draws)
