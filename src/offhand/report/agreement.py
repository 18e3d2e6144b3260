"""What ``offhand evaluate`` prints: tables for a terminal, or JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhand.evaluation.comparison import Evaluation

WIDTH = 7
"""Characters a column of figures takes."""


def print_evaluation(found: Evaluation) -> None:
    """Print how a run agrees with ground truth."""
    console = Console()
    console.print(
        f"{len(found.clips)} clips compared, {found.labelled_share:.0%} of their time is labelled"
    )
    for names, what in (
        (found.clips_without_truth, "no ground truth for"),
        (found.truth_without_clip, "ground truth of clips that are not in the run"),
    ):
        if names:
            console.print(f"{what}: {escape(', '.join(names))}", style="dim")
    edges = Table("boundaries within", "precision", "recall", "F1", title="Segments")
    for limit_s, count in found.boundaries.items():
        edges.add_row(f"{limit_s:g} s", *map(_text, (count.precision, count.recall, count.f1)))
    console.print(edges)
    console.print("Pooled clusters, by time:")
    names = ("pairs", "ARI", "AMI", "V", "kept", "MoF", "IoU", "F1@50", "score")
    console.print(
        f"{'':24}" + "".join(f"{name:>{WIDTH}}" for name in names), highlight=False, soft_wrap=True
    )
    for one in found.clusterings:
        figures = (one.pairs.f1, one.ari, one.ami, one.v_measure, one.coverage)
        matched = (one.matched.mof, one.matched.iou, one.matched.segment_f1, one.score)
        name = f"{one.modality} {one.clusterer}{' *' if one.is_default else ''}"
        cells = "".join(
            f"{'-' if math.isnan(x) else format(x, '.2f'):>{WIDTH}}" for x in (*figures, *matched)
        )
        console.print(f"{name:24}{cells}", highlight=False, soft_wrap=True)
    console.print(
        "pairs: F1 over pairs of instants from different clips, the headline. ARI, AMI and V count "
        "noise as one cluster; kept: time that is no noise. MoF, IoU and F1@50: one match of "
        "clusters to activities for all clips. score: without labels. * leads.",
        style="dim",
    )
    if found.truth_score:
        truth = found.truth_score
        console.print(
            f"the true activities score {_text(truth.score)} without labels "
            f"({_text(truth.low)} to {_text(truth.high)})"
        )
    if not math.isnan(found.spearman):
        console.print(
            f"modalities ranked by score and by pair F1: Spearman {_text(found.spearman)}"
        )
    if found.repetitions:
        counts = found.repetitions
        console.print(
            f"repetitions: {counts.n_answered} of {counts.n_blocks} blocks answered, MAE "
            f"{_text(counts.mae)}, within one {_text(counts.obo)}, exact {_text(counts.exact)}"
        )


def as_json_text(found: Evaluation) -> str:
    """Return every figure as JSON; what is not known is null."""
    record = dataclasses.asdict(found)
    record["boundaries"] = [
        {"tolerance_s": limit_s, "precision": count.precision, "recall": count.recall}
        | {"f1": count.f1}
        | dataclasses.asdict(count)
        for limit_s, count in found.boundaries.items()
    ]
    if found.truth_score:
        score = found.truth_score
        record["truth_score"] = {"score": score.score, "low": score.low, "high": score.high}
        record["truth_score"] |= {"z": score.shifts.z, "p": score.shifts.p}
    return json.dumps(without_nan(record), indent=1, allow_nan=False)


def without_nan(value: Any) -> Any:
    """Return plain data with ``None`` for every number that is not finite."""
    if isinstance(value, dict):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
