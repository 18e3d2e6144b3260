"""Clusters of a clustering: size, reach, colour, and what their segments measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from offhand.report.tables import numbers, reader_columns
from offhand.report.view import Cluster, Fact
from offhand.report.wording import cluster_name, feature_words

MOST_FACTS = 7


def cluster_list(
    labels: pd.DataFrame, features: pd.DataFrame | None, *, total_s: float
) -> list[Cluster]:
    """Return the clusters among some labels, those in most clips first, then by time.

    The colour is the rank by time, so that the largest clusters get the clearest colours.

    Parameters
    ----------
    labels
        Joined label rows of one clustering.
    features
        The modality's features, ``None`` where it has none.
    total_s
        Time that shares refer to.
    """
    kept = labels[labels["label"] >= 0]
    if kept.empty:
        return []
    groups = kept.groupby("label")
    sizes = pd.DataFrame(
        {
            "seconds": groups["seconds"].sum(),
            "n": groups.size(),
            "clips": groups["clip_id"].nunique(),
        }
    ).sort_values("seconds", ascending=False, kind="stable")
    sizes["colour"] = np.arange(len(sizes))
    facts = _facts(kept, features)
    clusters = [
        Cluster(
            label=label,
            name=cluster_name(label),
            colour=int(row["colour"]),
            n_segments=int(row["n"]),
            n_clips=int(row["clips"]),
            seconds=float(row["seconds"]),
            time_share=float(row["seconds"]) / total_s if total_s else float("nan"),
            facts=facts.get(label, ()),
        )
        for label, row in keyed_rows(sizes)
    ]
    return sorted(clusters, key=lambda c: (-c.n_clips, -c.seconds))


def keyed_rows(table: pd.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Return the rows of a table with an integer index, as dictionaries."""
    return [(int(key), row) for key, row in zip(table.index.tolist(), rows_of(table), strict=True)]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries of plain Python values."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _facts(kept: pd.DataFrame, features: pd.DataFrame | None) -> dict[int, tuple[Fact, ...]]:
    """Return per label the median of each informing feature, NaN where most rows lack it."""
    if features is None:
        return {}
    columns = reader_columns(features)[:MOST_FACTS]
    joined = kept[["clip_id", "segment_id", "label"]].merge(features, on=["clip_id", "segment_id"])
    facts = {}
    for label, rows in joined.groupby("label"):
        words = [feature_words(c, _typical(numbers(rows[c]))) for c in columns]
        facts[int(str(label))] = tuple(Fact(name=name, text=text) for name, text in words)
    return facts


def _typical(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Return the median, NaN where fewer than half of the values are finite."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or 2 * len(finite) < len(values):
        return float("nan")
    return float(np.median(finite))
