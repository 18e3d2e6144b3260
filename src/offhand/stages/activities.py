"""Results as people corrected them: the table ``activities``, and timelines for exports."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from offhand.annotations.corrected import Corrected, corrected
from offhand.annotations.edits import Log, read_log
from offhand.errors import StoreError
from offhand.exports.timeline import Bout, Interval, Timeline
from offhand.store import parquet
from offhand.store.workspace import Workspace

COLUMNS = {
    "clip_id": "str",
    "segment_id": "int64",
    "start_s": "float64",
    "stop_s": "float64",
    "modality": "str",
    "clusterer": "str",
    "label": "int64",
    "activity": "str",
    "status": "str",
    "probability": "float64",
}
LEADING = "late_fusion"
"""The modality that is meant where none is named; the first one where nothing is fused."""


def corrected_results(workspace: Workspace, log: Log | None = None) -> Corrected:
    """Return a workspace's results with edits by hand applied.

    Parameters
    ----------
    workspace
        A finished workspace.
    log
        The edits; ``None`` for those in the workspace.

    Raises
    ------
    StoreError
        The run has not finished, or the annotations are damaged.
    """
    return corrected(
        read_log(workspace.path) if log is None else log,
        segments=workspace.table("segments"),
        labels=workspace.table("labels"),
        exemplars=workspace.table("exemplars"),
        repetitions=workspace.table("repetitions"),
    )


def activities(found: Corrected) -> pd.DataFrame:
    """Return one row a segment and modality: what its cluster is called, and what it counts as.

    Parameters
    ----------
    found
        The corrected results; the pooled default clustering of each modality is taken.
    """
    labels = found.labels
    labels = labels[(labels["scope"] == "pooled") & labels["is_default"].astype(bool)]
    table = labels.merge(found.segments, on=["clip_id", "segment_id"])
    keys = [
        (str(modality), str(clusterer), int(label))
        for modality, clusterer, label in zip(
            table["modality"], table["clusterer"], table["label"], strict=True
        )
    ]
    table["activity"] = [found.names.get(key, f"C{key[2]}") if key[2] >= 0 else "" for key in keys]
    unseen = table["probability"].isna().tolist()
    table["status"] = [
        found.statuses.get(key, "activity")
        if key[2] >= 0
        else ("not described" if is_unseen else "noise")
        for key, is_unseen in zip(keys, unseen, strict=True)
    ]
    order = ["modality", "clip_id", "start_s"]
    table = table.sort_values(order, kind="stable")[list(COLUMNS)].reset_index(drop=True)
    return table.astype(COLUMNS)


def write_activities(workspace: Workspace) -> None:
    """Write the table ``activities``."""
    table = activities(corrected_results(workspace))
    parquet.write_frame(workspace.table_path("activities"), table)


def timelines(workspace: Workspace, modality: str | None = None) -> list[Timeline]:
    """Return the timeline of each clip that gave results, in the order of the run.

    Parameters
    ----------
    workspace
        A finished workspace.
    modality
        Whose clusters are the activities; ``None`` for late fusion, or the first one without it.

    Raises
    ------
    StoreError
        The run has not finished, or has no clusters of that modality.
    """
    found = corrected_results(workspace)
    table = activities(found)
    known = list(dict.fromkeys(found.labels["modality"].astype(str)))
    if modality is None and known:
        modality = LEADING if LEADING in known else known[0]
    if modality not in known:
        raise StoreError(f"no clusters of {modality}; there are: {', '.join(known) or 'none'}")
    table = table[table["modality"] == modality]
    own = {str(clip_id): rows for clip_id, rows in table.groupby("clip_id")}
    trusted = found.repetitions[found.repetitions["accepted"].astype(bool)]
    bouts = {str(clip_id): rows for clip_id, rows in trusted.groupby("clip_id")}
    clips = workspace.table("clips")
    return [
        Timeline(
            clip_id=str(row["clip_id"]),
            path=str(row["path"]),
            duration_s=float(row["duration_s"]),
            frame_rate=float(row["frame_rate"]),
            width=int(row["width"]),
            height=int(row["height"]),
            modality=modality,
            intervals=tuple(_intervals(own.get(str(row["clip_id"]), table.iloc[:0]))),
            bouts=tuple(_bouts(bouts.get(str(row["clip_id"]), trusted.iloc[:0]))),
        )
        for row in clips[clips["status"] != "failed"].to_dict("records")
    ]


def _intervals(rows: pd.DataFrame) -> list[Interval]:
    names = ("segment_id", "start_s", "stop_s", "label", "activity", "status", "probability")
    return [Interval(**{name: row[name] for name in names}) for row in _plain(rows)]


def _bouts(rows: pd.DataFrame) -> list[Bout]:
    return [
        Bout(
            start_s=row["start_s"],
            stop_s=row["stop_s"],
            count=int(row["count"]),
            period_s=float(row["period_s"]),
            rep_times_s=tuple(float(time_s) for time_s in row["rep_times_s"]),
            confidence=float(row["confidence"]) if not row["by_hand"] else math.nan,
            by_hand=bool(row["by_hand"]),
        )
        for row in _plain(rows.sort_values("start_s"))
    ]


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
