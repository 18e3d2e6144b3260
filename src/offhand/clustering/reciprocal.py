"""Ward's linkage of more rows than a matrix of distances can hold.

Clusters that are each other's nearest are merged, all such pairs at once, over and over. Ward's
distance is reducible (a merged cluster is no nearer to a third than the nearer of its parts was),
so the tree is that of merging the nearest pair of all each time (Bruynooghe 1977; Murtagh 1983,
doi:10.1093/comjnl/26.4.354). While there are too many clusters to look for the nearest one exactly,
one of the nearest is taken: that concerns the merges of a few rows each.
"""

from __future__ import annotations

import numpy as np
import scipy

from offhand.clustering.neighbours import LEAF, by_leaf
from offhand.records import FloatArray, IntArray

FIRST, MORE = 4, 4
"""Clusters of one size looked at first, and how many times as many if that does not suffice."""
MAX_EXACT = 20_000
"""Clusters up to which the nearest one is found for certain."""

SLACK = 1.0
"""With more, a centre may be this share farther than the nearest one of its size."""


def linkage_of_many(space: FloatArray) -> FloatArray:
    """Return Ward's linkage ``(n - 1, 4)`` of rows ``(n, d)``, in the form of SciPy's."""
    n, node = len(space), by_leaf(space)
    centre, size = space[node], np.ones(n)
    height = np.zeros(n)
    partner, cost = np.full(n, -1), np.full(n, np.inf)
    merges: list[FloatArray] = []
    made = n
    while len(centre) > 1:
        stale = np.flatnonzero(partner < 0)
        partner[stale], cost[stale] = _nearest_clusters(centre, size, stale)
        first, second = _mutual(partner, cost)
        new = np.arange(made, made + len(first))
        reached = np.maximum(cost[first], np.maximum(height[first], height[second]))  # rounding
        total = size[first] + size[second]
        merges.append(np.column_stack([node[first], node[second], reached, total]))
        shares = (size[first] / total)[:, None], (size[second] / total)[:, None]
        centre[first] = shares[0] * centre[first] + shares[1] * centre[second]
        size[first], height[first], node[first] = total, reached, new
        made += len(first)
        gone = np.zeros(len(centre), dtype=bool)
        gone[second] = True
        changed = gone.copy()
        changed[first] = True
        partner = np.where(changed | changed[partner], -1, partner)
        number = np.cumsum(~gone) - 1
        partner = np.where(partner < 0, -1, number[partner])[~gone]
        centre, size, height = centre[~gone], size[~gone], height[~gone]
        node, cost = node[~gone], cost[~gone]
    return _in_order(np.concatenate(merges), n)


def _nearest_clusters(
    centre: FloatArray, size: FloatArray, asked: IntArray
) -> tuple[IntArray, FloatArray]:
    """Return each asked cluster's nearest other one, and Ward's distance to it.

    Clusters of about one size are searched together: what lies farther than the ones found has at
    least Ward's distance of the smallest of them there, and if that is too little, more are found.
    Among more than ``MAX_EXACT`` clusters those found first suffice.
    """
    partner, best = np.full(len(asked), -1), np.full(len(asked), np.inf)
    is_exact = len(centre) <= MAX_EXACT
    octave = np.log2(size).astype(np.int64)
    for one in np.unique(octave)[::-1]:
        rows = np.flatnonzero(octave == one)
        tree, least, k = scipy.spatial.KDTree(centre[rows], LEAF), size[rows].min(), FIRST
        open_ = np.arange(len(asked))
        while len(open_):
            k = min(k, len(rows))
            own = asked[open_]
            found = tree.query(centre[own], k=[*range(1, k + 1)], eps=0.0 if is_exact else SLACK)
            distance, other = np.asarray(found[0]), rows[found[1]]
            cost = _cost(distance, size[own][:, None], size[other])
            cost[other == own[:, None]] = np.inf
            place = np.arange(len(own)), cost.argmin(axis=1)
            nearer = cost[place] < best[open_]
            best[open_[nearer]], partner[open_[nearer]] = cost[place][nearer], other[place][nearer]
            beyond = _cost(distance[:, -1], size[own], least)
            open_ = open_[(beyond < best[open_]) & is_exact] if k < len(rows) else open_[:0]
            k *= MORE
    return partner, best


def _cost(distance: FloatArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """Return Ward's distance of clusters from the distance of their centres and their sizes."""
    return np.asarray(distance * np.sqrt(2 * one * other / (one + other)))


def _mutual(partner: IntArray, cost: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the pairs of clusters that want each other; at least one.

    Of several at one distance, a cluster wants the pair of lowest numbers, its own among them.
    """
    own = np.arange(len(partner))
    low, high = np.minimum(own, partner), np.maximum(own, partner)
    asking, low, high = np.concatenate([own, partner]), np.tile(low, 2), np.tile(high, 2)
    order = np.lexsort((high, low, np.tile(cost, 2), asking))
    first = np.searchsorted(asking[order], own)
    wanted = (low + high)[order][first] - own
    mutual = (wanted[wanted] == own) & (own < wanted)
    return own[mutual], wanted[mutual]


def _in_order(merges: FloatArray, n: int) -> FloatArray:
    """Return merges in order of height, with nodes numbered in that order."""
    order = np.argsort(merges[:, 2], kind="stable")
    number = np.arange(n + len(merges))
    number[n + order] = n + np.arange(len(merges))
    tree = merges[order]
    tree[:, :2] = np.sort(number[tree[:, :2].astype(np.int64)], axis=1)
    return tree
