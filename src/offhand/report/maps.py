"""Maps of the segments: positions from the table ``map``, colours from labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from offhand.report.tables import Tables
from offhand.report.view_clusters import ClipName, Clustering
from offhand.report.view_map import MapView, Point

MOST_POINTS = 1500


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
    table = tables.map[tables.map["modality"] == clustering.modality]
    labels = tables.pooled(clustering.modality, clustering.clusterer)
    table = table.merge(labels[["clip_id", "segment_id", "label"]], on=["clip_id", "segment_id"])
    if len(table) < 2:
        return None
    order = {clip_id: place for place, clip_id in enumerate(names)}
    clip = np.array([order[clip_id] for clip_id in table["clip_id"]], dtype=np.int64)
    label = table["label"].to_numpy(np.int64)
    places = table[["x", "y"]].to_numpy(np.float64)
    nearest = np.asarray(cKDTree(places).query(places, k=2)[1])
    other = np.where(nearest[:, 0] == np.arange(len(places)), nearest[:, 1], nearest[:, 0])
    colours = {cluster.label: cluster.colour for cluster in clustering.clusters}
    step = math.ceil(len(table) / MOST_POINTS)
    points = tuple(
        Point(
            x=1000 * x,
            y=1000 * (1 - y),
            clip=int(clip[row]),
            colour=colours.get(int(label[row]), -1),
            place=f"{table['clip_id'].iloc[row]}/{table['segment_id'].iloc[row]}",
        )
        for row, (x, y) in enumerate(places.tolist())
        if row % step == 0
    )
    grouped = label >= 0
    return MapView(
        method=str(table["method"].iloc[0]),
        points=points,
        n_left_out=len(table) - len(points),
        same_clip=float((clip == clip[other]).mean()),
        same_cluster=float((label == label[other])[grouped].mean()) if grouped.any() else math.nan,
        by_chance=(_chance(clip), _chance(label[grouped], len(label))),
    )


def _chance(group: np.ndarray[Any, np.dtype[np.int64]], n: int = 0) -> float:
    """Return how often another of ``n`` members drawn at random is of the same group."""
    sizes = np.unique(group, return_counts=True)[1]
    n = n or len(group)
    if not len(group) or n < 2:
        return math.nan
    return float((sizes * (sizes - 1)).sum() / (len(group) * (n - 1)))
