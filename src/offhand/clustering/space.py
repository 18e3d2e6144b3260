"""From feature tables to a space in which Euclidean distance means unlike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray

SPACE_VERSION = 4
"""Raised whenever the same features get other coordinates."""

MAX_DIMENSIONS = 12
"""Principal components kept: density estimates need more rows than dimensions."""

EVENNESS = 0.5
"""Power of its spread that a component is divided by."""


MAX_AT_ONCE = 20_000
"""Rows whose singular vectors are computed; of more, those of the covariance, part by part."""

Space = tuple[FloatArray, npt.NDArray[np.bool_]]
"""Coordinates ``(described rows, d)``, and which of all rows ``(n,)`` these are."""


def feature_space(
    values: FloatArray,
    weights: FloatArray,
    *,
    max_dimensions: int = MAX_DIMENSIONS,
    evenness: float = EVENNESS,
) -> Space:
    """Standardise weighted columns, keep their leading principal components, and even them out.

    A component is divided by a power of its spread, the root: what many columns say alike would
    otherwise drown the rest, and full whitening would raise noise to the level of what they say.

    A missing value is set to its column's mean. A row in which more than two thirds of the weighted
    columns are missing is not described, and gets no coordinates; columns that are missing in every
    row do not count.

    Parameters
    ----------
    values
        ``(n, d)`` features.
    weights
        ``(d,)``; columns of weight 0 are left out.
    max_dimensions
        Components kept.
    evenness
        The power: 0 leaves components as they are, 1 whitens them.

    Returns
    -------
    space : FloatArray
        ``(described rows, at most max_dimensions)``.
    described : ndarray of bool
        ``(n,)``.
    """
    if len(values) > MAX_AT_ONCE:
        return _space_of_many(values, weights, max_dimensions, evenness)
    column = (weights > 0) & ~np.isnan(values).all(axis=0)
    used = values[:, column]
    described = (
        np.isnan(used).mean(axis=1) <= 2 / 3 if used.shape[1] else np.zeros(len(used), dtype=bool)
    )
    used = used[described]
    if len(used) == 0:
        return np.empty((0, 0)), described
    known = ~np.isnan(used)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, used, 0.0).sum(axis=0) / count
    centred = np.where(known, used - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    varies = spread > 1e-9 * np.abs(np.where(known, used, 0.0)).max(axis=0)
    scaled = centred[:, varies] / spread[varies] * weights[column][varies]
    kept = min(max_dimensions, len(scaled) - 1, scaled.shape[1])
    if kept < 1:
        return np.zeros((len(scaled), 1)), described
    from sklearn.decomposition import PCA  # takes a second to import

    components = PCA(kept, svd_solver="full").fit_transform(scaled)
    deviation = components.std(axis=0)
    kept_components = deviation > 1e-9 * deviation[0]
    return components[:, kept_components] / deviation[kept_components] ** evenness, described


def _space_of_many(
    values: FloatArray, weights: FloatArray, max_dimensions: int, evenness: float
) -> Space:
    """Do the same with no more than a few rows in memory beside the values."""
    parts = [slice(at, at + MAX_AT_ONCE) for at in range(0, len(values), MAX_AT_ONCE)]
    empty = np.logical_and.reduce([np.isnan(values[part]).all(axis=0) for part in parts])
    column = (weights > 0) & ~empty
    described = np.zeros(len(values), dtype=bool)
    if column.any():
        for part in parts:
            described[part] = np.isnan(values[part][:, column]).mean(axis=1) <= 2 / 3
    if not described.any():
        return np.empty((0, 0)), described

    def rows(part: slice) -> FloatArray:
        return np.asarray(values[part][described[part]][:, column])

    count, total = np.zeros(column.sum()), np.zeros(column.sum())
    largest = np.zeros(column.sum())
    for part in parts:
        own = rows(part)
        count += (~np.isnan(own)).sum(axis=0)
        total += np.nansum(own, axis=0)
        largest = np.fmax(largest, np.nanmax(np.abs(own), axis=0, initial=0.0))
    count = np.maximum(count, 1)
    mean = total / count
    square = np.zeros(len(mean))
    for part in parts:
        square += np.nansum((rows(part) - mean) ** 2, axis=0)
    spread = np.sqrt(square / count)
    varies = spread > 1e-9 * largest
    scale = weights[column][varies] / spread[varies]

    def scaled(part: slice) -> FloatArray:
        return np.asarray(np.nan_to_num(rows(part)[:, varies] - mean[varies]) * scale)

    n = int(described.sum())
    kept = min(max_dimensions, n - 1, len(scale))
    if kept < 1:
        return np.zeros((n, 1)), described
    covariance = sum(own.T @ own for own in map(scaled, parts)) / n
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :kept]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(kept)])
    components = np.concatenate([scaled(part) @ axes for part in parts])
    deviation = components.std(axis=0)
    kept_components = deviation > 1e-9 * deviation[0]
    return components[:, kept_components] / deviation[kept_components] ** evenness, described
