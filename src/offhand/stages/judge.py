"""Stage 5: the evidence for each clustering, and what worthless labels would score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy

from offhand.evaluation.concordance import Trial
from offhand.evaluation.controls import clip_identity, one_cluster, random_labels, time_blocks
from offhand.evaluation.evidence import CONFIRMED_P, Evidence, Score, score_labels
from offhand.evaluation.fingerprint import fingerprint as fingerprint_of
from offhand.records import IntArray
from offhand.selection.candidates import evidence_for
from offhand.selection.sight import Sight
from offhand.stages.cluster import ClusterTask, read_candidates
from offhand.stages.groups import Group
from offhand.stages.spaces import SightFiles
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace

EVIDENCE_VERSION = 6
"""Raised whenever the same clusterings get other evidence."""

RANDOM_DRAWS = 20
"""Random labellings; their mean and the interval that holds 95 % of them are told."""

CONTROL_CLUSTERS = 8
"""Clusters of random labels, and parts that time blocks cut a clip into."""


@dataclass(frozen=True, kw_only=True)
class JudgeTask:
    """A clustering to judge.

    Attributes
    ----------
    clustering
        How it was made.
    groups
        What stands above clips; pairs from different groups are compared too.
    """

    clustering: ClusterTask
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class ControlTask:
    """Worthless labels to score, and modalities to probe for fingerprints.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    described
        The features of all modalities.
    groups
        What stands above clips.
    seed
        Seed of everything drawn.
    """

    workspace: str
    described: SightFiles
    groups: tuple[Group, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class EvidenceFiles:
    """Where evidence is stored; ``details`` holds clusters, or the probes beside the controls."""

    scores: Path
    details: Path


def judge_files(task: JudgeTask) -> EvidenceFiles:
    """Return the files of a clustering's evidence."""
    made = task.clustering
    name = f"{made.modality}.{made.clusterer.name}"
    after = (*made.upstream, f"evidence {EVIDENCE_VERSION}", *(one.key for one in task.groups))
    return _files(made.workspace, name, fingerprint.of_step(made.clusterer, after=after))


def control_files(task: ControlTask) -> EvidenceFiles:
    """Return the files of the controls."""
    after = (*task.described.upstream, f"evidence {EVIDENCE_VERSION}", f"seed {task.seed}")
    print_ = fingerprint.digest([*after, *(one.key for one in task.groups)])
    return _files(task.workspace, "controls", print_)


def _files(folder: str, name: str, print_: str) -> EvidenceFiles:
    workspace = Workspace(folder)
    return EvidenceFiles(
        scores=workspace.record_path("evidence", name, print_, "scores"),
        details=workspace.record_path("evidence", name, print_, "details"),
    )


def judge_clustering(task: JudgeTask, report: Callable[[float], None]) -> None:
    """Judge one pooled clustering, and store its scores and what is known of each cluster."""
    files, made = judge_files(task), task.clustering
    key = made.described.key
    if parquet.has_key(files.scores, key) and parquet.has_key(files.details, key):
        return
    sight = made.described.read()
    found, chosen = read_candidates(made, sight)
    evidence = evidence_for(found, chosen, sight.pairs, made.clusterer, seed=made.seed)
    report(0.8)
    what = {"modality": made.modality, "clusterer": made.clusterer.name}
    clusters = _cluster_rows(evidence)
    confirmed = sum(bool(row["is_confirmed"]) for row in clusters)
    whole = {
        "surrogate_z": evidence.surrogate_z,
        "surrogate_p": evidence.surrogate_p,
        "mixing": evidence.mixing.overall,
        "acceptance": evidence.mixing.acceptance,
        "enrichment": evidence.mixing.overall_enrichment,
        "stability_clips": evidence.stability.over_clips,
        "stability_blocks": evidence.stability.over_blocks,
        "structure": evidence.structure,
        "n_confirmed": confirmed,
    }
    rows = [what | _score_row("clip", evidence.score, sight) | whole]
    for group in task.groups:
        above = made.described.read(group)
        apart, _ = read_candidates(made, above)
        scored = score_labels(
            apart.trials,
            chosen,
            above.pairs,
            parts=evidence.parts,
            seed=made.seed,
        )
        rows.append(what | _score_row(group.level, scored, above))
    parquet.write_frame(files.details, pd.DataFrame([what | row for row in clusters]), key=key)
    parquet.write_frame(files.scores, pd.DataFrame(rows), key=key)


def judge_controls(task: ControlTask, report: Callable[[float], None]) -> None:
    """Score worthless labels, and probe each modality for fingerprints."""
    files, key = control_files(task), task.described.key
    if parquet.has_key(files.scores, key) and parquet.has_key(files.details, key):
        return
    clip_id = task.described.segments().clip_id
    rows = []
    for group in (None, *task.groups):
        sight = task.described.read(group)
        level = group.level if group else "clip"
        for name, label in _controls(clip_id).items():
            scored = score_of(label, sight, seed=task.seed)
            rows.append(_control_row(name, level, scored, sight))
        rows.append(_random_row(level, sight, seed=task.seed))
        report(len(rows) / (4 * (1 + len(task.groups))))
    probes = []
    for name, (space, described) in task.described.read().spaces.items():
        probes.append({"modality": name} | vars(fingerprint_of(space, clip_id[described])))
    parquet.write_frame(files.details, pd.DataFrame(probes), key=key)
    parquet.write_frame(files.scores, pd.DataFrame(rows), key=key)


def score_of(label: IntArray, sight: Sight, *, seed: int, with_interval: bool = True) -> Score:
    """Score labels that no modality had a part in, such as controls or the truth.

    They were not found by clustering, so nothing discounts their concordance.
    """
    return score_labels(
        [trials_of(label, sight)],
        0,
        sight.pairs,
        parts=[],
        seed=seed,
        with_interval=with_interval,
    )


def trials_of(label: IntArray, sight: Sight) -> list[Trial]:
    """Return the trials of labels that no modality had a part in: each modality is a target."""
    return [
        Trial(label=label, target=target, reliability=sight.reliability[name])
        for name, target in sight.targets.items()
    ]


def _controls(clip_id: np.ndarray) -> dict[str, IntArray]:
    return {
        "control:one_cluster": one_cluster(len(clip_id)),
        "control:clip_identity": clip_identity(clip_id),
        "control:time_blocks": time_blocks(clip_id, CONTROL_CLUSTERS),
    }


def _control_row(name: str, level: str, scored: Score, sight: Sight) -> dict[str, Any]:
    return {"modality": name, "clusterer": "none"} | _score_row(level, scored, sight)


def _random_row(level: str, sight: Sight, *, seed: int) -> dict[str, Any]:
    """Return the mean of many random labellings, and the interval that holds 95 % of them."""
    n = len(sight.pairs.clip)
    drawn = [
        score_of(
            random_labels(n, CONTROL_CLUSTERS, seed=seed + draw),
            sight,
            seed=seed,
            with_interval=False,
        )
        for draw in range(RANDOM_DRAWS)
    ]
    row = _control_row("control:random", level, drawn[0], sight)
    scores = np.array([one.score for one in drawn])
    low, high = np.quantile(scores, [0.025, 0.975])
    middle = float(np.mean(scores))
    z, p = (float(np.median([getattr(one.shifts, name) for one in drawn])) for name in "zp")
    return row | {
        "score": middle,
        "low": float(low),
        "high": float(high),
        "concordance": middle,
        "z": z,
        "p": p,
    }


def _score_row(level: str, scored: Score, sight: Sight) -> dict[str, Any]:
    return {
        "level": level,
        "n_groups": len(np.unique(sight.pairs.group)),
        "score": scored.score,
        "low": scored.low,
        "high": scored.high,
        "concordance": scored.concordance,
        "z": scored.shifts.z,
        "p": scored.shifts.p,
    }


def _cluster_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Return what is known of each cluster; p is corrected for the number of those judged.

    The correction is that of Benjamini and Hochberg (1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x).
    """
    mixed, shifts = evidence.mixing, evidence.score.shifts
    raw = dict(zip(shifts.cluster.tolist(), shifts.cluster_p.tolist(), strict=True))
    z = dict(zip(shifts.cluster.tolist(), shifts.cluster_z.tolist(), strict=True))
    judged = [
        int(one)
        for one, is_judged in zip(mixed.cluster, mixed.is_judged, strict=True)
        if is_judged and not math.isnan(raw.get(int(one), math.nan))
    ]
    corrected = (
        dict(
            zip(
                judged,
                scipy.stats.false_discovery_control([raw[one] for one in judged]),
                strict=True,
            )
        )
        if judged
        else {}
    )
    rows = []
    for place, number in enumerate(mixed.cluster.tolist()):
        p = float(corrected.get(number, math.nan))
        rows.append(
            {
                "label": number,
                "n_segments": int(mixed.n_segments[place]),
                "n_clips": int(mixed.n_clips[place]),
                "z": z.get(number, math.nan) if number in corrected else math.nan,
                "p": p,
                "mixing": float(mixed.ilisi[place]),
                "acceptance": float(mixed.kbet[place]),
                "enrichment": float(mixed.enrichment[place]),
                "jaccard": float(evidence.stability.jaccard_of(number)),
                "is_judged": bool(mixed.is_judged[place]),
                "is_confirmed": p < CONFIRMED_P,
            }
        )
    return rows
