"""Agreement of clusters and boundaries with ground truth: pure functions.

Ground truth never reaches the pipeline; benchmarks and tests call these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class PairScore:
    """Precision, recall and F1 over pairs of instants from different clips, each in 0..1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class PairCount:
    """Pairs of instants from different clips: of one label, of one activity, and of both."""

    both: float
    predicted: float
    true: float

    def __sub__(self, other: PairCount) -> PairCount:
        return PairCount(
            both=self.both - other.both,
            predicted=self.predicted - other.predicted,
            true=self.true - other.true,
        )

    @property
    def score(self) -> PairScore:
        """Zeros where no pair is predicted, or none is true."""
        return PairScore(
            precision=self.both / self.predicted if self.predicted else 0.0,
            recall=self.both / self.true if self.true else 0.0,
            f1=2 * self.both / (self.predicted + self.true) if self.both else 0.0,
        )


def cross_clip_pairs(
    clip: npt.ArrayLike, label: npt.ArrayLike, activity: npt.ArrayLike
) -> PairScore:
    """Compare clusters with activities over all pairs of instants from different clips.

    Parameters and conventions are those of :func:`count_pairs`.
    """
    return count_pairs(clip, label, activity).score


def count_pairs(clip: npt.ArrayLike, label: npt.ArrayLike, activity: npt.ArrayLike) -> PairCount:
    """Count pairs of instants from different clips.

    A pair is predicted to be alike if both instants have one label that is not noise, and is
    truly alike if both have one activity.

    Parameters
    ----------
    clip
        ``(n,)``: clip of each instant.
    label
        ``(n,)`` int: cluster of each instant, below 0 for noise.
    activity
        ``(n,)``: true activity of each instant.
    """
    table = pd.DataFrame(
        {"clip": np.asarray(clip), "label": np.asarray(label), "activity": np.asarray(activity)}
    )
    kept = table[table["label"] >= 0]
    return PairCount(
        both=_pairs_across(kept, ["label", "activity"]),
        predicted=_pairs_across(kept, ["label"]),
        true=_pairs_across(table, ["activity"]),
    )


def _pairs_across(table: pd.DataFrame, keys: list[str]) -> float:
    """Count the pairs of rows that share the keys and differ in clip."""
    together = table.groupby(keys).size().to_numpy(dtype=np.float64)
    inside = table.groupby([*keys, "clip"]).size().to_numpy(dtype=np.float64)
    return float(((together**2).sum() - (inside**2).sum()) / 2)


@dataclass(frozen=True, kw_only=True)
class BoundaryCount:
    """Boundaries found, true, and matched one to one; add them up over clips before scoring."""

    found: int
    true: int
    matched: int

    def __add__(self, other: BoundaryCount) -> BoundaryCount:
        return BoundaryCount(
            found=self.found + other.found,
            true=self.true + other.true,
            matched=self.matched + other.matched,
        )

    @property
    def precision(self) -> float:
        """Share of the found boundaries that are matched; 0 without any."""
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the true boundaries that are matched; 0 without any."""
        return self.matched / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """F1 in 0..1; 0 where there is nothing to find and nothing found."""
        total = self.found + self.true
        return 2 * self.matched / total if total else 0.0


def match_boundaries(
    found_s: FloatArray, true_s: FloatArray, *, tolerance_s: float
) -> BoundaryCount:
    """Match boundaries one to one, as many as possible within a tolerance.

    Parameters
    ----------
    found_s, true_s
        Times of inner boundaries of one clip, in seconds: leave out the clip's ends.
    tolerance_s
        Largest distance of a match.
    """
    found, true = np.sort(found_s), np.sort(true_s)
    matched = i = j = 0
    while i < len(found) and j < len(true):  # greedy in order of time is optimal on a line
        if abs(found[i] - true[j]) <= tolerance_s:
            matched, i, j = matched + 1, i + 1, j + 1
        elif found[i] < true[j]:
            i += 1
        else:
            j += 1
    return BoundaryCount(found=len(found), true=len(true), matched=matched)
