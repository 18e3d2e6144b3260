"""The null of concordance: labels shifted in time, inside each clip, against another modality.

What is tested: that the segments which share a label, and not their neighbours in time, are those
that another modality finds alike across clips. A shift goes round in a circle by a random number of
segments, one for each clip, the same for all targets. It keeps how often each cluster comes in each
clip, and how long it lasts; so neither telling clips apart nor slow change can be significant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offhand.evaluation.concordance import (
    LEAST_RELIABILITY,
    Pairs,
    Target,
    Trial,
    label_norm,
    one_hot,
)
from offhand.evaluation.resampling import members
from offhand.records import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class ShiftTest:
    """How far a concordance lies above what shifted labels reach.

    Attributes
    ----------
    z
        Standard deviations above the mean of the null; 0 where shifts change nothing, NaN where
        nothing can be compared.
    p
        One-sided: share of draws, the labels themselves among them, that reach as much; NaN as z.
    cluster
        ``(k,)``: labels of the clusters.
    cluster_z, cluster_p
        ``(k,)``: the same for each cluster, not corrected for their number.
    """

    z: float
    p: float
    cluster: IntArray
    cluster_z: FloatArray
    cluster_p: FloatArray


def shift_test(
    alternatives: Sequence[Sequence[Trial]], chosen: int, pairs: Pairs, *, n_draws: int, seed: int
) -> ShiftTest:
    """Test labels that were chosen among alternatives by their concordance.

    Parameters
    ----------
    alternatives
        The trials of each labelling that was tried. Every draw takes the best of them too, so that
        p allows for the choice.
    chosen
        Index of the labelling that is reported.
    pairs
        Which segments are compared.
    n_draws
        Draws of shifts.
    seed
        Seed of the draws.
    """
    cluster = _clusters(alternatives[chosen])
    nothing = np.full(len(cluster), np.nan)
    if not any(trial.target.norm > 0 for trial in alternatives[chosen]):
        return ShiftTest(z=np.nan, p=np.nan, cluster=cluster, cluster_z=nothing, cluster_p=nothing)
    shifts = _draw_shifts(pairs.clip, n_draws, np.random.default_rng(seed))
    best: FloatArray = np.full(n_draws + 1, -np.inf)
    own: FloatArray = np.zeros((n_draws + 1, len(cluster)))
    totals = [np.zeros(n_draws + 1) for _ in alternatives]
    for place, target in enumerate(_targets(alternatives)):
        column = [trials[place] for trials in alternatives]
        found = _shifted([trial.label for trial in column], target, pairs, shifts)
        for index, (trial, by_cluster) in enumerate(zip(column, found, strict=True)):
            norm = label_norm(trial.label, target, pairs) * target.norm
            if norm == 0:
                continue
            scaled = by_cluster * max(trial.reliability, LEAST_RELIABILITY) / norm
            totals[index] += scaled.sum(axis=1)
            if index == chosen:
                known = np.unique(trial.label[trial.label >= 0])
                own[:, np.searchsorted(cluster, known)] += scaled
    for trials, total in zip(alternatives, totals, strict=True):
        best = np.maximum(best, total / _scale(trials))
    raw = [_above(column) for column in own.T]
    total = best.copy()
    total[0] = own[0].sum() / _scale(alternatives[chosen])
    z, p_total = _above(total)
    return ShiftTest(
        z=z,
        p=p_total,
        cluster=cluster,
        cluster_z=np.array([z for z, _ in raw]),
        cluster_p=np.array([p for _, p in raw]),
    )


def _clusters(trials: Sequence[Trial]) -> IntArray:
    """Return the labels that occur in any of the trials, without noise."""
    found = np.unique(np.concatenate([trial.label for trial in trials])) if trials else np.empty(0)
    return found[found >= 0].astype(np.int64)


def _scale(trials: Sequence[Trial]) -> float:
    """Return what :func:`combined` divides by."""
    known = [trial for trial in trials if trial.target.norm > 0]
    return float(sum(max(trial.reliability, LEAST_RELIABILITY) ** 2 for trial in known))


def _above(values: FloatArray) -> tuple[float, float]:
    """Return z and p of the first value among all."""
    null = values[1:]
    spread = float(null.std())
    tiny = 1e-9 * max(1e-300, float(np.abs(values).max()))
    z = float((values[0] - null.mean()) / spread) if spread > tiny else 0.0
    return z, float((null >= values[0] - tiny).sum() + 1) / len(values)


def _draw_shifts(clip: IntArray, n_draws: int, rng: np.random.Generator) -> list[IntArray]:
    """Return a shift for each draw, clip by clip; the first draw, an extra one, shifts nothing."""
    return [
        np.concatenate([[0], rng.integers(0, count, n_draws)])
        for count in np.unique(clip, return_counts=True)[1]
    ]


def _targets(alternatives: Sequence[Sequence[Trial]]) -> list[Target]:
    """Return the targets, which are the same for every labelling."""
    return [trial.target for trial in alternatives[0]]


def _shifted(
    labels: Sequence[IntArray], target: Target, pairs: Pairs, shifts: Sequence[IntArray]
) -> list[FloatArray]:
    """Return each cluster's sum over pairs, in every draw, for several labellings of the segments.

    The labellings are cut into the cells that none of them divides: a cluster is some of them, so
    that the products of the cells' sums hold all that is wanted of every labelling.

    Returns
    -------
    list of FloatArray
        ``(draws, clusters)`` for each labelling.
    """
    cells, cell = np.unique(np.column_stack(labels), axis=0, return_inverse=True)
    hot, vectors = one_hot(cell.ravel().astype(np.int64)), target.vectors
    draws, n, single = len(shifts[0]), len(cells), pairs.is_single
    products = np.zeros((draws, n, n))
    total = np.zeros((draws, n, vectors.shape[1]))
    alone: list[tuple[FloatArray, FloatArray, float]] = []
    clips = members(pairs.clip)
    for places in members(pairs.group[[rows[0] for rows in clips]]):
        inside = np.zeros_like(total)
        for place in map(int, places):
            rows = clips[place]
            inside += _sums(hot[rows], vectors[rows], shifts[place])
            if single:
                own = vectors[rows], target.described[rows]
                alone.append(_alone(hot[rows], *own, shifts[place]))
        total += inside
        if not single:
            products -= _squares(inside)
    products += _squares(total)
    return [_of_clusters(column, products, alone) for column in cells.T]


def _of_clusters(
    label: IntArray,
    products: FloatArray,
    alone: Sequence[tuple[FloatArray, FloatArray, float]],
) -> FloatArray:
    """Add cells up to the clusters ``(draws, clusters)`` of one labelling; noise has none.

    Segments paired with themselves are taken off, their labels less the clip's mean.
    """
    member = one_hot(label)  # (cells, clusters)
    both = member[:, None] * member[None]  # cells of one cluster
    found = products.reshape(len(products), -1) @ both.reshape(len(member) ** 2, member.shape[1])
    for length, share, whole in alone:
        mean = share @ member
        found -= (1 - 2 * mean) * (length @ member) + mean**2 * whole
    return np.asarray(found)


def _squares(sums: FloatArray) -> FloatArray:
    """Return the products of the cells' sums with each other, ``(draws, cells, cells)``."""
    turned = np.ascontiguousarray(sums.transpose(0, 2, 1))  # a view would be multiplied slowly
    return np.asarray(np.matmul(sums, turned))


def _alone(
    hot: FloatArray, vectors: FloatArray, described: BoolArray, shifts: IntArray
) -> tuple[FloatArray, FloatArray, float]:
    """Return squared lengths and shares of the described segments by cell, and all lengths."""
    length = (vectors**2).sum(axis=1)
    sums = _sums(hot, np.column_stack([length, described]), shifts)
    return sums[:, :, 0], sums[:, :, 1] / max(1, described.sum()), float(length.sum())


def _sums(hot: FloatArray, vectors: FloatArray, shifts: IntArray) -> FloatArray:
    """Sum the vectors of each cluster, its labels shifted round inside one clip.

    A circular correlation by Fourier transform, one cluster at a time: memory for one.

    Parameters
    ----------
    hot
        ``(n, k)``.
    vectors
        ``(n, d)``.
    shifts
        ``(draws,)``: row j gets the label of row j - shift.

    Returns
    -------
    FloatArray
        ``(draws, k, d)``.
    """
    n = len(hot)
    seen = np.fft.rfft(vectors, axis=0)
    out = np.empty((len(shifts), hot.shape[1], vectors.shape[1]))
    for column in range(hot.shape[1]):
        label = np.conj(np.fft.rfft(hot[:, column]))[:, None]
        out[:, column] = np.fft.irfft(label * seen, n, axis=0)[shifts]
    return out
