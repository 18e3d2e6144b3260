"""Naive twins of the quick routines: slow loops that are easy to believe."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from offhand.evaluation.agreement import PairScore
from offhand.records import FloatArray
from offhand.rhythm.tempo import WIDTH_CYCLES


def cross_clip_pairs(
    clip: Sequence[str], label: Sequence[int], activity: Sequence[str]
) -> PairScore:
    predicted = true = both = 0
    for a in range(len(clip)):
        for b in range(a):
            if clip[a] == clip[b]:
                continue
            alike = label[a] >= 0 and label[a] == label[b]
            same = activity[a] == activity[b]
            predicted += alike
            true += same
            both += alike and same
    precision = both / predicted if predicted else 0.0
    recall = both / true if true else 0.0
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    return PairScore(precision=precision, recall=recall, f1=f1)


def most_matches(found_s: Sequence[float], true_s: Sequence[float], tolerance_s: float) -> int:
    """Try every assignment of found boundaries to true ones."""
    if not len(found_s):
        return 0
    best = most_matches(found_s[1:], true_s, tolerance_s)
    for index, time_s in enumerate(true_s):
        if abs(time_s - found_s[0]) <= tolerance_s:
            rest = [*true_s[:index], *true_s[index + 1 :]]
            best = max(best, 1 + most_matches(found_s[1:], rest, tolerance_s))
    return best


def seed_entropy(label: Sequence[int], clip_id: Sequence[str]) -> float:
    weighted = size = 0.0
    for cluster in {number for number in label if number >= 0}:
        clips = [clip for clip, number in zip(clip_id, label, strict=True) if number == cluster]
        entropy = 0.0
        for clip in set(clips):
            share = clips.count(clip) / len(clips)
            entropy -= share * math.log(share)
        touched = len(set(clips))
        weighted += len(clips) * (entropy / math.log(touched) if touched > 1 else 0.0)
        size += len(clips)
    return weighted / size if size else math.nan


def exemplars(
    space: FloatArray, label: Sequence[int], clip_id: Sequence[str]
) -> list[tuple[int, int, bool]]:
    """Return ``(label, row, is_medoid)`` in order of cluster, then clip."""
    found = []
    for cluster in sorted({int(number) for number in label if number >= 0}):
        members = [row for row in range(len(label)) if label[row] == cluster]
        distance = {
            row: sum(math.dist(space[row], space[other]) for other in members) for row in members
        }
        medoid = min(members, key=lambda row: distance[row])
        for clip in sorted({str(clip_id[row]) for row in members}):
            own = [row for row in members if clip_id[row] == clip]
            nearest = min(own, key=lambda row: distance[row])
            found.append((cluster, nearest, nearest == medoid))
    return found


def to_uniform(
    time_s: Sequence[float],
    values: Sequence[float],
    *,
    rate_hz: float,
    start_s: float,
    stop_s: float,
    longest_gap_s: float,
) -> tuple[list[float], list[float]]:
    """Resample one channel."""
    known = [(t, v) for t, v in zip(time_s, values, strict=True) if not math.isnan(v)]
    grid_s, level = [], []
    while start_s + len(grid_s) / rate_hz < stop_s - 1e-9 / rate_hz:
        grid_s.append(start_s + len(grid_s) / rate_hz)
    for at_s in grid_s:
        before = [(t, v) for t, v in known if t < at_s]
        after = [(t, v) for t, v in known if t >= at_s]
        value = math.nan
        if before and after:
            (t0, v0), (t1, v1) = before[-1], after[0]
            near_s = min(at_s - t0, t1 - at_s)
            if t1 - t0 <= longest_gap_s or near_s <= 0.5 / rate_hz:
                value = v0 + (v1 - v0) * (at_s - t0) / (t1 - t0)
        elif before and at_s - before[-1][0] <= longest_gap_s:
            value = before[-1][1]
        elif after and after[0][0] - at_s <= longest_gap_s:
            value = after[0][1]
        level.append(value)
    return grid_s, level


def log_band_power(
    series: Sequence[float], edges_hz: Sequence[float], *, rate_hz: float, floor: float
) -> list[float]:
    """Sum the Fourier series term by term at each frequency."""
    n = len(series)
    known = [x for x in series if not math.isnan(x)]
    mean = sum(known) / len(known)
    taper = [
        0.0 if math.isnan(series[i]) else 0.5 - 0.5 * math.cos(2 * math.pi * (i + 1) / (n + 1))
        for i in range(n)
    ]
    tapered = [0.0 if math.isnan(series[i]) else (series[i] - mean) * taper[i] for i in range(n)]
    energy = sum(weight**2 for weight in taper)
    length = 1024
    while length < n:
        length *= 2
    bands = []
    for low, high in pairwise(edges_hz):
        powers = []
        for k in range(length // 2 + 1):
            if low <= k * rate_hz / length < high:
                turn = -2j * math.pi * k / length
                total = sum(x * cmath.exp(turn * i) for i, x in enumerate(tapered))
                powers.append(abs(total) ** 2 / energy / rate_hz)
        bands.append(math.log(sum(powers) / len(powers) + floor))
    return bands


def wavelet_power(series: Sequence[float], tempo: float, *, rate_hz: float) -> list[float]:
    """Convolve a series with one Morlet wavelet of unit spectrum; power times its width."""
    n, width_s = len(series), WIDTH_CYCLES / tempo
    reach = int(6 * width_s * rate_hz)
    lags = np.arange(-reach, reach + 1) / rate_hz
    envelope = np.exp(-0.5 * (lags / width_s) ** 2) / (width_s * np.sqrt(2 * np.pi) * rate_hz)
    wavelet = envelope * np.exp(2j * np.pi * tempo * lags)
    wave = np.convolve(series, wavelet)[reach : reach + n]
    return [float(abs(value) ** 2 * width_s) for value in wave]


def best_motion(
    vectors: FloatArray, trust: FloatArray, basis: FloatArray, tried: FloatArray, limit: float
) -> int:
    """Return which of the motions tried ``(h, 4)`` loses least by the truncated squared loss."""
    losses = []
    for parameters in tried:
        loss = 0.0
        for cell, vector in enumerate(vectors):
            left = vector - sum(weight * basis[k, cell] for k, weight in enumerate(parameters))
            loss += trust[cell] * min(float(left @ left), limit)
        losses.append(loss)
    return int(np.argmin(losses))


def standardised(values: FloatArray, weights: Sequence[float]) -> FloatArray:
    """Return the described rows: weighted z-scores, 0 where a value is missing."""
    n, d = values.shape
    used = [
        c
        for c in range(d)
        if weights[c] > 0 and any(not math.isnan(values[r, c]) for r in range(n))
    ]
    rows = [r for r in range(n) if sum(math.isnan(values[r, c]) for c in used) <= 2 / 3 * len(used)]
    out = np.zeros((len(rows), len(used)))
    for column, c in enumerate(used):
        known = [values[r, c] for r in rows if not math.isnan(values[r, c])]
        mean = sum(known) / len(known)
        spread = math.sqrt(sum((x - mean) ** 2 for x in known) / len(known))
        for row, r in enumerate(rows):
            if spread > 0 and not math.isnan(values[r, c]):
                out[row, column] = weights[c] * (values[r, c] - mean) / spread
    return out


def mean_of_diagonals(matrix: FloatArray) -> list[float]:
    means = []
    for lag in range(len(matrix)):
        known = [matrix[i, i + lag] for i in range(len(matrix) - lag)]
        known = [value for value in known if not math.isnan(value)]
        means.append(sum(known) / len(known) if known else math.nan)
    return means


def autocorrelation(series: Sequence[float]) -> list[float]:
    known = [value for value in series if not math.isnan(value)]
    mean = sum(known) / len(known)
    found = []
    for lag in range(len(series)):
        pairs = [
            (series[i] - mean) * (series[i + lag] - mean)
            for i in range(len(series) - lag)
            if not (math.isnan(series[i]) or math.isnan(series[i + lag]))
        ]
        found.append(sum(pairs) / len(pairs) if pairs else math.nan)
    return [value / found[0] for value in found]


def concordance(
    label: np.ndarray, space: np.ndarray, described: np.ndarray, clip: np.ndarray, group: np.ndarray
) -> float:
    """Correlate sameness of labels with closeness over pairs, by a loop over all of them."""
    rows = np.flatnonzero(described)
    white = space / space.std(axis=0)
    unit = white / np.linalg.norm(white, axis=1, keepdims=True)
    hot = np.array([[float(label[r] == c) for c in np.unique(label[label >= 0])] for r in rows])
    hot = hot.reshape(len(rows), -1)
    for values in (unit, hot):
        for one in np.unique(clip[rows]):
            inside = clip[rows] == one
            values[inside] = values[inside] - values[inside].mean(axis=0)
    single = len(np.unique(group[rows])) < 2
    products = []
    for i in range(len(rows)):
        for j in range(len(rows)):
            apart = group[rows[i]] != group[rows[j]]
            if i != j and (apart or single):
                products.append((hot[i] @ hot[j], unit[i] @ unit[j]))
    one, other = np.array(products).T
    norm = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / norm) if norm > 1e-12 else 0.0


def enrichment(
    space: np.ndarray, label: np.ndarray, clip: np.ndarray
) -> tuple[float, dict[int, float]]:
    """Return how much oftener than chance the nearest segment elsewhere has the same label."""
    same: dict[int, float] = {}
    chance: dict[int, float] = {}
    for i in range(len(label)):
        others = [j for j in range(len(label)) if clip[j] != clip[i]]
        nearest = min(others, key=lambda j: float(np.linalg.norm(space[i] - space[j])))
        if label[i] < 0:
            continue
        cluster = int(label[i])
        same[cluster] = same.get(cluster, 0.0) + (label[nearest] == label[i])
        like = sum(label[j] == label[i] for j in others) / len(others)
        chance[cluster] = chance.get(cluster, 0.0) + like
    by_cluster = {one: same[one] / chance[one] for one in same}
    return sum(same.values()) / sum(chance.values()), by_cluster
