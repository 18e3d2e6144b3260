"""Mixing: whether the clips that hold a cluster lie mixed inside it, and not side by side.

Neighbourhoods are taken in the space that was clustered, so these figures describe clusters; they
are no test of them (:mod:`offhand.evaluation.shifts` is).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from offhand.records import BoolArray, FloatArray, IntArray

LEAST_SHARE = 0.02
"""Share of a clip's segments that a cluster needs there to be supported by it: of 12 segments one,
of 100 two. So a clip with few segments counts, and a stray segment of a long one does not."""

LEAST_CLIPS = 2
"""Supporting clips below which a cluster is not judged."""

LEAST_SEGMENTS = 4
"""Segments in supporting clips below which a cluster is not judged."""

PERPLEXITY = 30.0
"""Effective number of neighbours; fewer in small clusters: a third of the others."""

MAX_QUERIES = 2000
"""Segments of a cluster, or of all, whose neighbours are looked for; more are thinned at random."""

MAX_DISTANCES = 2**24
"""Distances held at a time."""

MAX_COMPARED = 20_000
"""Segments up to which a query is compared with all of them; of more, with near ones first."""

FIRST_NEIGHBOURS = 16
"""Near segments that are looked at first for one of another clip."""

PERMUTATIONS = 10
"""Permutations of clips that tell what perfect mixing would give."""


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """How clips mix in clusters.

    Attributes
    ----------
    cluster
        ``(k,)``: labels.
    n_segments, n_clips
        ``(k,)``: size, and supporting clips.
    is_judged
        ``(k,)``: whether support suffices.
    ilisi
        ``(k,)``: inverse Simpson index of the clips around a segment (iLISI, Korsunsky et al. 2019,
        doi:10.1038/s41592-019-0619-0), rescaled: 0 for one clip alone, 1 for what the clips' sizes
        in the cluster give when mixed at random. NaN where it is not judged.
    kbet
        ``(k,)``: share of segments whose neighbours hold clips as the cluster does, by a chi-square
        test at 5 % (kBET, Büttner et al. 2019, doi:10.1038/s41592-018-0254-1). NaN as above.
    enrichment
        ``(k,)``: how often the nearest segment of another clip has the same label, over how often a
        random one would; 1 for chance. NaN as above.
    overall, acceptance
        ``ilisi`` and ``kbet`` over all segments: those of clusters that are not judged, and noise,
        count 0. NaN without segments.
    overall_enrichment
        Like ``enrichment``, over all segments; noise matches nothing. NaN where chance gives none.
    """

    cluster: IntArray
    n_segments: IntArray
    n_clips: IntArray
    is_judged: BoolArray
    ilisi: FloatArray
    kbet: FloatArray
    enrichment: FloatArray
    overall: float
    acceptance: float
    overall_enrichment: float


def mixing(space: FloatArray, label: IntArray, clip: IntArray, *, seed: int) -> Mixing:
    """Measure how clips mix in clusters.

    Parameters
    ----------
    space
        ``(n, d)``.
    label
        ``(n,)``, below 0 for noise.
    clip
        ``(n,)``: clip of each segment, or the group that is to be mixed.
    seed
        Seed of thinning and permutations.
    """
    rng = np.random.default_rng(seed)
    cluster = np.unique(label[label >= 0])
    k = len(cluster)
    sizes, clips = np.zeros(k, np.int64), np.zeros(k, np.int64)
    judged = np.zeros(k, dtype=bool)
    ilisi, kbet = np.full(k, np.nan), np.full(k, np.nan)
    for place, number in enumerate(cluster):
        members = np.flatnonzero(label == number)
        held = supporting(clip[members], clip)
        inside = members[np.isin(clip[members], held)]
        sizes[place], clips[place] = len(members), len(held)
        judged[place] = len(held) >= LEAST_CLIPS and len(inside) >= LEAST_SEGMENTS
        if judged[place]:
            ilisi[place], kbet[place] = _neighbourhoods(space[inside], clip[inside], rng)
    own, overall_enrichment = _enrichment(space, label, clip, cluster, rng)
    share = sizes / len(label) if len(label) else np.zeros(k)
    return Mixing(
        cluster=cluster,
        n_segments=sizes,
        n_clips=clips,
        is_judged=judged,
        ilisi=ilisi,
        kbet=kbet,
        enrichment=np.where(judged, own, np.nan),
        overall=float((share * np.nan_to_num(ilisi)).sum()) if len(label) else float("nan"),
        acceptance=float((share * np.nan_to_num(kbet)).sum()) if len(label) else float("nan"),
        overall_enrichment=overall_enrichment,
    )


def supporting(members: IntArray, clip: IntArray) -> IntArray:
    """Return the clips in which a cluster has enough segments.

    Parameters
    ----------
    members
        ``(m,)``: clips of the cluster's segments.
    clip
        ``(n,)``: clips of all segments.
    """
    held, counts = np.unique(members, return_counts=True)
    clips, sizes = np.unique(clip, return_counts=True)
    total = sizes[np.searchsorted(clips, held)]
    return np.asarray(held[counts >= np.maximum(1, LEAST_SHARE * total)])


def _neighbourhoods(
    points: FloatArray, clip: IntArray, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the rescaled iLISI and the share of accepted neighbourhoods of one cluster."""
    n = len(points)
    queries = np.arange(n)
    if n > MAX_QUERIES:
        queries = np.sort(rng.choice(n, MAX_QUERIES, replace=False))
    perplexity = max(2.0, min(PERPLEXITY, (n - 1) / 3))
    k = min(n - 1, round(3 * perplexity))
    found = scipy.spatial.KDTree(points).query(points[queries], k=k + 1)
    distance, neighbour = _without_self(np.asarray(found[0]), np.asarray(found[1]), queries)
    weight = neighbour_weights(distance, perplexity)
    number = np.unique(clip, return_inverse=True)[1]
    observed = inverse_simpson(number[neighbour], weight)
    random = np.mean(
        [
            inverse_simpson(rng.permutation(number)[neighbour], weight).mean()
            for _ in range(PERMUTATIONS)
        ]
    )
    spread = (observed.mean() - 1) / (random - 1) if random > 1 else 0.0
    return float(np.clip(spread, 0.0, 1.0)), acceptance(number[neighbour], number)


def _without_self(
    distance: FloatArray, neighbour: IntArray, queries: IntArray
) -> tuple[FloatArray, IntArray]:
    """Leave out each query itself, or its farthest neighbour where twins hid it."""
    own = neighbour == queries[:, None]
    own[~own.any(axis=1), -1] = True
    shape = len(queries), neighbour.shape[1] - 1
    return distance[~own].reshape(shape), neighbour[~own].reshape(shape)


def neighbour_weights(distance: FloatArray, perplexity: float) -> FloatArray:
    """Return weights ``(n, k)`` that sum to 1 and fall off as fast as gives the perplexity."""
    low, high = np.full(len(distance), -60.0), np.full(len(distance), 60.0)
    beyond = distance / np.maximum(distance.mean(axis=1, keepdims=True), 1e-12)
    beyond -= beyond.min(axis=1, keepdims=True)
    goal = np.log(min(perplexity, 0.999 * distance.shape[1]))
    weight = np.full_like(beyond, 1 / beyond.shape[1])
    for _ in range(50):
        middle = (low + high) / 2
        weight = np.exp(-beyond * np.exp(middle)[:, None])
        weight /= weight.sum(axis=1, keepdims=True)
        entropy = -(weight * np.log(np.maximum(weight, 1e-300))).sum(axis=1)
        low = np.where(entropy > goal, middle, low)
        high = np.where(entropy > goal, high, middle)
    return np.asarray(weight)


def inverse_simpson(clip: IntArray, weight: FloatArray) -> FloatArray:
    """Return the effective number of clips ``(n,)`` among weighted neighbours ``(n, k)``."""
    _, number = np.unique(clip, return_inverse=True)
    shares = _by_clip(number.reshape(clip.shape), weight)
    return np.asarray(1 / (shares**2).sum(axis=1))


def _by_clip(clip: IntArray, weight: FloatArray) -> FloatArray:
    """Add up weights ``(n, k)`` by clip, numbered from 0: ``(n, clips)``."""
    width = int(clip.max()) + 1
    place = clip + width * np.arange(len(clip))[:, None]
    added = np.bincount(place.ravel(), weight.ravel(), minlength=len(clip) * width)
    return np.asarray(added.reshape(len(clip), width), np.float64)


def acceptance(neighbours: IntArray, clip: IntArray) -> float:
    """Return the share of neighbourhoods that hold clips in the proportion of all.

    Parameters
    ----------
    neighbours
        ``(n, k)``: clips of each segment's neighbours.
    clip
        ``(m,)``: clips of all segments of the cluster.
    """
    k = neighbours.shape[1]
    clips, counts = np.unique(clip, return_counts=True)
    expected = counts / counts.sum() * k
    number = np.searchsorted(clips, neighbours)
    found = np.zeros((len(neighbours), len(clips)))
    seen = _by_clip(number, np.ones(number.shape))
    found[:, : seen.shape[1]] = seen
    statistic = ((found - expected) ** 2 / expected).sum(axis=1)
    return float((scipy.stats.chi2.sf(statistic, len(clips) - 1) > 0.05).mean())


def _enrichment(
    space: FloatArray,
    label: IntArray,
    clip: IntArray,
    cluster: IntArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, float]:
    """Return by cluster, and over all, how much oftener than chance neighbours share a label."""
    n = len(label)
    clips, own_clip = np.unique(clip, return_inverse=True)
    held = np.zeros((len(clips), len(cluster)))  # segments by clip and cluster
    known = label >= 0
    place_of = np.searchsorted(cluster, label[known])
    np.add.at(held, (own_clip[known], place_of), 1)
    others = np.maximum(1, n - np.bincount(own_clip, minlength=len(clips)))
    expected = (held.sum(axis=0) - held) / others[:, None]
    queries = np.arange(n)
    if n > MAX_QUERIES:
        queries = np.sort(rng.choice(n, MAX_QUERIES, replace=False))
    chance = np.zeros(len(queries))
    nearest = _nearest_elsewhere(space, clip, queries)
    alone = nearest < 0
    same = (label[nearest] == label[queries]) & (label[queries] >= 0) & ~alone
    known = label[queries] >= 0
    place_of = np.searchsorted(cluster, label[queries[known]])
    chance[known] = expected[own_clip[queries[known]], place_of]
    found = np.full(len(cluster), np.nan)
    for place, number in enumerate(cluster):
        own_rows = label[queries] == number
        if chance[own_rows].sum() > 0:
            found[place] = same[own_rows].sum() / chance[own_rows].sum()
    overall = same.sum() / chance.sum() if chance.sum() > 0 else float("nan")
    return found, float(overall)


def _nearest_elsewhere(space: FloatArray, clip: IntArray, queries: IntArray) -> IntArray:
    """Return each query's nearest segment of another clip ``(q,)``, -1 where there is none."""
    found = np.full(len(queries), -1)
    left = np.arange(len(queries))
    if len(space) > MAX_COMPARED:  # else a tree is no gain
        tree, k = scipy.spatial.KDTree(space), FIRST_NEIGHBOURS
        while len(left) and k < len(space) // 8:
            rows = queries[left]
            neighbour = np.asarray(tree.query(space[rows], k=[*range(1, k + 1)])[1])
            elsewhere = clip[neighbour] != clip[rows][:, None]
            met = elsewhere.any(axis=1)
            found[left[met]] = neighbour[met, elsewhere[met].argmax(axis=1)]
            left, k = left[~met], 4 * k
    at_once = min(256, max(1, MAX_DISTANCES // max(1, len(space))))
    for first in range(0, len(left), at_once):
        part = left[first : first + at_once]
        distance = scipy.spatial.distance.cdist(space[queries[part]], space)
        distance[clip[queries[part]][:, None] == clip[None, :]] = np.inf
        found[part] = np.where(np.isinf(distance.min(axis=1)), -1, distance.argmin(axis=1))
    return found
