"""Clusters of a clustering: size, reach, colour, and what their segments measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from offhand.report.facts import cluster_facts
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
    members: dict[int, list[tuple[str, float]]] = {}
    columns = (labels[name].tolist() for name in ("label", "clip_id", "seconds"))
    for label, clip_id, seconds in zip(*columns, strict=True):
        if label >= 0:
            members.setdefault(label, []).append((clip_id, seconds))
    sizes = {label: sum(seconds for _, seconds in of) for label, of in members.items()}
    by_time = sorted(sorted(sizes), key=lambda label: -sizes[label])
    facts = cluster_facts(labels[labels["label"] >= 0], features) if members and features else {}
    clusters = [
        Cluster(
            label=label,
            name=cluster_name(label),
            colour=colour,
            n_segments=len(members[label]),
            n_clips=len({clip_id for clip_id, _ in members[label]}),
            seconds=sizes[label],
            time_share=sizes[label] / total_s if total_s else float("nan"),
            facts=facts.get(label, ()),
        )
        for colour, label in enumerate(by_time)
    ]
    return sorted(clusters, key=lambda c: (-c.n_clips, -c.seconds))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries of plain Python values."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
