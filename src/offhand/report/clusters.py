"""Clusters of a clustering: size, reach, colour, and what their segments measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from offhand.records import FloatArray
from offhand.report.facts import cluster_facts
from offhand.report.tables import IntArray
from offhand.report.view_clusters import Cluster
from offhand.report.wording import cluster_name


def cluster_list(
    labels: pd.DataFrame, features: Mapping[str, pd.DataFrame], *, total_s: float
) -> list[Cluster]:
    """Return the clusters among some labels, those in most clips first, then by time.

    The colour is the rank by time, so that the largest clusters get the clearest colours.

    Parameters
    ----------
    labels
        Joined label rows of one clustering.
    features
        What tells the reader about them, by modality; empty for clusters without facts.
    total_s
        Time that shares refer to.
    """
    label = labels["label"].to_numpy(np.int64)
    clips = labels["clip_id"].groupby(label).nunique().to_dict()
    facts = cluster_facts(labels[label >= 0], features) if features else {}
    clusters = [
        Cluster(
            label=own,
            name=cluster_name(own),
            colour=colour,
            n_segments=n_segments,
            n_clips=int(clips[own]),
            seconds=own_s,
            time_share=own_s / total_s if total_s else float("nan"),
            facts=facts.get(own, ()),
        )
        for colour, (own, own_s, n_segments) in enumerate(
            by_time(label, labels["seconds"].to_numpy(np.float64))
        )
    ]
    return sorted(clusters, key=lambda c: (-c.n_clips, -c.seconds))


def by_time(labels: IntArray, seconds: FloatArray) -> list[tuple[int, float, int]]:
    """Return label, seconds and number of segments of each cluster, the most time first.

    Parameters
    ----------
    labels, seconds
        Of some segments, ``(n,)``; noise is in no cluster.
    """
    inside = labels >= 0
    values, group, sizes = np.unique(labels[inside], return_inverse=True, return_counts=True)
    lasting = np.bincount(group, weights=seconds[inside], minlength=len(values))
    order = np.argsort(-lasting, kind="stable")
    return [(int(values[k]), float(lasting[k]), int(sizes[k])) for k in order]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries of plain Python values."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
