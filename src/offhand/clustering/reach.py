"""The graph that HDBSCAN's tree spans, of near points only: for more rows than can be compared.

An edge of the spanning tree of mutual reachability joins, but for few, points that are among each
other's nearest; so the tree of the graph of nearest neighbours is nearly that of all pairs.
"""

from __future__ import annotations

import numpy as np
import scipy

from offhand.clustering.neighbours import nearest
from offhand.records import FloatArray, IntArray

NEIGHBOURS = 12
"""Nearest points that each point is joined to, itself included."""

SLACK = 0.5
"""A neighbour may be this share farther than the true one: exact ones take four times as long."""

MAX_SHOWN = 3000
"""Points that stand for the parts of the graph where these are joined."""

SHORTEST = 1e-12
"""Length of an edge between equal points: one of length 0 would be none."""

Edges = tuple[IntArray, IntArray, FloatArray]
"""Two ends ``(m,)`` and lengths ``(m,)``."""


def reachability(space: FloatArray, *, min_samples: int, smallest: int) -> scipy.sparse.csr_array:
    """Return the mutual reachability of near points: one connected graph.

    Parameters
    ----------
    space
        ``(n, d)``.
    min_samples
        Neighbours, the point itself included, within the core distance.
    smallest
        Parts of the graph with fewer points are joined to what is nearest to any of their points;
        larger ones are clusters, whose order alone depends on what joins them, and evenly chosen
        points stand for them until the gap is found.
    """
    n = len(space)
    k = min(n, max(NEIGHBOURS, min_samples + 1))
    distance, neighbour = nearest(space, k, slack=SLACK)
    core = distance[:, min_samples - 1]
    one = np.repeat(np.arange(n), neighbour.shape[1])
    graph = _graph(_lengths((one, neighbour.ravel(), distance.ravel()), core), n)
    tree = scipy.spatial.KDTree(space)
    while True:
        part = scipy.sparse.csgraph.connected_components(graph, directed=False)[1].astype(np.int64)
        parts = np.split(np.argsort(part, kind="stable"), np.bincount(part).cumsum()[:-1])
        if len(parts) == 1:
            return graph
        small = [rows for rows in parts if len(rows) < smallest]
        added = _out_of(small, space, core, part, tree) if small else _gaps(parts, space)
        graph = graph.maximum(_graph(_lengths(added, core), n))


def _lengths(edges: Edges, core: FloatArray) -> Edges:
    """Return edges with mutual reachability for their distance, those to oneself left out."""
    one, other, distance = edges
    apart = one != other
    one, other = one[apart], other[apart]
    reach = np.maximum(distance[apart], np.maximum(core[one], core[other]))
    return one, other, np.maximum(reach, SHORTEST)


def _graph(edges: Edges, n: int) -> scipy.sparse.csr_array:
    """Return a symmetric graph; each pair occurs at most once in each direction."""
    one, other, length = edges
    graph = scipy.sparse.coo_array((length, (one, other)), shape=(n, n)).tocsr()
    return scipy.sparse.csr_array(graph.maximum(graph.T.tocsr()))


def _out_of(
    parts: list[IntArray],
    space: FloatArray,
    core: FloatArray,
    part: IntArray,
    tree: scipy.spatial.KDTree,
) -> Edges:
    """Return the shortest edge out of each part, which has few points."""
    found = []
    for rows in parts:
        nearest_ones = tree.query(space[rows], k=[*range(1, len(rows) + 2)])
        distance, neighbour = map(np.asarray, nearest_ones)
        reach = np.maximum(distance, np.maximum(core[rows][:, None], core[neighbour]))
        reach[part[neighbour] == part[rows[0]]] = np.inf
        own, place = np.unravel_index(int(reach.argmin()), reach.shape)
        found.append((rows[own], neighbour[own, place], distance[own, place]))
    return _unique(found)


def _gaps(parts: list[IntArray], space: FloatArray) -> Edges:
    """Return edges that join all parts, about the shortest there are."""
    total = sum(map(len, parts))
    shown = [rows[:: max(1, -(-total // MAX_SHOWN))] for rows in parts]
    starts = np.cumsum([0, *map(len, shown)])[:-1]
    points = np.concatenate(shown)
    apart = scipy.spatial.distance.cdist(space[points], space[points])
    gap = np.minimum.reduceat(np.minimum.reduceat(apart, starts, axis=0), starts, axis=1)
    np.fill_diagonal(gap, 0.0)
    joins = scipy.sparse.csgraph.minimum_spanning_tree(
        scipy.sparse.csr_array(np.maximum(gap, SHORTEST))
    ).tocoo()
    trees = [scipy.spatial.KDTree(space[rows]) for rows in parts]
    found = []
    for a, b in zip(joins.row.tolist(), joins.col.tolist(), strict=True):
        between = apart[starts[a] :, starts[b] :][: len(shown[a]), : len(shown[b])]
        own = shown[a][int(between.argmin()) // between.shape[1]]
        length = np.inf
        while True:  # from the nearest to its nearest, to and fro, as long as the gap shrinks
            there = parts[b][int(trees[b].query(space[own])[1])]
            own = parts[a][int(trees[a].query(space[there])[1])]
            distance = float(np.linalg.norm(space[own] - space[there]))
            if distance >= length:
                break
            length = distance
        found.append((own, there, distance))
    return _unique(found)


def _unique(found: list[tuple[int, int, float]]) -> Edges:
    """Return edges, each pair of points once: two parts may be joined from both sides."""
    by_pair = {(min(a, b), max(a, b)): length for a, b, length in found}
    ends = np.array(list(by_pair), np.int64)
    return ends[:, 0], ends[:, 1], np.array(list(by_pair.values()))
