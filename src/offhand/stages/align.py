"""Stage 3: the remedy for fingerprints that each modality gets, and what each one would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from offhand.clustering.base import Clusterer
from offhand.selection.remedies import best_alignments, compare_alignments
from offhand.stages.spaces import SightFiles
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace

AUTO = "auto"
"""The remedy with the highest score is taken, for each modality."""


@dataclass(frozen=True, kw_only=True)
class AlignTask:
    """The modalities to align.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    described
        Their features.
    alignment
        A remedy for all of them, or ``auto``.
    clusterer
        What clusters them.
    seed
        Seed of what it draws at random.
    """

    workspace: str
    described: SightFiles
    alignment: str
    clusterer: Clusterer
    seed: int


def alignments_path(task: AlignTask) -> Path:
    """Return the file of the alignments."""
    after = (*task.described.upstream, f"seed {task.seed}", task.alignment)
    print_ = fingerprint.of_step(task.clusterer, after=after)
    return Workspace(task.workspace).record_path("alignment", "alignment", print_, "alignment")


def align_modalities(task: AlignTask, report: Callable[[float], None]) -> None:
    """Compare the remedies, and store which one each modality gets.

    The table has the columns of :class:`offhand.selection.AlignmentScore` and ``is_chosen``.
    """
    path, key = alignments_path(task), task.described.key
    if parquet.has_key(path, key):
        return
    scores = compare_alignments(task.described.read(), task.clusterer, seed=task.seed)
    best = best_alignments(scores)
    table = pd.DataFrame([vars(one) for one in scores])
    wanted = table["modality"].map(best) if task.alignment == AUTO else task.alignment
    table["is_chosen"] = table["alignment"] == wanted
    report(1.0)
    parquet.write_frame(path, table, key=key)
