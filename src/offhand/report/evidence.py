"""What the page says of evidence: the ranking with its controls, groups, and fingerprints."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from offhand.report.clusters import rows_of
from offhand.report.tables import Tables
from offhand.report.view_evidence import EvidenceView, GroupRow, ProbeRow, ScoreRow
from offhand.report.wording import plain

CONTROL = "control:"
CLIP = "clip"


def evidence_view(tables: Tables) -> EvidenceView:
    """Return the ranking, the highest score first and those without a score last."""
    seeds = {
        (str(row["modality"]), str(row["clusterer"])): row for row in rows_of(tables.consistency)
    }
    unseen, remedies = _unseen(tables), rows_of(tables.alignment)
    every = rows_of(tables.evidence)
    here = [row for row in every if row["level"] == CLIP]
    missing = sorted(set(seeds) - {(str(r["modality"]), str(r["clusterer"])) for r in here})
    here += [{"modality": modality, "clusterer": clusterer} for modality, clusterer in missing]
    rows = [_score_row(row, seeds, unseen) for row in here]
    rows.sort(key=lambda row: -row.score if math.isfinite(row.score) else math.inf)
    return EvidenceView(
        rows=tuple(rows),
        groups=tuple(_group_row(row) for row in every if row["level"] != CLIP),
        probes=tuple(_probe_row(row, remedies) for row in rows_of(tables.fingerprint)),
    )


def _score_row(
    row: dict[str, Any],
    seeds: dict[tuple[str, str], dict[str, Any]],
    unseen: dict[tuple[str, str], float],
) -> ScoreRow:
    key = str(row["modality"]), str(row["clusterer"])
    seed = seeds.get(key, {})
    return ScoreRow(
        name=plain(key[0].removeprefix(CONTROL)),
        clusterer=key[1],
        is_control=key[0].startswith(CONTROL),
        is_default=bool(row.get("is_default", seed.get("is_default", False))),
        score=_number(row, "score"),
        low=_number(row, "low"),
        high=_number(row, "high"),
        p=_number(row, "p"),
        surrogate_p=_number(row, "surrogate_p"),
        n_confirmed=_number(row, "n_confirmed"),
        stability=_least(_number(row, "stability_clips"), _number(row, "stability_blocks")),
        mixing=_number(row, "mixing"),
        structure=_number(row, "structure"),
        seed_score=_number(seed, "seed_entropy"),
        n_clusters=_number(seed, "n_clusters"),
        noise_share=_number(seed, "noise_share") - unseen.get(key, 0.0),
        unseen_share=unseen.get(key, 0.0),
    )


def _unseen(tables: Tables) -> dict[tuple[str, str], float]:
    """Return by modality and clusterer the share of segments that are not described."""
    return {
        (modality, clusterer): float((~rows["described"]).mean())
        for (scope, modality, clusterer), rows in tables.labels.items()
        if scope == "pooled"
    }


def _group_row(row: dict[str, Any]) -> GroupRow:
    return GroupRow(
        level=str(row["level"]),
        n_groups=int(row["n_groups"]),
        name=plain(str(row["modality"]).removeprefix(CONTROL)),
        clusterer=str(row["clusterer"]),
        is_control=str(row["modality"]).startswith(CONTROL),
        is_default=bool(row["is_default"]),
        score=_number(row, "score"),
        low=_number(row, "low"),
        high=_number(row, "high"),
        p=_number(row, "p"),
    )


def _probe_row(row: dict[str, Any], alignments: list[dict[str, Any]]) -> ProbeRow:
    return ProbeRow(
        name=plain(str(row["modality"])),
        accuracy=_number(row, "accuracy"),
        low=_number(row, "low"),
        high=_number(row, "high"),
        centred=_number(row, "accuracy_centred"),
        chance=_number(row, "chance"),
        remedies=tuple(
            (str(one["alignment"]), _number(one, "concordance"), bool(one["is_chosen"]))
            for one in alignments
            if one["modality"] == row["modality"]
        ),
    )


def _number(row: dict[str, Any], name: str) -> float:
    value = row.get(name, math.nan)
    return math.nan if value is None or value is pd.NA else float(value)


def _least(*values: float) -> float:
    known = [value for value in values if math.isfinite(value)]
    return min(known) if known else math.nan
