"""Late fusion: the spaces of several modalities joined into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from offhand.clustering.space import MAX_DIMENSIONS
from offhand.records import FloatArray, option


@dataclass(frozen=True, kw_only=True)
class LateFusion:
    """Unit vectors of every modality, weighted and concatenated; distance is cosine.

    Attributes
    ----------
    weights
        Entries ``modality=weight``; modalities left out count nothing. Empty for weights chosen
        without labels (:func:`offhand.selection.fusion_weights`).
    """

    name: ClassVar[str] = "late_fusion"
    version: ClassVar[int] = 1

    weights: tuple[str, ...] = option(
        (), 'fixed weights such as "ego_motion=1,flow_rhythm=2"; empty to choose without labels'
    )

    def __post_init__(self) -> None:
        given = self.given
        if given and not sum(given.values()) > 0:
            raise ValueError(f"weights are {list(self.weights)}, one must be above 0")

    @property
    def given(self) -> dict[str, float]:
        """The fixed weights by modality; empty if they are to be chosen."""
        found = {}
        for entry in self.weights:
            name, equals, number = entry.partition("=")
            try:
                found[name.strip()] = float(number)
            except ValueError:
                equals = ""
            if not equals or not 0 <= found[name.strip()] < float("inf"):
                raise ValueError(f"weight {entry!r}: expected modality=number, at least 0")
        return found


def join_spaces(
    spaces: Sequence[FloatArray],
    described: Sequence[npt.NDArray[np.bool_]],
    weights: Sequence[float],
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Join the spaces of modalities so that Euclidean distance is the weighted cosine distance.

    Each row of a space becomes a unit vector, scaled with the root of its modality's weight. A row
    that a modality does not describe gets nothing from it, and the rest of the row counts for more,
    so that a segment is left out only if no modality describes it.

    Parameters
    ----------
    spaces
        ``(described rows, d)`` for each modality, standardised (see ``feature_space``).
    described
        ``(n,)`` for each modality.
    weights
        One a modality, at least 0.

    Returns
    -------
    space : FloatArray
        ``(joined rows, at most 12)``.
    joined : ndarray of bool
        ``(n,)``.
    """
    n = len(described[0])
    blocks, present = [], np.zeros(n)
    for space, known, weight in zip(spaces, described, weights, strict=True):
        if weight <= 0 or not known.any():
            continue
        length = np.linalg.norm(space, axis=1, keepdims=True)
        block = np.zeros((n, space.shape[1]))
        block[known] = np.sqrt(weight) * space / np.where(length > 0, length, 1.0)
        blocks.append(block)
        present[known] += weight
    joined = present > 0
    if not joined.any():
        return np.empty((0, 0)), joined
    rows: FloatArray = np.hstack(blocks)[joined] / np.sqrt(present[joined])[:, None]
    kept = min(MAX_DIMENSIONS, len(rows) - 1, rows.shape[1])
    if kept < 1:
        return np.zeros((len(rows), 1)), joined
    from sklearn.decomposition import PCA  # takes a second to import

    return PCA(kept, svd_solver="full").fit_transform(rows), joined
