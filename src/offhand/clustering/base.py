"""The contract of a clusterer."""

from __future__ import annotations

from typing import ClassVar, Protocol

from offhand.records import Clusters, FloatArray


class Clusterer(Protocol):
    """One clustering method: a frozen dataclass whose fields are its configuration."""

    name: ClassVar[str]
    version: ClassVar[int]

    def cluster(self, space: FloatArray, *, seed: int) -> Clusters:
        """Cluster the rows of ``space`` ``(n, d)``, which holds no NaN; ``n`` may be 0."""
        ...
