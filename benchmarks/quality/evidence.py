"""Is the score without labels right? Controls must lose, and its ranking must be that of truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import spearmanr

from benchmarks.quality.footage import FUSED, Described, Row, reliable
from offhand.config import Config
from offhand.evaluation.controls import clip_identity, one_cluster, random_labels, time_blocks
from offhand.evaluation.shifts import shift_test
from offhand.records import IntArray
from offhand.selection.candidates import candidates, choose, evidence_for
from offhand.selection.sight import Sight
from offhand.stages.evaluate import majority
from offhand.stages.judge import score_of, trials_of

RANDOM_LABELLINGS = 500
DRAWS = 199


def variants(described: Described) -> dict[str, tuple[Described, str]]:
    """Return the fixed list: six modalities and six ablated variants of them."""
    fewer = {
        "ego_motion without its camera": described.without("ego_motion", "camera_"),
        "ego_motion without its residual": described.without("ego_motion", "residual_"),
        "flow_rhythm without direction": described.without(
            "flow_rhythm", "flow_x", "flow_y", "residual_x", "residual_y"
        ),
        "flow_rhythm without the residual": described.without("flow_rhythm", "residual_"),
        "video_embedding without motion": described.without(
            "video_embedding", "flow_", "camera_", "residual_"
        ),
        "video_embedding without look": described.without("video_embedding", "look_"),
    }
    found = {name: (described, name) for name in described.features}
    found[FUSED] = described, FUSED
    return found | {name: (part, name.partition(" ")[0]) for name, part in fewer.items()}


def clustered(
    sight: Sight, modality: str, config: Config
) -> tuple[IntArray, float, tuple[float, float]]:
    """Return the labels of a modality by the default clusterer, their score and its interval."""
    weights = reliable(sight) if modality == FUSED else {modality: 1.0}
    clusterer = config.clusterers[config.general.clusterer]
    found = candidates(sight, weights, clusterer, seed=0)
    chosen = choose(found, sight.pairs)
    evidence = evidence_for(found, chosen, sight.pairs, clusterer, seed=0)
    score = evidence.score
    return found.label(chosen), score.score, (score.low, score.high)


def controls(described: Described) -> dict[str, IntArray]:
    """Return the worthless labellings, and the true one."""
    n, clip_id = len(described.segments), described.clip_id
    return {
        "true activities": majority(described.seen, n),
        "random, k = 7": random_labels(n, 7, seed=0),
        "one giant cluster": one_cluster(n),
        "clip identity": clip_identity(clip_id),
        "time blocks, 4 a clip": time_blocks(clip_id, 4),
        "time blocks, 8 a clip": time_blocks(clip_id, 8),
    }


def ranking(described: Described, config: Config) -> tuple[list[Row], dict[str, float]]:
    """Return the score and the cross-clip pair F1 of each labelling, and how the ranks agree."""
    rows: list[Row] = []
    for name, (part, modality) in variants(described).items():
        label, score, (low, high) = clustered(part.sight(), modality, config)
        kind = "modality" if name == modality else "variant"
        rows.append(_row(name, kind, score, low, high, part.pairs(label).f1))
    sight = described.sight()
    for name, label in controls(described).items():
        found = score_of(label, sight, seed=0)
        kind = "truth" if name == "true activities" else "control"
        pair_f1 = described.pairs(label).f1
        rows.append(_row(name, kind, found.score, found.low, found.high, pair_f1))
    three = ("random, k = 7", "clip identity", "time blocks, 8 a clip")
    listed = [row for row in rows if row["kind"] in ("modality", "variant")]
    listed += [row for row in rows if row["labels"] in three]
    return rows, {
        "modalities, variants and three controls": _spearman(listed),
        "modalities alone": _spearman([row for row in rows if row["kind"] == "modality"]),
    }


def false_alarms(described: Described) -> tuple[float, float]:
    """Return how often random labels, and the worst of other controls, have p below 0.05."""
    sight = described.sight()
    n, rng = len(described.segments), np.random.default_rng(0)
    p = []
    for draw in range(RANDOM_LABELLINGS):
        label = rng.integers(0, int(rng.integers(2, 12)), n)
        trials = trials_of(label, sight)
        p.append(shift_test([trials], 0, sight.pairs, n_draws=DRAWS, seed=draw).p)
    return float((np.array(p) < 0.05).mean()), float((np.array(p) < 0.5).mean())


def _row(name: str, kind: str, score: float, low: float, high: float, f1: float) -> Row:
    return {"labels": name, "kind": kind, "score": score, "low": low, "high": high, "pair F1": f1}


def _spearman(rows: list[Row] | list[Mapping[str, str | float]]) -> float:
    """Return the rank correlation; what has no score ranks last."""
    scores = [-1.0 if np.isnan(float(row["score"])) else float(row["score"]) for row in rows]
    return float(spearmanr(scores, [float(row["pair F1"]) for row in rows]).statistic)
