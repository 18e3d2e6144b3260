"""Maps of the segments: positions from the table ``map``, colours from labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from offhand.report.bounds import evenly
from offhand.report.tables import PLACE, Tables
from offhand.report.view_clusters import ClipName, Clustering
from offhand.report.view_map import MapView, Point

MOST_POINTS = 1500
MOST_ASKED = 20_000
"""Points whose nearest neighbour is looked for, an even choice of them."""

UNLABELLED = -(2**31)


def map_view(
    tables: Tables, names: Mapping[str, ClipName], clustering: Clustering
) -> MapView | None:
    """Return the map of a modality with the clusters of one clustering, ``None`` without one.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        The clips, in the order of the run.
    clustering
        Whose clusters are shown.
    """
    table = tables.map[(tables.map["modality"] == clustering.modality).to_numpy()]
    labels = tables.pooled(clustering.modality, clustering.clusterer)
    label_at = np.full(len(tables.segments), UNLABELLED)
    label_at[labels[PLACE].to_numpy()] = labels["label"].to_numpy(np.int64)
    table = table[label_at[table[PLACE].to_numpy()] != UNLABELLED]
    if len(table) < 2:
        return None
    order = {clip_id: place for place, clip_id in enumerate(names)}
    codes = [order.get(clip_id, -1) for clip_id in table["clip_id"].cat.categories]
    clip = np.array(codes, dtype=np.int64)[table["clip_id"].cat.codes.to_numpy()]
    label = label_at[table[PLACE].to_numpy()]
    places = table[["x", "y"]].to_numpy(np.float64)
    asked = np.array(evenly(len(places), MOST_ASKED))
    nearest = np.asarray(cKDTree(places).query(places[asked], k=2)[1])
    other = np.where(nearest[:, 0] == asked, nearest[:, 1], nearest[:, 0])
    colours = {cluster.label: cluster.colour for cluster in clustering.clusters}
    rows = evenly(len(table), MOST_POINTS)
    columns = (clip[rows], label[rows], *places[rows].T)
    keys = zip(table["clip_id"].iloc[rows].astype(str), table["segment_id"].iloc[rows], strict=True)
    points = tuple(
        Point(
            x=1000 * x,
            y=1000 * (1 - y),
            clip=of,
            colour=colours.get(own, -1),
            place=f"{clip_id}/{segment_id}",
        )
        for of, own, x, y, (clip_id, segment_id) in zip(
            *(column.tolist() for column in columns), keys, strict=True
        )
    )
    grouped, inside = label >= 0, label[asked] >= 0
    same_cluster = (label[asked] == label[other])[inside]
    return MapView(
        method=str(table["method"].iloc[0]),
        points=points,
        n_left_out=len(table) - len(points),
        same_clip=float((clip[asked] == clip[other]).mean()),
        same_cluster=float(same_cluster.mean()) if len(same_cluster) else math.nan,
        by_chance=(_chance(clip), _chance(label[grouped], len(label))),
    )


def _chance(group: np.ndarray[Any, np.dtype[np.int64]], n: int = 0) -> float:
    """Return how often another of ``n`` members drawn at random is of the same group."""
    sizes = np.unique(group, return_counts=True)[1]
    n = n or len(group)
    if not len(group) or n < 2:
        return math.nan
    return float((sizes * (sizes - 1)).sum() / (len(group) * (n - 1)))
