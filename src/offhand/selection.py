"""Choices made without labels: how much each modality counts in late fusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhand.clustering.space import Space
from offhand.records import FloatArray

SELECTION_VERSION = 1
"""Raised whenever the same spaces get other weights."""

MAX_SEGMENTS = 2000
"""Segments compared with each other at most; more are thinned at random."""

MIN_PAIRS = 30
"""Pairs of segments that two modalities must share for their agreement to be known."""


@dataclass(frozen=True, kw_only=True)
class ModalityWeight:
    """How much a modality counts in late fusion, and why.

    Attributes
    ----------
    weight
        Share of the whole, in 0..1.
    agreement
        Mean correlation of its distances with those of the other modalities, in -1..1; NaN where
        it cannot be known.
    described
        Share of the segments that it describes.
    """

    weight: float
    agreement: float
    described: float


def fusion_weights(
    spaces: Mapping[str, Space], clip_id: npt.NDArray[np.str_], *, seed: int
) -> dict[str, ModalityWeight]:
    """Weigh modalities by how well they agree on which segments of different clips are alike.

    The weights are the leading eigenvector of the matrix of agreements, as STATIS weighs tables
    (Abdi et al. 2012, doi:10.1002/wics.198). The agreement of two modalities is the correlation of
    their cosine distances between segments of different clips, after the means of rows and columns
    were taken from each block of two clips. So a modality gains nothing by telling clips apart:
    only whether *this* segment resembles *that* one more than its neighbours do counts. A
    modality that agrees with none gets weight 0. Where nothing can be compared, all that describe
    anything weigh the same.

    Parameters
    ----------
    spaces
        Each modality's coordinates, standardised (see ``feature_space``).
    clip_id
        ``(n,)``: clip of each segment. If there is one clip alone, its segments are compared.
    seed
        Seed of the thinning above 2,000 segments.

    Returns
    -------
    dict of str to ModalityWeight
        By modality.
    """
    n = len(clip_id)
    rows = np.arange(n)
    if n > MAX_SEGMENTS:
        rows = np.sort(np.random.default_rng(seed).choice(n, MAX_SEGMENTS, replace=False))
    blocks = [_centred_distances(space, rows, clip_id[rows]) for space in spaces.values()]
    agreement = np.eye(len(blocks))
    for i, one in enumerate(blocks):
        for j in range(i):
            agreement[i, j] = agreement[j, i] = _correlation(one, blocks[j])
    known = np.nan_to_num(np.maximum(agreement, 0.0))
    leading = np.abs(np.linalg.eigh(known)[1][:, -1])
    if not (known - np.eye(len(known)) > 0).any():
        leading = np.array([float(known.any()) for _, known in spaces.values()])
    leading[leading < 1e-6] = 0.0
    others = np.where(np.eye(len(blocks), dtype=bool), np.nan, agreement)
    return {
        name: ModalityWeight(
            weight=float(leading[index] / max(leading.sum(), 1e-9)),
            agreement=_mean_known(others[index]),
            described=float(described.mean()) if n else float("nan"),
        )
        for index, (name, (_, described)) in enumerate(spaces.items())
    }


def _mean_known(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _centred_distances(
    space: Space, rows: npt.NDArray[np.int64], clip_id: npt.NDArray[np.str_]
) -> FloatArray:
    """Return cosine distances ``(rows, rows)``, centred in each block of clips; NaN elsewhere."""
    coordinates, described = space
    full = np.full((len(described), coordinates.shape[1]), np.nan)
    length = np.linalg.norm(coordinates, axis=1, keepdims=True)
    full[described] = coordinates / np.where(length > 0, length, 1.0)
    unit = full[rows]
    distance = 1 - unit @ unit.T
    np.fill_diagonal(distance, np.nan)
    members = [np.flatnonzero(clip_id == clip) for clip in np.unique(clip_id)]
    members = [rows[~np.isnan(unit[rows, :1]).any(axis=1)] for rows in members]
    centred = np.full_like(distance, np.nan)
    for i, one in enumerate(members):
        for j, other in enumerate(members):
            if (i == j) == (len(members) > 1) or min(len(one), len(other)) < 2:
                continue
            block = np.ix_(one, other)
            part = distance[block]
            part = part - np.nanmean(part, axis=0) - np.nanmean(part, axis=1)[:, None]
            centred[block] = part - np.nanmean(part)
    return np.asarray(centred, np.float64)


def _correlation(one: FloatArray, other: FloatArray) -> float:
    """Return the correlation over entries known in both, NaN where it is undefined."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 2 * MIN_PAIRS:
        return float("nan")
    first, second = one[both] - one[both].mean(), other[both] - other[both].mean()
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else float("nan")
