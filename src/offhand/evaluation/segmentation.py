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
import scipy

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
        F1 of each activity and its cluster over instants, mean over activities, as in TW-FINCH.
    block_f1
        F1 of ASOT's published code: a true block is hit if more than half of it has the matched
        cluster (all of its instants are looked at, where that code draws 15); recall is the share
        of blocks hit, precision the hits over clips times activities, so it can exceed 1 where an
        activity comes back within a clip.
    segment_f1
        F1 over segments: a true block is found if a run with the matched cluster overlaps it by
        half of their union (F1@50, Lea et al. 2017, arXiv:1611.05267).
    """

    mof: float
    iou: float
    f1: float
    block_f1: float
    segment_f1: float


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
    blocks, n_clips = _runs(clip, true), len(np.unique(clip))
    hits, n_found, n_true = _segments(_runs(clip, found), blocks)
    hit_blocks = sum(
        2 * (found[first:last] == value).sum() > last - first for value, first, last in blocks
    )
    mof, iou, f1 = _over_instants(found, true, len(names))
    return MatchScore(
        mof=mof,
        iou=iou,
        f1=f1,
        block_f1=float(2 * hit_blocks / (n_clips * len(names) + n_true)),
        segment_f1=2 * hits / (n_found + n_true) if n_found + n_true else 0.0,
    )


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
        block_f1=float(np.mean([one.block_f1 for one in scores])),
        segment_f1=float(np.mean([one.segment_f1 for one in scores])),
    )


def _matched(label: IntArray, true: IntArray) -> IntArray:
    """Return the matched activity of each instant, -1 for noise and clusters without a match."""
    clusters = np.unique(label[label >= 0])
    if not len(clusters):
        return np.full(len(label), -1)
    shared = np.zeros((len(clusters), int(true.max()) + 1))
    known = label >= 0
    np.add.at(shared, (np.searchsorted(clusters, label[known]), true[known]), 1)
    rows, columns = scipy.optimize.linear_sum_assignment(-shared)
    number = np.full(len(clusters), -1)
    number[rows] = columns
    found = np.full(len(label), -1)
    found[known] = number[np.searchsorted(clusters, label[known])]
    return found


def _over_instants(
    found: IntArray, true: IntArray, n_activities: int
) -> tuple[float, float, float]:
    """Return MoF, and the means of IoU and F1 over activities."""
    right: BoolArray = found == true
    hits = np.bincount(true[right], minlength=n_activities)
    n_found = np.bincount(found[found >= 0], minlength=n_activities)
    n_true = np.bincount(true, minlength=n_activities)
    total = n_found + n_true
    iou, f1 = hits / (total - hits), 2 * hits / total
    return float(right.mean()), float(iou.mean()), float(f1.mean())


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
