"""Structure: whether clusters are dense, with sparse space between them (DBCV).

Density-based validity of Moulavi et al. (2014, doi:10.1137/1.9781611973440.96).
"""

from __future__ import annotations

import numpy as np
import scipy

from offhand.records import FloatArray, IntArray

MAX_ROWS = 1000
"""Rows compared with each other at most; of more, evenly chosen ones."""


def density_validity(space: FloatArray, label: IntArray) -> float:
    """Return the density-based cluster validity index.

    Parameters
    ----------
    space
        ``(n, d)``.
    label
        ``(n,)``; noise lowers the index.

    Returns
    -------
    float
        In -1..1; NaN for fewer than two clusters of two or more rows.
    """
    step = -(-len(space) // MAX_ROWS) if len(space) else 1
    space, label = space[::step], label[::step]
    clusters = [np.flatnonzero(label == one) for one in np.unique(label[label >= 0])]
    clusters = [rows for rows in clusters if len(rows) >= 2]
    if len(clusters) < 2:
        return float("nan")
    core = [_core_distance(space[rows]) for rows in clusters]
    inner, sparseness = [], []
    for rows, own in zip(clusters, core, strict=True):
        node, widest = _inside(_reach(space[rows], own, space[rows], own))
        inner.append(node)
        sparseness.append(widest)
    total = 0.0
    for i, rows in enumerate(clusters):
        apart = min(
            _reach(
                space[rows[inner[i]]], core[i][inner[i]], space[other[inner[j]]], core[j][inner[j]]
            ).min()
            for j, other in enumerate(clusters)
            if j != i
        )
        widest = max(apart, sparseness[i])
        total += len(rows) / len(space) * ((apart - sparseness[i]) / widest if widest > 0 else 0.0)
    return float(total)


def _core_distance(points: FloatArray) -> FloatArray:
    """Return ``(n,)``: the generalised mean of the distances to all other points of a cluster."""
    distance = scipy.spatial.distance.cdist(points, points)
    np.fill_diagonal(distance, np.inf)
    nearest = np.maximum(distance.min(axis=1, keepdims=True), 1e-12)
    d = points.shape[1]
    ratio = np.minimum(nearest / np.maximum(distance, 1e-12), 1.0) ** d  # powers of at most 1
    return np.asarray(nearest[:, 0] * (ratio.sum(axis=1) / (len(points) - 1)) ** (-1 / d))


def _reach(
    one: FloatArray, core_one: FloatArray, other: FloatArray, core_other: FloatArray
) -> FloatArray:
    """Return mutual reachability distances ``(n, m)``."""
    return np.asarray(
        np.maximum(
            scipy.spatial.distance.cdist(one, other),
            np.maximum(core_one[:, None], core_other[None, :]),
        )
    )


def _inside(reach: FloatArray) -> tuple[IntArray, float]:
    """Return the inner points of a cluster's spanning tree, and its widest inner edge."""
    one, other = np.triu_indices(len(reach), 1)
    length = np.maximum(reach[one, other], 1e-12)  # an edge of length 0 would be none
    tree = scipy.sparse.csgraph.minimum_spanning_tree(
        scipy.sparse.csr_array((length, (one, other)), shape=reach.shape)
    ).tocoo()
    degree = np.bincount(np.concatenate([tree.row, tree.col]), minlength=len(reach))
    inner = np.flatnonzero(degree > 1)
    if not len(inner):
        inner = np.arange(len(reach))
    among = np.isin(tree.row, inner) & np.isin(tree.col, inner)
    edges = tree.data[among] if among.any() else tree.data
    return inner.astype(np.int64), float(edges.max())
