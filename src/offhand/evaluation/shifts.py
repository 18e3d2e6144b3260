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
    Trial,
    label_norm,
    one_hot,
)
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
    for index, trials in enumerate(alternatives):
        found = _clusters(trials)
        by_cluster = np.zeros((n_draws + 1, len(found)))
        for trial in trials:
            by_cluster += _shifted(trial, pairs, shifts, found)
        best = np.maximum(best, by_cluster.sum(axis=1) / _scale(trials))
        if index == chosen:
            own = by_cluster
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


def _shifted(
    trial: Trial, pairs: Pairs, shifts: Sequence[IntArray], cluster: IntArray
) -> FloatArray:
    """Return each cluster's part of the concordance, weighted by reliability, in every draw.

    Returns
    -------
    FloatArray
        ``(draws, clusters)``; zeros where the target has nothing to compare.
    """
    draws = len(shifts[0])
    parts = np.zeros((draws, len(cluster)))
    norm = label_norm(trial.label, trial.target, pairs)
    if trial.target.norm == 0 or norm == 0:
        return parts
    vectors, present = trial.target.vectors, np.unique(trial.label[trial.label >= 0])
    hot = one_hot(trial.label)
    total = np.zeros((draws, len(present), vectors.shape[1]))
    within = np.zeros((draws, len(present)))
    clips, single = np.unique(pairs.clip), pairs.is_single
    group_of = np.array([pairs.group[pairs.clip == clip][0] for clip in clips])
    for group in np.unique(group_of):
        inside = np.zeros_like(total)
        for place in map(int, np.flatnonzero(group_of == group)):
            rows = np.flatnonzero(pairs.clip == clips[place])
            inside += _sums(hot[rows], vectors[rows], shifts[place])
            if single:
                within += _with_itself(
                    hot[rows], vectors[rows], trial.target.described[rows], shifts[place]
                )
        total += inside
        if not single:
            within += (inside**2).sum(axis=2)
    found = (total**2).sum(axis=2) - within
    weight = max(trial.reliability, LEAST_RELIABILITY)
    parts[:, np.searchsorted(cluster, present)] = found * weight / (norm * trial.target.norm)
    return parts


def _with_itself(
    hot: FloatArray, vectors: FloatArray, described: BoolArray, shifts: IntArray
) -> FloatArray:
    """Return what segments paired with themselves add, ``(draws, k)``, labels less their mean."""
    length = (vectors**2).sum(axis=1)
    sums = _sums(hot, np.column_stack([length, described]), shifts)
    mean = sums[:, :, 1] / max(1, described.sum())
    return np.asarray((1 - 2 * mean) * sums[:, :, 0] + mean**2 * length.sum())


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
