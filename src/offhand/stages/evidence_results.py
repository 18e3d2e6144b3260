"""Stage 6, continued: the result tables of evidence (``docs/formats.md``)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from offhand.evaluation.fingerprint import Fingerprint
from offhand.stages.judge import EvidenceFiles
from offhand.stages.results import Clustering, stacked
from offhand.store import parquet
from offhand.store.workspace import Workspace

EVIDENCE = {
    "modality": "str",
    "clusterer": "str",
    "is_default": "bool",
    "level": "str",
    "n_groups": "int64",
    "score": "float64",
    "low": "float64",
    "high": "float64",
    "concordance": "float64",
    "z": "float64",
    "p": "float64",
    "surrogate_z": "float64",
    "surrogate_p": "float64",
    "mixing": "float64",
    "acceptance": "float64",
    "enrichment": "float64",
    "stability_clips": "float64",
    "stability_blocks": "float64",
    "structure": "float64",
    "n_confirmed": "Int64",
}
CLUSTERS = {
    "modality": "str",
    "clusterer": "str",
    "is_default": "bool",
    "label": "int64",
    "n_segments": "int64",
    "n_clips": "int64",
    "z": "float64",
    "p": "float64",
    "mixing": "float64",
    "acceptance": "float64",
    "enrichment": "float64",
    "jaccard": "float64",
    "is_judged": "bool",
    "is_confirmed": "bool",
}
FINGERPRINT = {
    "modality": "str",
    **{
        field.name: "int64" if field.name.startswith("n_") else "float64"
        for field in dataclasses.fields(Fingerprint)
    },
}
ALIGNMENT = {
    "modality": "str",
    "alignment": "str",
    "concordance": "float64",
    "is_chosen": "bool",
}


def write_alignment(workspace: Workspace, paths: Sequence[Path]) -> None:
    """Write the table ``alignment``."""
    table = stacked([parquet.read_frame(path)[0] for path in paths], ALIGNMENT)
    parquet.write_frame(workspace.table_path("alignment"), table)


def write_evidence(
    workspace: Workspace, clusterings: Sequence[Clustering], controls: Sequence[EvidenceFiles]
) -> None:
    """Write the tables ``evidence``, ``clusters`` and ``fingerprint``."""
    scores, clusters = [], []
    for clustering in clusterings:
        marked = {"is_default": clustering.is_default}
        scores.append(parquet.read_frame(clustering.evidence.scores)[0].assign(**marked))
        clusters.append(parquet.read_frame(clustering.evidence.details)[0].assign(**marked))
    for files in controls:
        scores.append(parquet.read_frame(files.scores)[0].assign(is_default=False))
    probes = [parquet.read_frame(files.details)[0] for files in controls]
    for name, parts, columns in (
        ("evidence", scores, EVIDENCE),
        ("clusters", clusters, CLUSTERS),
        ("fingerprint", probes, FINGERPRINT),
    ):
        complete = [part.reindex(columns=list(columns)) for part in parts if len(part)]
        table = stacked(complete, columns).astype(columns)
        parquet.write_frame(workspace.table_path(name), table)
