"""What there is to audit in a workspace: counts and cluster members, by stratum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from offhand.annotations.audits import CountItem, Item, MemberItem
from offhand.annotations.corrected import Corrected
from offhand.annotations.edits import Log, Stretch, read_log
from offhand.errors import OffhandError
from offhand.stages.activities import corrected_results
from offhand.store.workspace import Workspace

THIRDS = ("low confidence", "middle confidence", "high confidence")
"""Strata of counts: equally many, by confidence."""

TOLERANCE_S = 0.1
"""How far the ends of a stretch may move for it to be the same one."""


def results(workspace: Workspace, *, n_edits: int | None = None) -> tuple[Corrected, int]:
    """Return the tables with the first so many corrections, or with all, and how many they are."""
    edits = read_log(workspace.path).edits[:n_edits]
    return corrected_results(workspace, Log(edits=edits)), len(edits)


def count_strata(found: Corrected) -> dict[str, list[CountItem]]:
    """Return the counts to check, in thirds by confidence; those made by hand are left out."""
    bouts = _counted(found).sort_values(["confidence", "clip_id", "start_s"], kind="stable")
    parts = np.array_split(np.arange(len(bouts)), len(THIRDS))
    strata = {}
    for name, part in zip(THIRDS, parts, strict=True):
        rows = bouts.iloc[part].sort_values(["clip_id", "start_s"])
        strata[name] = [
            CountItem(
                id=f"count/{_place(stretch)}", stratum=name, stretch=stretch, count=int(count)
            )
            for stretch, count in zip(_stretches(rows), rows["count"], strict=True)
        ]
    return {name: items for name, items in strata.items() if items}


def member_strata(found: Corrected, modality: str) -> dict[str, list[MemberItem]]:
    """Return the members to check of a modality's pooled clusters, with its default clusterer.

    Noise, hidden clusters, and the exemplars that stand for their clusters are left out.

    Raises
    ------
    OffhandError
        The modality has no clusters.
    """
    labels = found.labels[(found.labels["scope"] == "pooled") & found.labels["is_default"]]
    own = labels[labels["modality"] == modality]
    if not len(own):
        names = ", ".join(sorted(set(labels["modality"])))
        raise OffhandError(f"no clusters of {modality!r}; there are those of: {names or 'nothing'}")
    clusterer = str(own["clusterer"].iloc[0])
    strata = {}
    for label, rows in _members(found, modality, clusterer).groupby("label"):
        status = found.statuses.get((modality, clusterer, int(str(label))))
        if status == "hidden" or len(rows) < 2:
            continue
        best = rows.sort_values(["rank", "clip_id", "start_s"], kind="stable").index[0]
        (exemplar,) = _stretches(rows.loc[[best]])
        name = f"C{label}"
        strata[name] = [
            MemberItem(
                id=f"member/{modality}/{_place(stretch)}",
                stratum=name,
                modality=modality,
                clusterer=clusterer,
                stretch=stretch,
                exemplar=exemplar,
            )
            for stretch in _stretches(rows.drop(best).sort_values(["clip_id", "start_s"]))
        ]
    return strata


def held(found: Corrected, items: Iterable[Item]) -> set[str]:
    """Return the names of those items that results still say: their count, or their cluster."""
    bouts = _counted(found)
    members: dict[tuple[str, str], pd.DataFrame] = {}
    names = set()
    for item in items:
        if isinstance(item, CountItem):
            is_held = bool((bouts[_is_at(bouts, item.stretch)]["count"] == item.count).any())
        else:
            key = item.modality, item.clusterer
            if key not in members:
                members[key] = _members(found, *key)
            rows = members[key]
            ours, theirs = (rows[_is_at(rows, at)]["label"] for at in (item.stretch, item.exemplar))
            is_held = bool(set(ours) & set(theirs))
        if is_held:
            names.add(item.id)
    return names


def _counted(found: Corrected) -> pd.DataFrame:
    table = found.repetitions
    return table[table["accepted"].astype(bool) & ~table["by_hand"].astype(bool)]


def _members(found: Corrected, modality: str, clusterer: str) -> pd.DataFrame:
    """Return the segments in clusters; the least ``rank`` stands for a cluster."""
    keys = ["modality", "clusterer", "scope", "label", "clip_id", "segment_id"]
    labels = found.labels
    own = labels[
        (labels["scope"] == "pooled")
        & (labels["modality"] == modality)
        & (labels["clusterer"] == clusterer)
        & (labels["label"] >= 0)
    ]
    rows = own[keys].merge(found.exemplars[[*keys, "is_medoid"]], on=keys, how="left")
    rows = rows.merge(found.segments, on=["clip_id", "segment_id"])
    is_medoid = rows["is_medoid"].astype("boolean").astype("Int64")
    return rows.assign(rank=(1 - is_medoid).fillna(2).astype(int))


def _is_at(rows: pd.DataFrame, stretch: Stretch) -> pd.Series[bool]:
    return (
        (rows["clip_id"] == stretch.clip_id)
        & ((rows["start_s"] - stretch.start_s).abs() <= TOLERANCE_S)
        & ((rows["stop_s"] - stretch.stop_s).abs() <= TOLERANCE_S)
    )


def _stretches(rows: pd.DataFrame) -> list[Stretch]:
    columns = (rows[name] for name in ("clip_id", "start_s", "stop_s"))
    return [
        Stretch(clip_id=str(clip), start_s=float(start_s), stop_s=float(stop_s))
        for clip, start_s, stop_s in zip(*columns, strict=True)
    ]


def _place(stretch: Stretch) -> str:
    return f"{stretch.clip_id}/{stretch.start_s:.3f}-{stretch.stop_s:.3f}"
