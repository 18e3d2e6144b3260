"""From feature tables to a space in which Euclidean distance means unlike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray

SPACE_VERSION = 3
"""Raised whenever the same features get other coordinates."""

MAX_DIMENSIONS = 12
"""Principal components kept: density estimates need more rows than dimensions."""

EVENNESS = 0.5
"""Power of its spread that a component is divided by."""


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
