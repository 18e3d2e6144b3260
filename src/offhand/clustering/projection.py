"""Two coordinates for every point, for people to look at."""

from __future__ import annotations

from typing import Literal

import numpy as np

from offhand.records import FloatArray

PROJECTION_VERSION = 1
"""Raised whenever the same points get other places."""

MOST_EMBEDDED = 3000
"""Points above which t-SNE would take longer than it is worth."""

PERPLEXITY = 30.0

Method = Literal["t-SNE", "PCA"]


def project(points: FloatArray, *, seed: int) -> tuple[FloatArray, Method]:
    """Place points on a plane so that near ones stay near.

    Parameters
    ----------
    points
        ``(n, d)`` coordinates.
    seed
        Of what t-SNE draws at random.

    Returns
    -------
    places : FloatArray
        ``(n, 2)``, from 0 to 1, the longer side of the picture filled.
    method
        t-SNE (van der Maaten and Hinton 2008, JMLR 9:2579) for up to 3,000 points, where only
        neighbourhoods mean something; the first two principal components for more, or for fewer
        than eight.
    """
    centred = points - points.mean(axis=0) if len(points) else points
    if 8 <= len(points) <= MOST_EMBEDDED:
        from sklearn.manifold import TSNE  # takes a second to import

        model = TSNE(
            perplexity=min(PERPLEXITY, (len(points) - 1) / 3), random_state=seed, init="random"
        )
        if np.ptp(centred) > 0:
            return _to_unit(np.asarray(model.fit_transform(centred), np.float64)), "t-SNE"
    flat = np.zeros((len(points), 2))
    if len(points) > 1:
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        kept = min(2, len(scale))
        flat[:, :kept] = left[:, :kept] * scale[:kept]
    return _to_unit(flat), "PCA"


def _to_unit(places: FloatArray) -> FloatArray:
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    longer = float((high - low).max())
    return np.asarray((places - (low + high) / 2) / (longer or 1.0) + 0.5)
