"""Stage 6: the result tables, which are the public contract (``docs/formats.md``)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from offhand.clustering.fusion import LateFusion
from offhand.evaluation.consistency import consistency
from offhand.evaluation.controls import clip_identity, one_cluster, random_labels
from offhand.files import write_text
from offhand.records import Clip, ClipInfo, Segments
from offhand.selection.sight import ModalityWeight
from offhand.signals.base import SignalExtractor
from offhand.stages.cluster import ClusterFiles
from offhand.stages.count import SIMILARITY
from offhand.stages.coverage import COVERAGES, coverages
from offhand.stages.describe import signals_read
from offhand.stages.follow import RHYTHM
from offhand.stages.judge import EvidenceFiles
from offhand.stages.measure import signal_notes
from offhand.stages.prepare import Plan
from offhand.stages.spaces import FeatureFiles, pooled
from offhand.store import parquet
from offhand.store.workspace import Workspace

RANDOM_DRAWS = 20
PREVIEWS_PER_CLIP = 6

SEGMENTS = {"clip_id": "str", "segment_id": "int64", "start_s": "float64", "stop_s": "float64"}
LABELS = {
    "clip_id": "str",
    "segment_id": "int64",
    "modality": "str",
    "clusterer": "str",
    "scope": "str",
    "is_default": "bool",
    "label": "int64",
    "probability": "float64",
}
EXEMPLARS = {
    "modality": "str",
    "clusterer": "str",
    "scope": "str",
    "label": "int64",
    "clip_id": "str",
    "segment_id": "int64",
    "is_medoid": "bool",
}
FUSION = {
    "modality": "str",
    **{field.name: "float64" for field in dataclasses.fields(ModalityWeight)},
}
JOINED = {
    "rhythm": RHYTHM,
    "map": {
        "modality": "str",
        "clip_id": "str",
        "segment_id": "int64",
        "x": "float64",
        "y": "float64",
        "method": "str",
    },
    "thumbnails": {
        "clip_id": "str",
        "segment_id": "int64",
        "time_s": "float64",
        "jpeg": "bytes",
        "webp": "bytes",
    },
    "repetitions": {
        "clip_id": "str",
        "bout_id": "int64",
        "segment_id": "Int64",
        "start_s": "float64",
        "stop_s": "float64",
        "period_s": "float64",
        "count": "int64",
        "rep_times_s": "list of float64",
        "n_strokes": "int64",
        "confidence": "float64",
        "accepted": "bool",
        "reason": "str",
        "witnesses": "str",
        "likeness": "float64",
        "seed_accepted": "boolean",
        "seed_count": "Int64",
    },
    "similarity": SIMILARITY,
}


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """One clustering's files and what it is.

    Attributes
    ----------
    modality, clusterer
        Names.
    is_default
        Whether the report leads with this clusterer.
    files
        Its stored labels and exemplars.
    evidence
        Its stored evidence.
    """

    modality: str
    clusterer: str
    is_default: bool
    files: ClusterFiles
    evidence: EvidenceFiles


def exemplar_segments(
    clusterings: Sequence[Clustering], cuts: Sequence[Segments]
) -> dict[str, tuple[tuple[int, float, float], ...]]:
    """Return, by clip, ``(segment_id, start_s, stop_s)`` of every exemplar of a pooled cluster."""
    chosen: dict[str, set[int]] = {}
    for clustering in clusterings:
        table = parquet.read_frame(clustering.files.exemplars)[0]
        for clip_id, rows in table[table["scope"] == "pooled"].groupby("clip_id"):
            chosen.setdefault(str(clip_id), set()).update(rows["segment_id"].astype(int))
    of_clip = {cut.clip_id: cut for cut in cuts}
    return {
        clip_id: tuple(
            (index, float(cut.start_s[index]), float(cut.stop_s[index]))
            for index in sorted(indices)
        )
        for clip_id, indices in chosen.items()
        for cut in (of_clip[clip_id],)
    }


def previewed(
    clusterings: Sequence[Clustering], *, most_per_clip: int = PREVIEWS_PER_CLIP
) -> dict[str, tuple[int, ...]]:
    """Return, by clip, the exemplars worth a moving picture.

    Those of the clustering that the report leads with: the default one of the fusion, or of the
    modality that stands last where nothing is fused.

    Parameters
    ----------
    clusterings
        All of them.
    most_per_clip
        Exemplars a clip, medoids first.
    """
    leads = [one for one in clusterings if one.is_default]
    if not leads:
        return {}
    table = parquet.read_frame(leads[-1].files.exemplars)[0]
    table = table[table["scope"] == "pooled"].sort_values(
        "is_medoid", ascending=False, kind="stable"
    )
    return {
        str(clip_id): tuple(sorted(rows["segment_id"].astype(int).head(most_per_clip)))
        for clip_id, rows in table.groupby("clip_id")
    }


def write_clips(
    workspace: Workspace,
    clips: Sequence[tuple[Clip, ClipInfo]],
    extractors: Sequence[SignalExtractor],
) -> None:
    """Write the table ``clips``, with what the signals of each clip found out."""
    rows = []
    for clip, info in clips:
        failed = info.status == "failed"
        row = {"clip_id": clip.clip_id, "path": _readable(clip.path)} | dataclasses.asdict(info)
        row["error"] = _readable(info.error)
        row |= {
            "from_s": clip.from_s,
            "to_s": np.nan if clip.to_s is None else clip.to_s,
            "notes": "" if failed else signal_notes(workspace, extractors, clip),
            "mask_path": _readable(clip.mask_path or ""),
        }
        row |= coverages(workspace, () if failed else extractors, clip)
        rows.append(row)
    columns = ["clip_id", "path", *(f.name for f in dataclasses.fields(ClipInfo))]
    columns += ["from_s", "to_s", "mask_path", "notes", *COVERAGES]
    table = pd.DataFrame(rows, columns=columns)
    parquet.write_frame(workspace.table_path("clips"), table)


def write_segments(workspace: Workspace, segments: Sequence[Segments]) -> None:
    """Write the table ``segments``."""
    parts = [
        pd.DataFrame(
            {
                "clip_id": cut.clip_id,
                "segment_id": np.arange(len(cut), dtype=np.int64),
                "start_s": cut.start_s,
                "stop_s": cut.stop_s,
            }
        )
        for cut in segments
    ]
    table = stacked(parts, SEGMENTS)
    parquet.write_frame(workspace.table_path("segments"), table)


def write_features(workspace: Workspace, files: FeatureFiles) -> None:
    """Write the table ``features/<modality>`` of all clips."""
    tables = files.read()
    notes = {
        f"{table.clip_id[0]}: {name}": text
        for table in tables
        for name, text in table.notes.items()
    }
    joined = dataclasses.replace(pooled(tables), notes=notes)
    parquet.write_features(workspace.table_path(f"features/{files.modality}"), joined)


def write_fusion(workspace: Workspace, paths: Sequence[Path]) -> None:
    """Write the table ``fusion``: how much each modality counts; empty where nothing is fused."""
    parts = [parquet.read_frame(path)[0] for path in paths]
    parquet.write_frame(workspace.table_path("fusion"), stacked(parts, FUSION))


def write_steps(workspace: Workspace, plan: Plan, *, fused: bool) -> None:
    """Write the tables ``signals`` and ``modalities``: what was computed, and why the rest not."""
    signals = [
        {
            "signal": step.name,
            "status": "computed",
            "reason": "",
            "weights": ", ".join(_readable(name) for name in step.weights),
        }
        for step in plan.extractors
    ]
    signals += [
        {"signal": name, "status": "absent", "reason": _readable(reason), "weights": ""}
        for name, reason in plan.absent_signals.items()
    ]
    modalities = [
        {
            "modality": step.name,
            "status": "computed",
            "reason": "",
            "signals": ", ".join(signals_read(step, plan.extractors)),
        }
        for step in plan.modalities
    ]
    modalities += [
        {"modality": name, "status": "absent", "reason": _readable(reason), "signals": ""}
        for name, reason in plan.absent_modalities.items()
    ]
    modalities.append(
        {
            "modality": LateFusion.name,
            "status": "computed" if fused else "absent",
            "reason": "" if fused else "there are fewer than two modalities to fuse",
            "signals": "",
        }
    )
    parquet.write_frame(workspace.table_path("signals"), pd.DataFrame(signals))
    parquet.write_frame(workspace.table_path("modalities"), pd.DataFrame(modalities))


def write_joined(workspace: Workspace, name: str, paths: Sequence[Path]) -> None:
    """Write a table that is the stored tables of all clips, one after the other."""
    parquet.write_joined(workspace.table_path(name), paths, JOINED[name])


def write_rep_tables(workspace: Workspace) -> None:
    """Write ``results/rep_table/<clip_id>.json``: the counts of each segment of a clip.

    A clip that could not be counted in has none.
    """
    segments = workspace.table("segments")
    bouts: dict[tuple[str, int], list[dict[Any, Any]]] = {}
    found = workspace.table("repetitions").dropna(subset="segment_id")
    for bout in found.to_dict("records"):
        bouts.setdefault((bout["clip_id"], int(bout["segment_id"])), []).append(bout)
    names = ("clip_id", "segment_id", "seed_accepted", "seed_count")  # the matrices are large
    seed_rows = parquet.read_frame(workspace.table_path("similarity"), names)[0]
    seeds = {(row["clip_id"], row["segment_id"]): row for row in seed_rows.to_dict("records")}
    counted = {clip_id for clip_id, _ in seeds}
    for clip_id, own in segments[segments["clip_id"].isin(counted)].groupby("clip_id"):
        rows = []
        for segment in own.to_dict("records"):
            inside = bouts.get((str(clip_id), int(segment["segment_id"])), [])
            trusted = [bout for bout in inside if bout["accepted"]]
            seed = seeds[clip_id, segment["segment_id"]]
            rows.append(
                {
                    "segment_id": int(segment["segment_id"]),
                    "start_s": segment["start_s"],
                    "stop_s": segment["stop_s"],
                    "accepted": bool(trusted),
                    "count": sum(int(bout["count"]) for bout in trusted) if trusted else None,
                    "period_s": [float(bout["period_s"]) for bout in trusted],
                    "rep_times_s": [float(t) for bout in trusted for t in bout["rep_times_s"]],
                    "refused": [str(bout["reason"]) for bout in inside if not bout["accepted"]],
                    "seed_accepted": bool(seed["seed_accepted"]),
                    "seed_count": int(seed["seed_count"]) if seed["seed_accepted"] else None,
                }
            )
        path = workspace.path / "results" / "rep_table" / f"{clip_id}.json"
        write_text(path, json.dumps(rows, indent=1))


def write_clusters(workspace: Workspace, clusterings: Sequence[Clustering], *, seed: int) -> None:
    """Write the tables ``labels``, ``exemplars`` and ``consistency``.

    The control of random labels is the mean of ``RANDOM_DRAWS`` draws with as many clusters as the
    default clustering that has the most, and no noise.
    """
    labels, shown, rows = [], [], []
    clip_id = np.empty(0, dtype=np.str_)
    for clustering in clusterings:
        what: dict[str, Any] = {
            "modality": clustering.modality,
            "clusterer": clustering.clusterer,
            "is_default": clustering.is_default,
        }
        table = parquet.read_frame(clustering.files.labels)[0].assign(**what)
        labels.append(table)
        shown.append(parquet.read_frame(clustering.files.exemplars)[0].assign(**what))
        pooled = table[table["scope"] == "pooled"]
        clip_id = pooled["clip_id"].to_numpy(np.str_)
        measured = consistency(pooled["label"].to_numpy(np.int64), clip_id)
        rows.append(what | dataclasses.asdict(measured))
    n_clusters = max((row["n_clusters"] for row in rows if row["is_default"]), default=0)
    draws = [
        consistency(random_labels(len(clip_id), n_clusters, seed=seed + draw), clip_id)
        for draw in range(RANDOM_DRAWS)
    ]
    random = dataclasses.replace(
        draws[0],
        seed_entropy=float(np.mean([draw.seed_entropy for draw in draws])),
        seed_multi_clip_share=float(np.mean([draw.seed_multi_clip_share for draw in draws])),
    )
    controls = {
        "control:random": random,
        "control:one_cluster": consistency(one_cluster(len(clip_id)), clip_id),
        "control:clip_identity": consistency(clip_identity(clip_id), clip_id),
    }
    for name, measured in controls.items():
        what = {"modality": name, "clusterer": "none", "is_default": False}
        rows.append(what | dataclasses.asdict(measured))
    parquet.write_frame(workspace.table_path("labels"), stacked(labels, LABELS))
    parquet.write_frame(workspace.table_path("exemplars"), stacked(shown, EXEMPLARS))
    parquet.write_frame(workspace.table_path("consistency"), pd.DataFrame(rows))


def _readable(text: str) -> str:
    """Return a text with bytes that are no UTF-8, as file names may hold, written as escapes."""
    return text.encode(errors="backslashreplace").decode()


def stacked(parts: Sequence[pd.DataFrame], columns: dict[str, str]) -> pd.DataFrame:
    """Stack tables; the columns and their types are the same when there is no row at all."""
    filled = [part for part in parts if len(part)]
    if filled:
        return pd.concat(filled, ignore_index=True)[list(columns)]
    kinds = {name: "object" if kind in parquet.NESTED else kind for name, kind in columns.items()}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
