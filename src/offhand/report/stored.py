"""What the report asks of a workspace: which tables, and which of their columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from offhand.errors import StoreError

COVERAGES = ("hand_coverage_detector", "hand_coverage_tracker", "pose_coverage")

COLUMNS = {
    "clips": (
        "clip_id",
        "status",
        "width",
        "height",
        *COVERAGES,
        *(f"{name}_{end}" for name in COVERAGES[:2] for end in ("low", "high")),
    ),
    "segments": ("clip_id", "segment_id", "start_s", "stop_s"),
    "labels": (
        "clip_id",
        "segment_id",
        "modality",
        "clusterer",
        "scope",
        "is_default",
        "label",
        "probability",
    ),
    "exemplars": (
        "modality",
        "clusterer",
        "scope",
        "label",
        "clip_id",
        "segment_id",
        "is_medoid",
    ),
    "consistency": (
        "modality",
        "clusterer",
        "is_default",
        "n_clusters",
        "n_segments",
        "noise_share",
        "seed_entropy",
        "seed_multi_clip_share",
    ),
    "evidence": (
        "modality",
        "clusterer",
        "is_default",
        "level",
        "n_groups",
        "score",
        "low",
        "high",
        "p",
        "surrogate_p",
        "mixing",
        "stability_clips",
        "stability_blocks",
        "structure",
        "n_confirmed",
    ),
    "clusters": ("modality", "clusterer", "label", "p", "is_judged", "is_confirmed"),
    "fingerprint": ("modality", "accuracy", "low", "high", "accuracy_centred", "chance"),
    "alignment": ("modality", "alignment", "concordance", "is_chosen"),
    "rhythm": ("clip_id", "time_s", "flow_magnitude", "period_s", "strength"),
    "signals": ("signal", "status", "reason", "weights"),
    "modalities": ("modality", "status", "reason", "signals"),
    "fusion": ("modality", "weight", "agreement", "described"),
    "repetitions": (
        "clip_id",
        "segment_id",
        "start_s",
        "stop_s",
        "period_s",
        "count",
        "rep_times_s",
        "confidence",
        "accepted",
        "reason",
        "seed_count",
    ),
    "similarity": ("clip_id", "segment_id", "size", "similarity", "seed_accepted"),
    "map": ("modality", "clip_id", "segment_id", "x", "y", "method"),
}

TEXTS = (
    "clip_id",
    "modality",
    "clusterer",
    "scope",
    "level",
    "alignment",
    "signal",
    "status",
    "reason",
    "weights",
    "signals",
    "method",
)


class ReportSource(Protocol):
    """The part of a workspace that the report reads."""

    @property
    def path(self) -> Path:
        """Folder of the workspace."""

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        categories: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Return a table, or some of its columns, texts of some as categories; or StoreError."""

    def of_clip(self, name: str, clip_id: str) -> pd.DataFrame | None:
        """Return a clip's rows of a table, ``None`` where there is no such table."""

    def modalities(self) -> list[str]:
        """Return the modalities that have features."""

    def features(self, modality: str) -> pd.DataFrame:
        """Return a modality's features, with ``attrs`` ``weights`` and ``notes``."""

    def thumbnail(self, clip_id: str, segment_id: int) -> bytes | None:
        """Return a segment's JPEG, ``None`` where there is none."""

    def preview(self, clip_id: str, segment_id: int) -> bytes | None:
        """Return a segment's loop as animated WebP, ``None`` where there is none."""

    def manifest(self) -> dict[str, Any]:
        """Return the version, the time of creation and the configuration of the run."""


def checked(name: str, table: pd.DataFrame, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a table that has the columns that are needed; StoreError for any other."""
    lacking = [column for column in columns or COLUMNS[name] if column not in table]
    if lacking:
        raise StoreError(
            f"table {name!r} has no column {', '.join(lacking)}: another version of offhand wrote "
            "this workspace; run `offhand run` on it again"
        )
    return table


def optional(
    source: ReportSource,
    name: str,
    columns: Sequence[str] | None = None,
    *,
    categories: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a table, or some of its columns; without rows where the run did not write it."""
    try:
        table = source.table(name, columns, categories=categories)
    except StoreError:
        wanted = columns or COLUMNS[name]
        table = pd.DataFrame({column: pd.Series(dtype=_dtype(column)) for column in wanted})
    table = checked(name, table, columns)
    if "clip_id" in table.columns and "clip_id" not in categories:
        table = table.assign(clip_id=table["clip_id"].astype(str))
    return table.reset_index(drop=True)


def _dtype(column: str) -> str:
    if column in ("segment_id", "label", "n_clusters", "n_segments", "n_groups", "count", "size"):
        return "int64"
    if column in (
        "is_default",
        "is_medoid",
        "is_judged",
        "is_confirmed",
        "is_chosen",
        "accepted",
        "seed_accepted",
    ):
        return "bool"
    if column in ("rep_times_s", "similarity"):
        return "object"
    return "str" if column in TEXTS else "float64"
