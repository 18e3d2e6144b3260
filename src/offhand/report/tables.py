"""What the report reads: the tables of a workspace, completed and put in order once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from offhand.annotations.corrected import Corrected, corrected
from offhand.annotations.edits import read_log
from offhand.errors import StoreError
from offhand.records import FloatArray

FUSED = "late_fusion"
"""Name of the fusion in the tables: it has labels like a modality, and no features of its own."""

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

_KEY = ("modality", "clip_id", "segment_id")


class ReportSource(Protocol):
    """The part of a workspace that the report reads."""

    @property
    def path(self) -> Path:
        """Folder of the workspace."""

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; StoreError if there is none of that name."""

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


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables of one workspace, in memory, as a person corrected them.

    Attributes
    ----------
    clips
        One row a clip, in the order of the run.
    segments
        With ``seconds``, the length of each segment.
    labels
        Joined with ``segments``: every row has ``start_s``, ``stop_s`` and ``seconds``; and
        ``described``, whether its modality describes the segment at all.
    exemplars, consistency, evidence, clusters, fingerprint, alignment
        As stored; without rows where the run did not get that far.
    rhythm, signals, modalities, fusion, repetitions, similarity, map
        As stored; without rows where the run did not get that far.
    corrections
        What a person said of the results, applied to segments, labels, exemplars, repetitions.
    n_edits
        How many edits that is.
    features
        Modality to its feature table.
    manifest
        ``version``, ``created``, ``config``.
    """

    clips: pd.DataFrame
    segments: pd.DataFrame
    labels: pd.DataFrame
    exemplars: pd.DataFrame
    consistency: pd.DataFrame
    evidence: pd.DataFrame
    clusters: pd.DataFrame
    fingerprint: pd.DataFrame
    alignment: pd.DataFrame
    rhythm: pd.DataFrame
    signals: pd.DataFrame
    modalities: pd.DataFrame
    fusion: pd.DataFrame
    repetitions: pd.DataFrame
    similarity: pd.DataFrame
    map: pd.DataFrame
    corrections: Corrected
    n_edits: int
    features: dict[str, pd.DataFrame]
    manifest: dict[str, Any]

    def pooled(self, modality: str, clusterer: str) -> pd.DataFrame:
        """Return the labels of one clustering over all clips."""
        return self._labels("pooled", modality, clusterer)

    def within(self, modality: str, clusterer: str) -> pd.DataFrame:
        """Return the labels of one clusterer that saw each clip alone."""
        return self._labels("clip", modality, clusterer)

    def informing(self, modality: str) -> dict[str, pd.DataFrame]:
        """Return the features that tell a reader what its clusters are.

        Its own; those of all modalities for the fusion, and where its own are mere coordinates.
        """
        own = self.features.get(modality)
        if own is not None and reader_columns(own):
            return {modality: own}
        return dict(self.features)

    def _labels(self, scope: str, modality: str, clusterer: str) -> pd.DataFrame:
        table = self.labels
        return table[
            (table["scope"] == scope)
            & (table["modality"] == modality)
            & (table["clusterer"] == clusterer)
        ]


def read_tables(source: ReportSource) -> Tables:
    """Read what the report needs; a table that the run did not write has no rows.

    Raises
    ------
    StoreError
        If there is no table ``clips``, or if a table is of another version.
    """
    clips = _checked("clips", source.table("clips"))
    clips = _without_folders(clips.assign(clip_id=clips["clip_id"].astype(str)))
    log = read_log(source.path)
    fixed = corrected(
        log,
        segments=_optional(source, "segments").sort_values(["clip_id", "start_s"]),
        labels=_optional(source, "labels"),
        exemplars=_optional(source, "exemplars"),
        repetitions=_optional(source, "repetitions"),
    )
    segments = fixed.segments.assign(seconds=fixed.segments["stop_s"] - fixed.segments["start_s"])
    features = {modality: _features(source, modality) for modality in source.modalities()}
    labels = fixed.labels.merge(segments, on=["clip_id", "segment_id"])
    labels["described"] = _described(labels, features)
    return Tables(
        clips=clips,
        segments=segments,
        labels=labels.sort_values(["clip_id", "start_s"], kind="stable"),
        exemplars=fixed.exemplars,
        consistency=_optional(source, "consistency"),
        evidence=_optional(source, "evidence"),
        clusters=_optional(source, "clusters"),
        fingerprint=_optional(source, "fingerprint"),
        alignment=_optional(source, "alignment"),
        rhythm=_optional(source, "rhythm").sort_values(["clip_id", "time_s"], kind="stable"),
        signals=_optional(source, "signals").assign(weights=_weights_names),
        modalities=_optional(source, "modalities"),
        fusion=_optional(source, "fusion"),
        repetitions=fixed.repetitions,
        similarity=_optional(source, "similarity"),
        map=_optional(source, "map"),
        corrections=fixed,
        n_edits=len(log.edits),
        features=features,
        manifest=source.manifest(),
    )


def reader_columns(features: pd.DataFrame) -> list[str]:
    """Return the feature columns that only inform the reader: those of weight 0."""
    weights = features.attrs.get("weights", {})
    return [str(c) for c in _values(features.columns) if weights.get(str(c), 1.0) == 0]


def used_columns(features: pd.DataFrame) -> list[str]:
    """Return the feature columns that are clustered."""
    informing = reader_columns(features)
    return [str(c) for c in _values(features.columns) if c not in informing]


def observed(features: pd.DataFrame) -> pd.Series[bool]:
    """Return, per feature row, whether any column used for clustering holds a number."""
    columns = used_columns(features) or reader_columns(features)
    return features[columns].notna().any(axis=1)


def numbers(column: pd.Series[Any]) -> FloatArray:
    """Return a column as float64, NaN for what is missing."""
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def _values(columns: Iterable[Any]) -> list[Any]:
    return [c for c in columns if c not in ("clip_id", "segment_id")]


def _features(source: ReportSource, modality: str) -> pd.DataFrame:
    table = source.features(modality)
    copy = table.assign(clip_id=table["clip_id"].astype(str))
    copy.attrs = dict(table.attrs)
    return copy


def _described(labels: pd.DataFrame, features: dict[str, pd.DataFrame]) -> pd.Series[bool]:
    """Tell, per label row, whether its modality describes the segment.

    A segment that is not described is left out of the clustering: it gets no cluster and no
    probability. Where a clustering is nothing but such rows (there may have been too few segments
    to cluster), the features tell.
    """
    out = (labels["label"] < 0) & labels["probability"].isna()
    pools = [labels[c] for c in ("modality", "clusterer", "scope")]
    pools.append(labels["clip_id"].where(labels["scope"] == "clip", ""))
    clustered = (~out).groupby(pools).transform("any") if len(labels) else out
    return ~out | (~clustered & _observed_rows(labels, features))


def _observed_rows(labels: pd.DataFrame, features: dict[str, pd.DataFrame]) -> pd.Series[bool]:
    """Tell, per label row, whether its modality (any, for the fusion) measured anything there."""
    seen = [
        table.loc[observed(table), ["clip_id", "segment_id"]].assign(modality=modality)
        for modality, table in features.items()
    ]
    seen += [rows.assign(modality=FUSED) for rows in seen]
    known = {key for rows in seen for key in zip(*(rows[c] for c in _KEY), strict=True)}
    keys = zip(*(labels[c] for c in _KEY), strict=True)
    return pd.Series([key in known for key in keys], index=labels.index, dtype=bool)


def _checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    lacking = [column for column in COLUMNS[name] if column not in table]
    if lacking:
        raise StoreError(
            f"table {name!r} has no column {', '.join(lacking)}: another version of offhand wrote "
            "this workspace; run `offhand run` on it again"
        )
    return table


def _optional(source: ReportSource, name: str) -> pd.DataFrame:
    try:
        table = source.table(name)
    except StoreError:
        table = pd.DataFrame({column: pd.Series(dtype=_dtype(column)) for column in COLUMNS[name]})
    table = _checked(name, table)
    if "clip_id" in table.columns:
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


def _weights_names(signals: pd.DataFrame) -> list[str]:
    """Name weights that lie in a folder of the user's own without the folders above it."""
    return [
        ", ".join(Path(name).name for name in str(names).split(", "))
        for names in signals["weights"]
    ]


def _without_folders(clips: pd.DataFrame) -> pd.DataFrame:
    """Name files without their folders, in errors too: the page is made to be shown to others."""
    clips = clips.reset_index(drop=True)
    if "path" not in clips:
        return clips
    paths = clips["path"].fillna("").astype(str)
    names = [Path(path).name for path in paths]
    if "error" in clips:
        errors = clips["error"].fillna("").astype(str)
        clips["error"] = [
            error.replace(path, name) if path else error
            for error, path, name in zip(errors, paths, names, strict=True)
        ]
    return clips.assign(path=names)
