"""The contract of a clusterer."""

from __future__ import annotations

from typing import ClassVar, Protocol

from offhand.records import Clusters, FloatArray


class Clusterer(Protocol):
    """One clustering method: a frozen dataclass whose fields are its configuration."""

    name: ClassVar[str]
    version: ClassVar[int]

    def candidates(
        self, space: FloatArray, *, seed: int, only: int | None = None
    ) -> tuple[Clusters, ...]:
        """Return one clustering, or several to choose from, of the rows of ``space`` ``(n, d)``.

        The space holds no NaN; ``n`` may be 0. There is at least one candidate, and the same place
        in the list means the same setting for every space. With ``only``, the candidate at that
        place is returned alone, or the last one where there are fewer.
        """
        ...
