"""Density clusters with noise: HDBSCAN (Campello et al. 2013, doi:10.1007/978-3-642-37456-2_14).

The only module that calls an implementation of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from offhand.clustering.reach import reachability
from offhand.records import Clusters, FloatArray, option

MAX_COMPARED = 10_000
"""Rows that are all compared with each other; of more, each with its nearest ones."""


@dataclass(frozen=True, kw_only=True)
class Hdbscan:
    """HDBSCAN with a smallest cluster that grows with the square root of the data.

    Attributes
    ----------
    min_cluster_size
        Smallest cluster; 0 for half the square root of the number of segments, at least 2.
    min_samples
        Neighbours, the point itself included, that make a place dense.
    selection
        ``leaf`` takes the finest stable clusters, ``eom`` the most persistent ones.
    """

    name: ClassVar[str] = "hdbscan"
    version: ClassVar[int] = 2

    min_cluster_size: int = option(
        0, "smallest cluster in segments; 0 for half the square root of their number, at least 2"
    )
    min_samples: int = option(2, "neighbours, the segment itself included, that make it dense")
    selection: Literal["leaf", "eom"] = option(
        "leaf", "leaf: finest stable clusters; eom: most persistent (excess of mass)"
    )

    def __post_init__(self) -> None:
        if self.min_cluster_size < 0 or self.min_cluster_size == 1:
            raise ValueError(f"min_cluster_size is {self.min_cluster_size}, must be 0 or above 1")
        if self.min_samples < 1:
            raise ValueError(f"min_samples is {self.min_samples}, must be at least 1")

    def candidates(
        self, space: FloatArray, *, seed: int, only: int | None = None
    ) -> tuple[Clusters, ...]:
        """Cluster rows ``(n, d)``; labels below 0 are noise. Nothing is drawn at random."""
        del seed, only
        smallest = self.min_cluster_size or max(2, round(np.sqrt(len(space)) / 2))
        if len(space) < max(2 * smallest, self.min_samples + 1):
            nothing = np.full(len(space), -1)
            return (Clusters(label=nothing, probability=np.zeros(len(space), np.float64)),)
        from sklearn.cluster import HDBSCAN  # takes a second to import

        method = HDBSCAN(
            min_cluster_size=smallest,
            min_samples=self.min_samples,
            cluster_selection_method=self.selection,
            copy=True,
        )
        if len(space) <= MAX_COMPARED:
            found = method.fit(space)
        else:
            graph = reachability(space, min_samples=self.min_samples, smallest=smallest)
            found = method.set_params(metric="precomputed", min_samples=1, copy=False).fit(graph)
        label = np.where(found.labels_ < 0, -1, found.labels_).astype(np.int64)
        return (Clusters(label=label, probability=np.asarray(found.probabilities_, np.float64)),)
