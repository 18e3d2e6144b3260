"""Compact clusters without noise: Ward's linkage (1963, doi:10.1080/01621459.1963.10500845).

The number of clusters is the one with the best mean silhouette (Rousseeuw 1987,
doi:10.1016/0377-0427(87)90125-7).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from offhand.records import Clusters, FloatArray, option

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ward:
    """Ward's linkage cut at a number of clusters.

    Attributes
    ----------
    n_clusters
        Number of clusters; 0 for the one with the best silhouette.
    max_clusters
        Largest number tried; the smallest is 3.
    max_segments
        Above, every segment is noise: linkage needs memory quadratic in their number.
    """

    name: ClassVar[str] = "ward"
    version: ClassVar[int] = 1

    n_clusters: int = option(0, "number of clusters; 0 for the one with the best silhouette")
    max_clusters: int = option(15, "largest number of clusters tried; the smallest is 3")
    max_segments: int = option(10_000, "no clusters above: memory grows with the square")

    def __post_init__(self) -> None:
        if self.n_clusters < 0:
            raise ValueError(f"n_clusters is {self.n_clusters}, must be at least 0")
        if self.max_clusters < 3:
            raise ValueError(f"max_clusters is {self.max_clusters}, must be at least 3")

    def cluster(self, space: FloatArray, *, seed: int) -> Clusters:
        """Cluster rows ``(n, d)``; fewer than 6 rows are all noise. Nothing is drawn at random."""
        del seed
        n = len(space)
        probability = np.full(n, np.nan)
        if not 6 <= n <= self.max_segments:
            if n > self.max_segments:
                logger.warning("ward: %d segments are more than %d", n, self.max_segments)
            return Clusters(label=np.full(n, -1), probability=probability)
        tree = linkage(space, "ward")
        counts = (
            [min(self.n_clusters, n)]
            if self.n_clusters
            else range(3, min(self.max_clusters, n // 2) + 1)
        )
        cuts = [fcluster(tree, count, "maxclust") - 1 for count in counts]
        only = len(cuts) == 1
        label = cuts[0] if only else max(cuts, key=lambda cut: _silhouette(space, cut))
        return Clusters(label=label.astype(np.int64), probability=probability)


def _silhouette(space: FloatArray, label: np.ndarray) -> float:
    """Return the mean silhouette, -1 where it is undefined."""
    if not 2 <= len(np.unique(label)) < len(label):
        return -1.0
    from sklearn.metrics import silhouette_score  # takes a second to import

    return float(silhouette_score(space, label))
