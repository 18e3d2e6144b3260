"""The first screen: the clusters that the report leads with, and what is counted in their time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from offhand.report.ranking import HIDDEN, MOST_ACTIVITIES
from offhand.report.tables import Tables, numbers
from offhand.report.view_activities import ActivitiesView, Activity, ClipShare
from offhand.report.view_clusters import ClipName, Cluster, Modality

NOT_WORK = "not work"


def activities_view(
    tables: Tables, names: Mapping[str, ClipName], modalities: Sequence[Modality]
) -> ActivitiesView:
    """Return the activities of the first modality that has clusters.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        Name and anchor of each clip that gave results, by ``clip_id``.
    modalities
        In the order of the report.
    """
    said = tables.corrections
    conflicts = tuple(conflict.text for conflict in said.conflicts)
    lead = next((m.default for m in modalities if m.default.clusters), None)
    if lead is None:
        return ActivitiesView(n_edits=tables.n_edits, conflicts=conflicts)
    labels = tables.pooled(lead.modality, lead.clusterer)
    bouts, none = bouts_by_label(tables.repetitions, labels), tables.repetitions.iloc[:0]
    seconds = labels.groupby(["label", "clip_id"])["seconds"].sum().to_dict()
    lengths = tables.segments.groupby("clip_id")["seconds"].sum().to_dict()
    found = [
        _activity(cluster, bouts.get(cluster.label, none), seconds, lengths, names)
        for cluster in sorted(lead.clusters, key=lambda c: -c.seconds)[:MOST_ACTIVITIES]
    ]
    return ActivitiesView(
        modality=lead.modality,
        clusterer=lead.clusterer,
        rows=tuple(row for row in found if not row.cluster.status),
        not_work=tuple(row for row in found if row.cluster.status == NOT_WORK),
        n_found=sum(not cluster.status for cluster in lead.clusters),
        n_confirmed=sum(c.is_confirmed and not c.status for c in lead.clusters),
        n_hidden=sum(cluster.status == HIDDEN for cluster in lead.clusters),
        n_edits=tables.n_edits,
        conflicts=conflicts,
    )


def bouts_by_label(repetitions: pd.DataFrame, labels: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Return the accepted bouts by the label that most of their time has; noise has them too.

    Parameters
    ----------
    repetitions
        The table ``repetitions``.
    labels
        Joined label rows of one clustering, in order of time within a clip.
    """
    bouts = repetitions[repetitions["accepted"].astype(bool)].reset_index(drop=True)
    rows_of_clip = labels.groupby("clip_id", observed=True).indices
    begins, ends = (bouts[name].to_numpy() for name in ("start_s", "stop_s"))
    columns = [labels[name].to_numpy() for name in ("start_s", "stop_s", "label")]
    found: dict[int, list[int]] = {}
    for clip_id, at in bouts.groupby("clip_id").indices.items():
        if clip_id not in rows_of_clip:
            continue
        places = np.asarray(at)
        starts, stops, named = (column[rows_of_clip[clip_id]].tolist() for column in columns)
        first = np.searchsorted(stops, begins[places], side="right").tolist()
        last = np.searchsorted(starts, ends[places]).tolist()
        for place, *meets in zip(places.tolist(), first, last, strict=True):
            shared: dict[int, float] = {}
            for k in range(*meets):
                seconds = min(stops[k], ends[place]) - max(starts[k], begins[place])
                shared[named[k]] = shared.get(named[k], 0.0) + seconds
            if shared:
                found.setdefault(max(shared, key=shared.__getitem__), []).append(place)
    return {label: bouts.take(sorted(places)) for label, places in found.items()}


def _activity(
    cluster: Cluster,
    bouts: pd.DataFrame,
    seconds: dict[Any, float],
    lengths: dict[Any, float],
    names: Mapping[str, ClipName],
) -> Activity:
    counts, periods, sure = (numbers(bouts[name]) for name in ("count", "period_s", "confidence"))
    low, middle, high = weighted_quantiles(periods, counts, (0.25, 0.5, 0.75))
    known = np.isfinite(sure) & (counts > 0)
    clips = []
    for clip_id, name in names.items():
        own = float(seconds.get((cluster.label, clip_id), 0.0))
        whole = float(lengths.get(clip_id, 0.0))
        clips.append(ClipShare(name=name, seconds=own, share=own / whole if whole else 0.0))
    return Activity(
        cluster=cluster,
        clips=tuple(clips),
        n_bouts=len(bouts),
        n_repetitions=int(counts.sum()),
        counted_s=float((bouts["stop_s"] - bouts["start_s"]).sum()),
        period_s=middle,
        period_low_s=low,
        period_high_s=high,
        confidence=float(np.average(sure[known], weights=counts[known]))
        if known.any()
        else math.nan,
        n_by_hand=int(bouts["by_hand"].sum()),
        pictured=names.get(cluster.shown_clip),
    )


def weighted_quantiles(
    values: np.ndarray[Any, np.dtype[np.float64]],
    weights: np.ndarray[Any, np.dtype[np.float64]],
    shares: Sequence[float],
) -> tuple[float, ...]:
    """Return the least values that hold given shares of the weight; NaN without any.

    Parameters
    ----------
    values, weights
        ``(n,)``; values that are NaN are left out.
    shares
        In 0..1.
    """
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return (math.nan,) * len(shares)
    order = np.argsort(values[known], kind="stable")
    ordered, total = values[known][order], np.cumsum(weights[known][order])
    places = np.searchsorted(total, np.asarray(shares) * total[-1] - 1e-12)
    return tuple(float(ordered[min(place, len(ordered) - 1)]) for place in places)
