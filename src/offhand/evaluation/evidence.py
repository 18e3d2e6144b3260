"""Evidence: is a clustering about activities that clips share? One score, its parts, its nulls.

The score is concordance (other modalities confirm the labels across clips: 0 for chance) times the
mean of stability, mixing and structure, each in 0..1. What tells clips apart has no concordance;
what cannot be found again, keeps to one clip, or has no gaps between its clusters is discounted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from offhand.evaluation.concordance import (
    Pairs,
    Trial,
    combined,
    concordance,
    jackknife_error,
    make_target,
    part_of,
)
from offhand.evaluation.density import density_validity
from offhand.evaluation.mixing import Mixing, mixing
from offhand.evaluation.resampling import MAX_FOLDS, drawn_blocks, whole_clips
from offhand.evaluation.shifts import ShiftTest, shift_test
from offhand.evaluation.stability import Stability, stability
from offhand.evaluation.surrogates import phase_scrambled
from offhand.records import BoolArray, FloatArray, IntArray

N_SHIFTS = 499
"""Draws of the null that shifts labels."""

N_SURROGATES = 39
"""Surrogates that are clustered anew."""

MAX_SEGMENTS = 1000
"""Segments that are clustered anew at most: whole clips, drawn at random."""

MAX_SHIFTED = 2000
"""Segments whose labels are shifted at most, likewise."""

BLOCK_DRAWS = 20
"""Draws of blocks for the interval."""

CONFIRMED_P = 0.05
"""Corrected p below which a cluster is confirmed by other modalities."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How much labels say of activities that clips share.

    Attributes
    ----------
    score, low, high
        Concordance times the mean of the parts that are known, and its 95 % interval; NaN where
        no other modality can be compared.
    concordance
        See :func:`offhand.evaluation.concordance.combined`.
    shifts
        Null: labels shifted in time against modalities that had no part in them.
    """

    score: float
    low: float
    high: float
    concordance: float
    shifts: ShiftTest


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The score of a clustering, and what it is made of.

    Attributes
    ----------
    score
        Its score.
    surrogate_z, surrogate_p
        Null: surrogates with the clips' means and covariances, clustered anew; compared is the
        concordance of labels with the space they were found in. NaN where nothing can be compared.
    mixing
        How clips mix in each cluster.
    stability
        Whether parts of the data give the same clusters.
    structure
        Density-based validity in -1..1, NaN below two clusters.
    """

    score: Score
    surrogate_z: float
    surrogate_p: float
    mixing: Mixing
    stability: Stability
    structure: float

    @property
    def parts(self) -> list[float]:
        """What discounts the concordance, each in 0..1 or NaN."""
        return _parts(self.stability, self.mixing, self.structure)


def _parts(stable: Stability, mixed: Mixing, structure: float) -> list[float]:
    return [stable.overall, mixed.overall, (1 + structure) / 2]


def score_labels(
    alternatives: Sequence[Sequence[Trial]],
    chosen: int,
    pairs: Pairs,
    *,
    parts: Sequence[float],
    seed: int,
    with_interval: bool = True,
) -> Score:
    """Score labels against modalities that had no part in them.

    Parameters
    ----------
    alternatives, chosen
        What was tried, and which is reported (see :func:`offhand.evaluation.shifts.shift_test`).
    pairs
        Which segments are compared.
    parts
        What discounts the concordance, each in 0..1; NaN is left out.
    seed
        Seed of shifts and blocks.
    with_interval
        Whether the interval is wanted; it costs most of the time.
    """
    trials = alternatives[chosen]
    found = float(np.clip(combined(trials, pairs), -1.0, 1.0))
    known = [part for part in parts if not np.isnan(part)]
    factor = float(np.mean(known)) if known else 1.0
    half = factor * (_half_width(trials, pairs, found, seed=seed) if with_interval else np.nan)
    return Score(
        score=found * factor,
        low=found * factor - half,
        high=found * factor + half,
        concordance=found,
        shifts=_shift_test(alternatives, chosen, pairs, seed=seed),
    )


def judge(
    alternatives: Sequence[Sequence[Trial]],
    chosen: int,
    pairs: Pairs,
    *,
    space: FloatArray,
    described: BoolArray,
    label: IntArray,
    again: Callable[[FloatArray], IntArray],
    seed: int,
) -> Evidence:
    """Collect the evidence for a clustering.

    Parameters
    ----------
    alternatives, chosen, pairs
        See :func:`score_labels`.
    space, described
        What was clustered, ``(described rows, d)`` and ``(n,)``.
    label
        ``(n,)``: the clustering.
    again
        Clusters a space in the same way, with the same number of clusters.
    seed
        Seed of everything drawn.
    """
    rows = np.flatnonzero(described)
    own, inside = label[rows], pairs.among(rows)
    sample = whole_clips(inside.clip, MAX_SEGMENTS, seed=seed)
    part, part_pairs = space[sample], inside.among(sample)
    whole = len(sample) == len(rows)
    reference = own if whole else (again(part) if len(part) else own[sample])
    mixed = mixing(space, own, inside.group, seed=seed)
    stable = stability(lambda some: again(part[some]), reference, part_pairs.clip, seed=seed)
    structure = density_validity(space, own)
    z, p = _surrogate_test(part, reference, part_pairs, again, seed=seed)
    parts = _parts(stable, mixed, structure)
    return Evidence(
        score=score_labels(alternatives, chosen, pairs, parts=parts, seed=seed),
        surrogate_z=z,
        surrogate_p=p,
        mixing=mixed,
        stability=stable,
        structure=structure,
    )


def _shift_test(
    alternatives: Sequence[Sequence[Trial]], chosen: int, pairs: Pairs, *, seed: int
) -> ShiftTest:
    """Test labels in all segments, or in as many whole clips as ``MAX_SHIFTED`` allow."""
    rows = whole_clips(pairs.clip, MAX_SHIFTED, seed=seed)
    if len(rows) < len(pairs.clip):
        inside = pairs.among(rows)
        targets = [trial.target.at(rows, inside) for trial in alternatives[chosen]]
        alternatives = [
            [
                replace(trial, label=trial.label[rows], target=target)
                for trial, target in zip(trials, targets, strict=True)
            ]
            for trials in alternatives
        ]
        pairs = inside
    return shift_test(alternatives, chosen, pairs, n_draws=N_SHIFTS, seed=seed)


def _half_width(trials: Sequence[Trial], pairs: Pairs, found: float, *, seed: int) -> float:
    """Return half the 95 % interval of a combined concordance; NaN where it cannot be known.

    The standard error is the larger of two: leaving out groups of clips (jackknife), and blocks of
    segments drawn inside each clip (bootstrap; twins of one clip are no pair). With two clips the
    second alone is known.
    """
    if np.isnan(found) or pairs.is_single:
        return float("nan")
    jackknife = jackknife_error(trials, pairs)
    rng = np.random.default_rng(seed)
    blocks = [part_of(trials, pairs, drawn_blocks(pairs.clip, rng)) for _ in range(BLOCK_DRAWS)]
    known = np.array([block for block in blocks if not np.isnan(block)])
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    if np.isnan(jackknife) or spread > jackknife:
        return float(spread * scipy.stats.t.ppf(0.975, BLOCK_DRAWS - 1))
    return float(
        jackknife * scipy.stats.t.ppf(0.975, min(MAX_FOLDS, len(np.unique(pairs.group))) - 1)
    )


def _surrogate_test(
    space: FloatArray,
    label: IntArray,
    pairs: Pairs,
    again: Callable[[FloatArray], IntArray],
    *,
    seed: int,
) -> tuple[float, float]:
    """Return z and p of the clusters' concordance with their own space, among surrogates."""

    def own_concordance(coordinates: FloatArray, found: IntArray) -> float:
        every = np.ones(len(coordinates), dtype=bool)
        return concordance(found, make_target(coordinates, every, pairs), pairs)

    if len(space) == 0 or not (label >= 0).any():
        return float("nan"), float("nan")
    observed = own_concordance(space, label)
    null = []
    for draw in range(N_SURROGATES):
        surrogate = phase_scrambled(space, pairs.clip, seed=seed + draw)
        null.append(own_concordance(surrogate, again(surrogate)))
    values = np.array(null)
    if np.isnan(observed) or np.isnan(values).any():
        return float("nan"), float("nan")
    spread = float(values.std())
    z = float((observed - values.mean()) / spread) if spread > 0 else 0.0
    return z, float((values >= observed).sum() + 1) / (N_SURROGATES + 1)
