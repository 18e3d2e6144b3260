"""Compare a finished workspace with ground truth; nothing is written, and nothing is learnt."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from offhand.clustering.space import feature_space
from offhand.errors import OffhandError
from offhand.evaluation.agreement import (
    BoundaryCount,
    cross_clip_pairs,
    match_boundaries,
)
from offhand.evaluation.comparison import ClusteringScore, CountScore, Evaluation
from offhand.evaluation.counting import Bout, ClipScore
from offhand.evaluation.counting import score as score_counts
from offhand.evaluation.evidence import Score
from offhand.evaluation.segmentation import match_by_clip, match_globally
from offhand.evaluation.truth import Truth, instants, read_truth
from offhand.records import IntArray
from offhand.selection.sight import see
from offhand.stages.judge import score_of
from offhand.store.workspace import Workspace

logger = logging.getLogger(__name__)

STEP_S = 0.1
"""Distance of the instants that are compared."""

TOLERANCES_S = (0.5, 1.0, 2.0)
"""Largest distances at which a boundary is found."""


@dataclass(frozen=True, kw_only=True)
class Instants:
    """Every labelled instant of every clip.

    Attributes
    ----------
    clip, activity
        ``(n,)``: where it is, and what is done there.
    segment
        ``(n,)``: row of the table of segments, -1 for none.
    """

    clip: npt.NDArray[np.str_]
    activity: npt.NDArray[np.str_]
    segment: IntArray


def evaluate(
    workspace: Workspace | str | os.PathLike[str], truth: str | os.PathLike[str]
) -> Evaluation:
    """Compare what a run found with ground truth.

    Parameters
    ----------
    workspace
        A finished workspace, or its folder.
    truth
        A folder, or a file (see :func:`offhand.evaluation.truth.read_truth`).

    Raises
    ------
    OffhandError
        The truth cannot be read, or is of other clips.
    """
    if not isinstance(workspace, Workspace):
        workspace = Workspace(workspace)
    known = read_truth(Path(truth))
    table = workspace.table("clips")
    clips = table["clip_id"][table["status"] != "failed"].astype(str).tolist()
    used = {clip: known[clip] for clip in clips if clip in known}
    if not used:
        raise OffhandError(
            f"{truth}: ground truth of {', '.join(sorted(known)[:5])}, but the workspace holds "
            f"{', '.join(clips[:5]) or 'no clip'}; names must be equal"
        )
    segments = workspace.table("segments")
    segments = segments[segments["clip_id"].isin(used)].reset_index(drop=True)
    seen = look(segments, used)
    clusterings = _clusterings(workspace, segments, seen)
    length_s = segments.groupby("clip_id")["stop_s"].max().sum()
    return Evaluation(
        clips=tuple(used),
        clips_without_truth=tuple(clip for clip in clips if clip not in known),
        truth_without_clip=tuple(sorted(set(known) - set(clips))),
        labelled_share=min(1.0, len(seen.clip) * STEP_S / float(length_s)) if length_s else 0.0,
        boundaries={limit: _boundaries(segments, used, limit) for limit in TOLERANCES_S},
        clusterings=clusterings,
        repetitions=_repetitions(workspace, used),
        truth_score=_truth_score(workspace, segments, seen),
        spearman=_spearman(clusterings),
    )


def look(segments: pd.DataFrame, truth: dict[str, Truth]) -> Instants:
    """Look at each clip every 0.1 s, where it is labelled.

    Parameters
    ----------
    segments
        With the columns ``clip_id``, ``start_s``, ``stop_s``; those of a clip in order of time.
    truth
        By clip.
    """
    clips, activities, rows = [], [], []
    for clip, one in truth.items():
        own = np.flatnonzero(segments["clip_id"].to_numpy() == clip)
        start_s = segments["start_s"].to_numpy(np.float64)[own]
        stop_s = segments["stop_s"].to_numpy(np.float64)[own]
        time_s, activity = instants(one, step_s=STEP_S)
        place = np.searchsorted(start_s, time_s, side="right") - 1
        inside = (place >= 0) & (time_s < stop_s[place.clip(0)] + STEP_S) if len(own) else place > 0
        clips.append(np.full(len(time_s), clip))
        activities.append(activity)
        rows.append(np.where(inside, own[place.clip(0)] if len(own) else -1, -1))
    return Instants(
        clip=np.concatenate(clips),
        activity=np.concatenate(activities),
        segment=np.concatenate(rows).astype(np.int64),
    )


def _boundaries(
    segments: pd.DataFrame, truth: dict[str, Truth], tolerance_s: float
) -> BoundaryCount:
    total = BoundaryCount(found=0, true=0, matched=0)
    for clip, one in truth.items():
        own = segments["start_s"][segments["clip_id"] == clip].to_numpy(np.float64)
        total += match_boundaries(np.sort(own)[1:], one.boundaries_s, tolerance_s=tolerance_s)
    return total


def _clusterings(
    workspace: Workspace, segments: pd.DataFrame, seen: Instants
) -> tuple[ClusteringScore, ...]:
    scores = _label_free(workspace)
    labels = workspace.table("labels")
    labels = labels[labels["scope"] == "pooled"]
    found = []
    for key, rows in labels.groupby(["modality", "clusterer"], sort=False):
        modality, clusterer = (str(part) for part in key)
        ordered = segments.merge(rows, on=["clip_id", "segment_id"], how="left")
        label = np.append(ordered["label"].fillna(-1).to_numpy(np.int64), -1)[seen.segment]
        found.append(
            compare(
                label,
                seen,
                modality=modality,
                clusterer=clusterer,
                is_default=bool(rows["is_default"].iloc[0]),
                score=scores.get((modality, clusterer), float("nan")),
            )
        )
    return tuple(found)


def compare(
    label: IntArray,
    seen: Instants,
    *,
    modality: str,
    clusterer: str,
    is_default: bool,
    score: float,
) -> ClusteringScore:
    """Compare the cluster at each instant, below 0 for noise, with the activity there."""
    kept = label >= 0
    with_noise = _partitions(seen.activity, label)
    without = _partitions(seen.activity[kept], label[kept])
    return ClusteringScore(
        modality=modality,
        clusterer=clusterer,
        is_default=is_default,
        score=score,
        pairs=cross_clip_pairs(seen.clip, label, seen.activity),
        ari=with_noise[0],
        ami=with_noise[1],
        v_measure=with_noise[2],
        kept_ari=without[0],
        kept_ami=without[1],
        kept_v_measure=without[2],
        coverage=float(kept.mean()),
        matched=match_globally(seen.clip, label, seen.activity),
        matched_by_clip=match_by_clip(seen.clip, label, seen.activity),
        n_clusters=len(np.unique(label[kept])),
    )


def _partitions(activity: npt.NDArray[np.str_], label: IntArray) -> tuple[float, float, float]:
    """Return ARI, AMI and V-measure; NaN without any instant."""
    if not len(label):
        return float("nan"), float("nan"), float("nan")
    from sklearn.metrics import (  # takes a second to import
        adjusted_mutual_info_score,
        adjusted_rand_score,
        v_measure_score,
    )

    return (
        float(adjusted_rand_score(activity, label)),
        float(adjusted_mutual_info_score(activity, label)),
        float(v_measure_score(activity, label)),
    )


def _label_free(workspace: Workspace) -> dict[tuple[str, str], float]:
    table = workspace.table("evidence")
    table = table[table["level"] == "clip"]
    keys = zip(table["modality"].astype(str), table["clusterer"].astype(str), strict=True)
    return dict(zip(keys, table["score"].astype(float), strict=True))


def _repetitions(workspace: Workspace, truth: dict[str, Truth]) -> CountScore | None:
    counted = {clip: one for clip, one in truth.items() if one.has_repetitions}
    if not counted:
        return None
    table = workspace.table("repetitions")
    table = table[table["accepted"].astype(bool)]
    scores: list[ClipScore] = []
    for clip, one in counted.items():
        bouts = [
            Bout(
                start_s=float(row["start_s"]),
                stop_s=float(row["stop_s"]),
                rep_times_s=np.asarray(row["rep_times_s"], np.float64),
                confidence=float(row["confidence"]),
            )
            for row in table[table["clip_id"] == clip].to_dict("records")
        ]
        scores.append(score_counts(one.blocks, bouts))
    blocks = [block for one in scores for block in one.blocks]
    answered = [block for block in blocks if block.answered]
    off = np.array([abs(block.counted - block.true) for block in answered])
    return CountScore(
        n_blocks=len(blocks),
        n_answered=len(answered),
        mae=float(np.mean([block.error for block in answered])) if answered else float("nan"),
        obo=float((off <= 1).mean()) if answered else float("nan"),
        exact=float((off == 0).mean()) if answered else float("nan"),
    )


def _truth_score(workspace: Workspace, segments: pd.DataFrame, seen: Instants) -> Score | None:
    """Score the true activities as a clustering, each segment by what takes most of its time."""
    table = workspace.table("modalities")
    made_from = dict(zip(table["modality"], table["signals"].astype(str), strict=True))
    spaces = {}
    for modality in workspace.modalities():
        features = workspace.features(modality)
        rows = segments.merge(features, on=["clip_id", "segment_id"], how="left")
        weights = features.attrs["weights"]
        columns = [column for column in features.columns if column in weights]
        values = rows[columns].to_numpy(np.float64)
        spaces[modality] = feature_space(values, np.array([weights[name] for name in columns]))
    if not spaces or not len(segments):
        return None
    sources = {modality: made_from.get(modality, modality).split(", ") for modality in spaces}
    sight = see(spaces, sources, segments["clip_id"].to_numpy(np.str_))
    return score_of(majority(seen, len(segments)), sight, seed=0)


def majority(seen: Instants, n_segments: int) -> IntArray:
    """Return the number of the activity that takes most of each segment, -1 for none."""
    names, true = np.unique(seen.activity, return_inverse=True)
    shares = np.zeros((n_segments, len(names)))
    inside = seen.segment >= 0
    np.add.at(shares, (seen.segment[inside], true[inside]), 1)
    return np.where(shares.any(axis=1), shares.argmax(axis=1), -1).astype(np.int64)


def _spearman(clusterings: Sequence[ClusteringScore]) -> float:
    leading = [one for one in clusterings if one.is_default and not np.isnan(one.score)]
    if len(leading) < 3:
        return float("nan")
    found = scipy.stats.spearmanr([one.score for one in leading], [one.pairs.f1 for one in leading])
    return float(found.statistic)
