"""Compact clusters without noise: Ward's linkage (1963, doi:10.1080/01621459.1963.10500845)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from offhand.clustering.reciprocal import linkage_of_many
from offhand.records import Clusters, FloatArray, option

MAX_LINKED = 4000
"""Rows up to which all distances are held in memory, which grows with the square."""


@dataclass(frozen=True, kw_only=True)
class Ward:
    """Ward's linkage cut at a number of clusters.

    Attributes
    ----------
    n_clusters
        Number of clusters; 0 for one candidate each from 2 to ``max_clusters``.
    max_clusters
        Largest number tried; fewer than the rows.
    """

    name: ClassVar[str] = "ward"
    version: ClassVar[int] = 3

    n_clusters: int = option(
        0, "number of clusters; 0 for the one whose clusters the other modalities confirm best"
    )
    max_clusters: int = option(20, "largest number of clusters tried; the smallest is 2")

    def __post_init__(self) -> None:
        if self.n_clusters < 0:
            raise ValueError(f"n_clusters is {self.n_clusters}, must be at least 0")
        if self.max_clusters < 2:
            raise ValueError(f"max_clusters is {self.max_clusters}, must be at least 2")

    def candidates(
        self, space: FloatArray, *, seed: int, only: int | None = None
    ) -> tuple[Clusters, ...]:
        """Cluster rows ``(n, d)``; fewer than 4 rows are all noise. Nothing is drawn at random."""
        del seed
        n = len(space)
        unknown = np.full(n, np.nan)
        if n < 4:
            return (Clusters(label=np.full(n, -1), probability=unknown),)
        tree = (
            scipy.cluster.hierarchy.linkage(space, "ward")
            if n <= MAX_LINKED
            else linkage_of_many(space)
        )
        counts = (
            [min(self.n_clusters, n)]
            if self.n_clusters
            else [*range(2, max(2, min(self.max_clusters, n - 1)) + 1)]
        )
        if only is not None:
            counts = [counts[min(only, len(counts) - 1)]]
        cuts = [
            scipy.cluster.hierarchy.fcluster(tree, count, "maxclust").astype(np.int64) - 1
            for count in counts
        ]
        return tuple(Clusters(label=cut, probability=unknown) for cut in cuts)
