"""Stability: whether a clustering comes out the same from part of the data.

Clusters are found anew without some clips (jackknife), and from blocks of segments drawn with
replacement inside each clip; segments drawn twice are clustered once, as twins would be each
other's perfect neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from offhand.evaluation.resampling import drawn_blocks, folds
from offhand.records import FloatArray, IntArray

BLOCK_DRAWS = 10
"""Draws of blocks."""


@dataclass(frozen=True, kw_only=True)
class Stability:
    """Agreement of a clustering with those of parts of the data.

    Attributes
    ----------
    over_clips
        Mean adjusted Rand index with the clusterings that leave clips out; NaN below three clips,
        and without clusters.
    over_blocks
        Mean adjusted Rand index with the clusterings of drawn blocks; NaN without clusters.
    cluster
        ``(k,)``: labels of the clusters.
    cluster_jaccard
        ``(k,)``: mean of each cluster's best Jaccard index in the clusterings of parts (Hennig
        2007, doi:10.1016/j.csda.2006.11.025), in 0..1.
    """

    over_clips: float
    over_blocks: float
    cluster: IntArray
    cluster_jaccard: FloatArray

    @property
    def overall(self) -> float:
        """The lower of both, at least 0; NaN if neither is known."""
        known = [one for one in (self.over_clips, self.over_blocks) if not np.isnan(one)]
        return max(0.0, min(known)) if known else float("nan")

    def jaccard_of(self, number: int) -> float:
        """Return the Jaccard index of one cluster, NaN where there is no such cluster."""
        place = np.flatnonzero(self.cluster == number)
        return float(self.cluster_jaccard[place[0]]) if len(place) else float("nan")


def stability(
    again: Callable[[IntArray], IntArray], label: IntArray, clip: IntArray, *, seed: int
) -> Stability:
    """Cluster parts of the data again, and compare.

    Parameters
    ----------
    again
        Clusters some of the rows: from ``(m,)`` row numbers to ``(m,)`` labels.
    label
        ``(n,)``: the clustering of all rows, below 0 for noise.
    clip
        ``(n,)``.
    seed
        Seed of the blocks.
    """
    from sklearn.metrics import adjusted_rand_score  # takes a second to import

    cluster = np.unique(label[label >= 0])
    jaccards: list[FloatArray] = []
    found: dict[str, list[float]] = {"clips": [], "blocks": []}
    rng = np.random.default_rng(seed)
    parts = [("clips", np.flatnonzero(kept)) for kept in folds(clip)]
    parts += [("blocks", np.unique(drawn_blocks(clip, rng))) for _ in range(BLOCK_DRAWS)]
    for kind, rows in parts if len(cluster) else []:
        other = again(rows)
        found[kind].append(float(adjusted_rand_score(label[rows], other)))
        jaccards.append(_best_jaccard(label[rows], other, cluster))
    table = np.array(jaccards).reshape(len(jaccards), len(cluster))
    known = ~np.isnan(table)
    mean = np.where(known, np.nan_to_num(table), 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return Stability(
        over_clips=float(np.mean(found["clips"])) if found["clips"] else float("nan"),
        over_blocks=float(np.mean(found["blocks"])) if found["blocks"] else float("nan"),
        cluster=cluster,
        cluster_jaccard=np.where(known.any(axis=0), mean, np.nan),
    )


def _best_jaccard(label: IntArray, other: IntArray, cluster: IntArray) -> FloatArray:
    """Return each cluster's best Jaccard index with a cluster of the other; NaN if it is gone."""
    found = np.full(len(cluster), np.nan)
    rivals, counts = np.unique(other[other >= 0], return_counts=True)
    for place, number in enumerate(cluster):
        own = label == number
        if not own.any():
            continue
        inside = other[own & (other >= 0)]
        shared = np.bincount(np.searchsorted(rivals, inside), minlength=len(rivals))
        union = own.sum() + counts - shared
        found[place] = (shared / union).max(initial=0.0)
    return found
