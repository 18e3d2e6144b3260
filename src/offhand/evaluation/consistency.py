"""The seed's label-free figures on whether clusters span clips.

They are kept for comparison and do not prove anything alone: random labels reach 0.95, and one
cluster of everything reaches 1. Read them beside :mod:`offhand.evaluation.controls`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """How a pooled clustering spreads over clips.

    Attributes
    ----------
    n_clusters, n_segments
        Counts; noise is no cluster.
    noise_share
        Share of segments that are noise, NaN without segments.
    seed_entropy
        Mean over clusters, weighted by size, of the entropy of the clips in a cluster over the
        logarithm of the number of clips it touches, in 0..1; NaN without clusters.
    seed_multi_clip_share
        Share of clusters that touch two clips or more; NaN without clusters.
    """

    n_clusters: int
    n_segments: int
    noise_share: float
    seed_entropy: float
    seed_multi_clip_share: float


def consistency(label: IntArray, clip_id: npt.NDArray[np.str_]) -> Consistency:
    """Measure a pooled clustering.

    Parameters
    ----------
    label
        ``(n,)``; below 0 for noise.
    clip_id
        ``(n,)``.
    """
    sizes, entropies, touched = [], [], []
    for cluster in np.unique(label[label >= 0]):
        _, counts = np.unique(clip_id[label == cluster], return_counts=True)
        sizes.append(counts.sum())
        touched.append(len(counts))
        entropies.append(_evenness(counts / counts.sum()))
    any_cluster = len(sizes) > 0
    return Consistency(
        n_clusters=len(sizes),
        n_segments=len(label),
        noise_share=float((label < 0).mean()) if len(label) else float("nan"),
        seed_entropy=float(np.average(entropies, weights=sizes)) if any_cluster else float("nan"),
        seed_multi_clip_share=(
            float((np.array(touched) >= 2).mean()) if any_cluster else float("nan")
        ),
    )


def _evenness(share: FloatArray) -> float:
    """Return entropy over its maximum, 0 for a single share."""
    if len(share) < 2:
        return 0.0
    return float(-(share * np.log(share)).sum() / np.log(len(share)))
