"""Concordance: segments of different clips with one label look alike to another modality.

Labels are held against a modality that had no part in them. Over all pairs of segments from
different clips, concordance is the correlation between having one label and being alike in that
modality, both after the means of each clip were taken out. So it is about 0 for labels that mean
nothing, it cannot be raised by telling clips apart, and it is 0 by definition for labels that
never vary inside a clip (one cluster of everything, or the clip itself). Noise is like nothing, and
costs.

Both sides are inner products, so sums over pairs are norms of cross products and cost no more than
one pass over the segments. The coefficient is that of Robert and Escoufier (1976,
doi:10.2307/2347233), over the blocks of two different clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offhand.evaluation.resampling import folds, members
from offhand.evaluation.tallies import tallied
from offhand.records import BoolArray, FloatArray, IntArray

LEAST_RELIABILITY = 0.2
"""A target counts at least as if it were this reliable: dividing by less would amplify noise."""


LEAST_PAIRS = 10
"""Pairs below which nothing is compared; segments alone in their clip make none."""

MAX_INDICATED = 20_000
"""Segments up to which labels are held as indicators; of more, counts by clip and cluster."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Which pairs of segments are compared.

    Attributes
    ----------
    clip
        ``(n,)``: number of each segment's clip; what is constant in a clip is taken out.
    group
        ``(n,)``: number of the clip, or of what stands above it, such as the site; pairs from two
        groups are compared. If there is one group alone, its segments are compared with each other.
    inside
        Whether segments of one group are compared; ``None`` to tell from ``group``.
    """

    clip: IntArray
    group: IntArray
    inside: bool | None = None

    def __post_init__(self) -> None:
        if self.clip.shape != self.group.shape or self.clip.ndim != 1:
            raise ValueError("clip and group must be vectors of one length")

    def at(self, rows: IntArray) -> Pairs:
        """Return the pairs of some of the segments, as if they were all there are."""
        return Pairs(clip=self.clip[rows], group=self.group[rows])

    def among(self, rows: IntArray) -> Pairs:
        """Return those of these pairs that are among some of the segments, perhaps none."""
        return Pairs(clip=self.clip[rows], group=self.group[rows], inside=self.is_single)

    @property
    def is_single(self) -> bool:
        """Whether there is one group alone, whose segments are compared with each other."""
        return len(np.unique(self.group)) < 2 if self.inside is None else self.inside

    @property
    def count(self) -> int:
        """How many pairs are compared; a segment alone in its clip has nothing to differ from."""
        _, place, size = np.unique(self.clip, return_inverse=True, return_counts=True)
        kept = size[place] > 1
        n = int(kept.sum())
        if self.is_single:
            return n * (n - 1) // 2
        inside = np.unique(self.group[kept], return_counts=True)[1]
        return (n**2 - int((inside**2).sum())) // 2

    def centred(self, values: FloatArray) -> FloatArray:
        """Return ``values`` ``(n, d)`` less their mean in each clip."""
        found = np.array(values, np.float64)
        for rows in members(self.clip):
            found[rows] -= found[rows].mean(axis=0)
        return found

    def product(self, one: FloatArray, other: FloatArray) -> FloatArray:
        """Sum products of similarities over the pairs, column by column of the first.

        Parameters
        ----------
        one, other
            ``(n, d)`` and ``(n, e)``; similarity is the inner product of two rows.

        Returns
        -------
        FloatArray
            ``(d,)``: the sum over pairs (i, j) of ``one[i, c] one[j, c] other[i] . other[j]``.
        """
        total = ((one.T @ other) ** 2).sum(axis=1)
        if self.is_single:
            return np.asarray(total - (one**2).T @ (other**2).sum(axis=1))
        for own in members(self.group):
            total -= ((one[own].T @ other[own]) ** 2).sum(axis=1)
        return np.asarray(total)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What labels are held against: how one modality sees the segments.

    Attributes
    ----------
    vectors
        ``(n, d)``: unit vectors less the mean of their clip; zeros where nothing is described.
    described
        ``(n,)``.
    norm
        Root of the sum of squared similarities over the pairs; 0 where nothing can be compared.
    """

    vectors: FloatArray
    described: BoolArray
    norm: float

    def at(self, rows: IntArray, pairs: Pairs) -> Target:
        """Return the target for some of the segments, whose pairs are given."""
        return _target(self.vectors[rows], self.described[rows], pairs)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Labels, and a modality that had no part in them.

    Attributes
    ----------
    label
        ``(n,)``; below 0 for noise.
    target
        The modality.
    reliability
        Of the target, in 0..1.
    """

    label: IntArray
    target: Target
    reliability: float


def make_target(coordinates: FloatArray, described: BoolArray, pairs: Pairs) -> Target:
    """Make a target of a modality's space.

    Parameters
    ----------
    coordinates
        ``(described rows, d)``; components count alike, whatever their spread.
    described
        ``(n,)``.
    pairs
        Which segments are compared.
    """
    full = np.zeros((len(described), max(1, coordinates.shape[1])))
    if len(coordinates):
        deviation = coordinates.std(axis=0)
        white = coordinates / np.where(deviation > 0, deviation, 1.0)
        length = np.linalg.norm(white, axis=1, keepdims=True)
        full[described] = white / np.where(length > 0, length, 1.0)
    return _target(full, described, pairs)


def _target(vectors: FloatArray, described: BoolArray, pairs: Pairs) -> Target:
    rows = np.flatnonzero(described)
    inside = pairs.among(rows)
    full = np.zeros_like(vectors)
    full[rows] = inside.centred(vectors[rows])
    norm = _norm(full[rows], inside) if inside.count >= LEAST_PAIRS else 0.0
    return Target(vectors=full, described=described, norm=norm)


def _norm(values: FloatArray, pairs: Pairs) -> float:
    """Return the root of the sum of squared inner products over the pairs."""
    total = float(((values.T @ values) ** 2).sum())
    if pairs.is_single:
        total -= float(((values**2).sum(axis=1) ** 2).sum())
    else:
        for rows in members(pairs.group):
            total -= float(((values[rows].T @ values[rows]) ** 2).sum())
    scale = float((values**2).sum()) ** 2
    return float(np.sqrt(total)) if total > 1e-12 * scale else 0.0


def one_hot(label: IntArray) -> FloatArray:
    """Return ``(n, clusters)``: 1 in the column of a segment's cluster; noise has none."""
    known = np.unique(label[label >= 0])
    return np.asarray(label[:, None] == known[None, :], np.float64)


def label_norm(label: IntArray, target: Target, pairs: Pairs) -> float:
    """Return the norm of the labels over the pairs that the target describes."""
    rows = np.flatnonzero(target.described)
    inside = pairs.among(rows)
    return _norm(inside.centred(one_hot(label[rows])), inside) if len(rows) else 0.0


def concordance(label: IntArray, target: Target, pairs: Pairs) -> float:
    """Correlate having one label with being alike, over pairs of segments.

    Returns
    -------
    float
        In -1..1; 0 if the labels do not vary inside any clip, NaN if the target has nothing to
        compare.
    """
    if target.norm == 0:
        return float("nan")
    rows = np.flatnonzero(target.described)
    inside = pairs.among(rows)
    if len(rows) > MAX_INDICATED:
        norm, shared = tallied(
            label[rows],
            target.vectors[rows],
            inside.clip,
            inside.group,
            is_single=inside.is_single,
        )
        return shared / (norm * target.norm) if norm else 0.0
    norm = label_norm(label, target, pairs)
    if norm == 0:
        return 0.0
    centred = inside.centred(one_hot(label[rows]))
    shared = float(inside.product(centred, target.vectors[rows]).sum())
    return shared / (norm * target.norm)


def combined(trials: Sequence[Trial], pairs: Pairs) -> float:
    """Return the concordance of labels with what modalities share, from several trials.

    One cause behind all modalities makes the concordance with each of them the product of the
    labels' own and the target's reliability; the best fit of the former is returned.

    Returns
    -------
    float
        About 0 for labels that mean nothing, 1 at best; NaN without a target to compare with.
    """
    found = np.array([concordance(trial.label, trial.target, pairs) for trial in trials])
    weight = np.array([max(trial.reliability, LEAST_RELIABILITY) for trial in trials])
    known = ~np.isnan(found)
    if not known.any():
        return float("nan")
    return float((found[known] * weight[known]).sum() / (weight[known] ** 2).sum())


def part_of(trials: Sequence[Trial], pairs: Pairs, rows: IntArray) -> float:
    """Return the combined concordance in some of the segments, NaN if they are of one group."""
    inside = pairs.at(rows)
    if inside.is_single:
        return float("nan")
    part = [
        replace(trial, label=trial.label[rows], target=trial.target.at(rows, inside))
        for trial in trials
    ]
    return combined(part, inside)


def jackknife_error(trials: Sequence[Trial], pairs: Pairs) -> float:
    """Return the standard error of the combined concordance, from leaving out groups of clips.

    Returns
    -------
    float
        NaN for fewer than three parts.
    """
    parts = [part_of(trials, pairs, np.flatnonzero(kept)) for kept in folds(pairs.group)]
    known = np.array([part for part in parts if not np.isnan(part)])
    n = len(known)
    if n < 3:
        return float("nan")
    return float(np.sqrt((n - 1) / n * ((known - known.mean()) ** 2).sum()))


def agreements(targets: Mapping[str, Target], pairs: Pairs) -> FloatArray:
    """Correlate the similarities that modalities see, over pairs of segments.

    Returns
    -------
    FloatArray
        ``(modalities, modalities)`` in -1..1, 1 on the diagonal; NaN where two share no pair.
    """
    every = list(targets.values())
    found = np.eye(len(every))
    for i, one in enumerate(every):
        for j, other in enumerate(every[:i]):
            found[i, j] = found[j, i] = _agreement(one, other, pairs)
    return found


def _agreement(one: Target, other: Target, pairs: Pairs) -> float:
    rows = np.flatnonzero(one.described & other.described)
    inside = pairs.among(rows)
    first, second = one.at(rows, inside), other.at(rows, inside)
    if first.norm == 0 or second.norm == 0:
        return float("nan")
    shared = float(inside.product(first.vectors, second.vectors).sum())
    return shared / (first.norm * second.norm)


def reliabilities(agreement: FloatArray) -> FloatArray:
    """Tell how much of each modality is what it shares with the others.

    One common factor is fitted to the agreements by least squares, its loadings at least 0 (minres,
    Harman and Jones 1966, doi:10.1007/BF02289468).

    Parameters
    ----------
    agreement
        ``(m, m)``, see :func:`agreements`; below 0 counts as 0, NaN is left out.

    Returns
    -------
    FloatArray
        ``(m,)`` in 0..1: 0 for one that agrees with none, or of which nothing is known.
    """
    known = ~np.isnan(agreement) & ~np.eye(len(agreement), dtype=bool)
    value = np.where(known, np.maximum(np.nan_to_num(agreement), 0.0), 0.0)
    loading = np.full(len(agreement), 0.5)
    for _ in range(300):
        before = loading
        scale = known @ loading**2
        best = np.where(scale > 0, value @ loading / np.where(scale > 0, scale, 1.0), 0.0)
        loading = np.minimum(1.0, np.sqrt(loading * best))  # half the step: no swinging
        if np.abs(loading - before).max(initial=0.0) < 1e-9:
            break
    return np.where(loading < 1e-3, 0.0, loading)
