"""Agreement as action segmentation measures it: clusters matched to activities, one to one.

The match (Kuhn 1955, doi:10.1002/nav.3800020109) is either one for all clips, as in ASOT
(arXiv:2404.01518), or one for each clip, as in TW-FINCH (arXiv:2103.11264); figures of the two
protocols must not be compared. Time that is noise matches nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from offhand.records import BoolArray, IntArray

OVERLAP = 0.5
"""Intersection over union above which a found segment is right."""


@dataclass(frozen=True, kw_only=True)
class MatchScore:
    """Agreement after matching clusters to activities, each in 0..1.

    Attributes
    ----------
    mof
        Share of the instants whose cluster is matched to their activity (mean over frames).
    iou
        Intersection over union of each activity with its cluster, mean over activities.
    f1
        F1 over segments: a run of instants with one activity is found if a run with the matched
        cluster overlaps it by half of their union (Lea et al. 2017, arXiv:1611.05267, F1@50).
    """

    mof: float
    iou: float
    f1: float


def match_globally(
    clip: npt.NDArray[np.str_], label: IntArray, activity: npt.NDArray[np.str_]
) -> MatchScore:
    """Match clusters to activities once for all clips.

    Parameters
    ----------
    clip
        ``(n,)``: clip of each instant; those of a clip in order of time, without gaps.
    label
        ``(n,)``: cluster of each instant, below 0 for noise.
    activity
        ``(n,)``: true activity.
    """
    names, true = np.unique(activity, return_inverse=True)
    found = _matched(label, true)
    runs = _runs(clip, found), _runs(clip, true)
    return _score(found, true, len(names), *_segments(*runs))


def match_by_clip(
    clip: npt.NDArray[np.str_], label: IntArray, activity: npt.NDArray[np.str_]
) -> MatchScore:
    """Match clusters to activities in each clip anew, and average over clips."""
    scores = [
        match_globally(clip[rows], label[rows], activity[rows])
        for rows in (clip == one for one in np.unique(clip))
    ]
    return MatchScore(
        mof=float(np.mean([one.mof for one in scores])),
        iou=float(np.mean([one.iou for one in scores])),
        f1=float(np.mean([one.f1 for one in scores])),
    )


def _matched(label: IntArray, true: IntArray) -> IntArray:
    """Return the matched activity of each instant, -1 for noise and clusters without a match."""
    clusters = np.unique(label[label >= 0])
    if not len(clusters):
        return np.full(len(label), -1)
    shared = np.zeros((len(clusters), int(true.max()) + 1))
    known = label >= 0
    np.add.at(shared, (np.searchsorted(clusters, label[known]), true[known]), 1)
    rows, columns = linear_sum_assignment(-shared)
    number = np.full(len(clusters), -1)
    number[rows] = columns
    found = np.full(len(label), -1)
    found[known] = number[np.searchsorted(clusters, label[known])]
    return found


def _score(
    found: IntArray, true: IntArray, n_activities: int, hits: int, n_found: int, n_true: int
) -> MatchScore:
    right: BoolArray = found == true
    overlaps = [
        (right & (true == one)).sum() / ((found == one) | (true == one)).sum()
        for one in range(n_activities)
    ]
    total = n_found + n_true
    return MatchScore(
        mof=float(right.mean()),
        iou=float(np.mean(overlaps)),
        f1=2 * hits / total if total else 0.0,
    )


def _runs(clip: npt.NDArray[np.str_], value: IntArray) -> list[tuple[int, int, int]]:
    """Return ``(value, first, last)`` of each run inside a clip, ``last`` left out."""
    change = np.flatnonzero((value[1:] != value[:-1]) | (clip[1:] != clip[:-1])) + 1
    edges = [0, *change.tolist(), len(value)]
    return [
        (int(value[first]), first, last)
        for first, last in itertools.pairwise(edges)
        if value[first] >= 0
    ]


def _segments(
    found: list[tuple[int, int, int]], true: list[tuple[int, int, int]]
) -> tuple[int, int, int]:
    """Return runs found right, found, and true; a true run is found once."""
    starts, stops = (np.array([run[at] for run in true], np.int64) for at in (1, 2))
    hits, taken = 0, set()
    for value, first, last in found:
        near = range(
            int(np.searchsorted(stops, first, side="right")), int(np.searchsorted(starts, last))
        )
        for place in near:
            activity, start, stop = true[place]
            shared = min(last, stop) - max(first, start)
            union = max(last, stop) - min(first, start)
            if activity == value and place not in taken and shared > OVERLAP * union:
                taken.add(place)
                hits += 1
                break
    return hits, len(found), len(true)
