"""How right counts are: bouts against the true blocks of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from offhand.evaluation.truth import Block
from offhand.records import FloatArray

SLACK_S = 0.1
"""How far outside a block a repetition may lie and still be counted in it."""

ANSWERED = 0.5
"""Share of a block that accepted bouts must cover for it to be answered."""


@dataclass(frozen=True, kw_only=True)
class Bout:
    """What a method counts: an interval with repetitions, and how sure it is."""

    start_s: float
    stop_s: float
    rep_times_s: FloatArray
    confidence: float


@dataclass(frozen=True, kw_only=True)
class BlockScore:
    """One block's answer."""

    activity: str
    true: int
    counted: int
    answered: bool
    confidence: float

    @property
    def error(self) -> float:
        """Absolute error relative to the true count."""
        return abs(self.counted - self.true) / self.true


@dataclass(frozen=True, kw_only=True)
class ClipScore:
    """One clip's answers.

    Attributes
    ----------
    blocks
        Those with repetitions.
    matched, counted, true
        Repetitions matched one to one within a third of the period; all counted; all true ones.
    idle_s, idle_counted_s
        Time without repetitions, and how much of it accepted bouts cover.
    """

    blocks: list[BlockScore]
    matched: int
    counted: int
    true: int
    idle_s: float
    idle_counted_s: float


def score(blocks: Sequence[Block], bouts: Sequence[Bout]) -> ClipScore:
    """Compare what was counted in a clip with its blocks."""
    times = np.concatenate([np.empty(0), *(bout.rep_times_s for bout in bouts)])
    scores = []
    matched = true = 0
    idle_s = idle_counted_s = 0.0
    for block in blocks:
        covers = [
            max(0.0, min(block.stop_s, bout.stop_s) - max(block.start_s, bout.start_s))
            for bout in bouts
        ]
        if not len(block.rep_times_s):
            idle_s += block.stop_s - block.start_s
            idle_counted_s += sum(covers)
            continue
        inside = (times >= block.start_s - SLACK_S) & (times <= block.stop_s + SLACK_S)
        main = int(np.argmax(covers)) if covers else -1
        scores.append(
            BlockScore(
                activity=block.activity,
                true=len(block.rep_times_s),
                counted=int(inside.sum()),
                answered=sum(covers) >= ANSWERED * (block.stop_s - block.start_s),
                confidence=bouts[main].confidence if covers else np.nan,
            )
        )
        matched += matches(block.rep_times_s, times[inside], tolerance_s=block.period_s / 3)
        true += len(block.rep_times_s)
    return ClipScore(
        blocks=scores,
        matched=matched,
        counted=len(times),
        true=true,
        idle_s=idle_s,
        idle_counted_s=idle_counted_s,
    )


def matches(true_s: FloatArray, found_s: FloatArray, *, tolerance_s: float) -> int:
    """Return how many times can be matched one to one within a tolerance."""
    if not len(true_s) or not len(found_s):
        return 0
    near = np.abs(true_s[:, None] - found_s[None, :]) <= tolerance_s
    rows, columns = scipy.optimize.linear_sum_assignment(near, maximize=True)
    return int(near[rows, columns].sum())


def calibration_error(confidence: FloatArray, right: FloatArray, *, bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al. 2015) over equal bins of confidence."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (bin_of == number).mean()
        * abs(confidence[bin_of == number].mean() - right[bin_of == number].mean())
        for number in np.unique(bin_of)
    ]
    return float(sum(gaps))
