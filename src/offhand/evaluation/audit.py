"""How often results are wrong, from a stratified sample that a person checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from offhand.records import FloatArray, IntArray

CONFIDENCE = 0.95
"""Confidence level of the interval."""

EACH = 2
"""Items that every stratum has in the sample where there is room: two show how they differ."""


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """What was checked in one part of the population.

    Raises
    ------
    ValueError
        The numbers contradict one another.
    """

    n_population: int
    n_checked: int
    n_wrong: int

    def __post_init__(self) -> None:
        if not 0 <= self.n_wrong <= self.n_checked <= self.n_population:
            raise ValueError(
                f"{self.n_wrong} wrong of {self.n_checked} checked of {self.n_population}: "
                "none of them may be greater than the next, or below 0"
            )


@dataclass(frozen=True, kw_only=True)
class ErrorRate:
    """How often results are wrong.

    Attributes
    ----------
    n_checked, n_wrong
        Items with an answer, and those of them that are wrong.
    n_population
        Items there are, checked or not.
    covered
        Share of the population in strata with at least one answer: what the rate speaks for.
    rate, low, high
        Estimated share of wrong items, and its 95 % interval; NaN where nothing was checked.
    """

    n_checked: int
    n_wrong: int
    n_population: int
    covered: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """How far the audit of one kind of item has come, and what it says.

    Attributes
    ----------
    n_drawn
        Items in the sample.
    n_open, n_stale
        Those without an answer; those that the results no longer hold, which count nowhere else.
    n_cannot_tell
        Those that the person could not judge; they are in no rate.
    error
        How often such an item is wrong.
    """

    n_drawn: int
    n_open: int
    n_stale: int
    n_cannot_tell: int
    error: ErrorRate

    @property
    def cannot_tell(self) -> float:
        """Share of the answers that say so; NaN without answers."""
        n_answers = self.n_cannot_tell + self.error.n_checked
        return self.n_cannot_tell / n_answers if n_answers else math.nan


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What an audit says.

    Attributes
    ----------
    counts
        Counts of repetitions; wrong is one that is off by more than one.
    members
        Segments of clusters; wrong is one that shows another activity than its cluster's exemplar.
    exact, within_one
        Estimated shares of counts that are right, and that are off by one at most; NaN where
        nothing was checked.
    relative_error
        Estimated mean of abs(counted - true) / true, where something repeats; NaN if nowhere.
    """

    counts: Part
    members: Part
    exact: float
    within_one: float
    relative_error: float


def draw(sizes: Sequence[int], n: int, seed: int) -> list[IntArray]:
    """Draw a stratified sample without replacement.

    Each stratum gets one item, then each a second one, then places go in proportion to the sizes
    (by the method of Webster). A larger sample with the same seed holds all of a smaller one.

    Parameters
    ----------
    sizes
        Items in each stratum, at least 1.
    n
        Items to draw; all of them where there are no more.
    seed
        Makes the choice repeatable.

    Returns
    -------
    list of IntArray
        For each stratum the positions drawn, from 0, in the order in which they were drawn.

    Raises
    ------
    ValueError
        A stratum is empty, or there are more strata than items to draw.
    """
    if min(sizes, default=1) < 1:
        raise ValueError(f"strata of {list(sizes)} items: each must have at least one")
    if n < len(sizes):
        raise ValueError(f"{n} items cannot be drawn from {len(sizes)} strata, one of each")
    size = np.asarray(sizes, np.int64)
    taken = np.zeros(len(size), np.int64)
    for _ in range(min(n, int(size.sum()))):
        claim = size / (2 * taken + 1)
        claim[taken == size] = 0.0
        for least in range(EACH):
            if ((taken <= least) & (taken < size)).any():
                claim[taken > least] = 0.0
                break
        taken[int(np.argmax(claim))] += 1
    streams = np.random.default_rng(seed).spawn(len(size))
    return [
        rng.permutation(int(whole))[:part].astype(np.int64)
        for rng, whole, part in zip(streams, size, taken, strict=True)
    ]


def error_rate(strata: Sequence[Stratum]) -> ErrorRate:
    """Estimate how often items are wrong, by stratum, with a 95 % interval.

    The rate weighs strata by their size. The interval is that of Clopper and Pearson
    (doi:10.1093/biomet/26.4.404) for the effective sample size, as Korn and Graubard proposed for
    surveys (Survey Methodology 24, 1998, pages 193 to 201): the size of a simple random sample
    with the variance of this one. It never leaves what is possible, given the items checked, so
    that it has no width where all were.
    """
    n_population = sum(stratum.n_population for stratum in strata)
    used = [stratum for stratum in strata if stratum.n_checked]
    low = high = rate = math.nan
    size, checked, wrong = (
        np.array([getattr(stratum, name) for stratum in used], np.float64)
        for name in ("n_population", "n_checked", "n_wrong")
    )
    if used:
        rate = float(size @ (wrong / checked) / size.sum())
        if np.array_equal(wrong, checked):
            rate = 1.0  # not a rounding error below it
        low, high = clopper_pearson(rate, _effective_size(rate, size, checked, wrong))
        low = max(low, float(wrong.sum() / size.sum()))
        high = min(high, float(1.0 - (checked - wrong).sum() / size.sum()))
        rate = min(max(rate, low), high)
    return ErrorRate(
        n_checked=int(checked.sum()),
        n_wrong=int(wrong.sum()),
        n_population=n_population,
        covered=float(size.sum() / n_population) if n_population else math.nan,
        rate=rate,
        low=low,
        high=high,
    )


def clopper_pearson(rate: float, n: float) -> tuple[float, float]:
    """Return the exact binomial 95 % interval; ``n`` need be no whole number."""
    tail, wrong, right = (1.0 - CONFIDENCE) / 2, rate * n, (1.0 - rate) * n
    if math.isinf(n):
        return rate, rate
    low = float(scipy.special.betaincinv(wrong, right + 1.0, tail)) if rate > 0 else 0.0
    high = float(scipy.special.betaincinv(wrong + 1.0, right, 1.0 - tail)) if rate < 1 else 1.0
    return low, high


def weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the mean of values that each stand for so many items; NaN without any."""
    return float(values @ weights / weights.sum()) if len(values) else math.nan


def _effective_size(rate: float, size: FloatArray, checked: FloatArray, wrong: FloatArray) -> float:
    """Return the size of a simple random sample that tells as much as a stratified one.

    It is never more than it would be with one rate in all strata: strata without a single error
    may be so by chance, and their estimated variance of 0 is not to be relied on.
    """
    n = float(checked.sum())
    weight = size / size.sum()
    unchecked = 1.0 - checked / size
    if rate in (0.0, 1.0):
        return min(n, 1.0 / float((weight**2 / checked).sum()))
    most = float((weight**2 * unchecked / checked).sum())
    if most == 0:
        return math.inf
    share = wrong / checked
    alone = checked < EACH
    simple = rate * (1.0 - rate) / (n - 1)
    spread = np.where(
        alone, simple * n, share * (1.0 - share) * checked / np.maximum(checked - 1.0, 1.0)
    )
    variance = float((weight**2 * unchecked * spread / checked).sum())
    if variance == 0:
        return 1.0 / most
    freedom = max(n - float((~alone).sum()) - float(alone.any()), 1.0)
    tail = (1.0 + CONFIDENCE) / 2
    penalty = float(scipy.special.stdtrit(n - 1, tail) / scipy.special.stdtrit(freedom, tail)) ** 2
    return min(n * simple / variance * penalty, 1.0 / most)
