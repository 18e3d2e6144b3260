"""What the report reads: the tables of a workspace, completed and put in order once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.annotations.corrected import Corrected, corrected
from offhand.annotations.edits import read_log
from offhand.records import FloatArray
from offhand.report.stored import COLUMNS, ReportSource, checked, optional

FUSED = "late_fusion"
"""Name of the fusion in the tables: it has labels like a modality, and no features of its own."""

TOOLS = "tool_presence"
"""The modality whose clustered columns are tools."""

TOLD = (TOOLS, "body_pose")
"""Modalities whose clustered columns are told to readers too; those of the others are not held."""

PLACE = "place"
"""Column of labels, features and maps: the row of a segment in the table ``segments``."""

NAMES = ("modality", "clusterer", "scope", "method")
"""Columns of few different texts, held as categories: a large run has millions of labels."""

CLUSTERING = ("scope", "modality", "clusterer")
"""Columns that tell to which clustering a label belongs."""

IntArray = npt.NDArray[np.int64]


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
        Of each clustering, by scope, modality and clusterer, joined with ``segments``: every row
        has its ``place`` there, ``start_s``, ``stop_s`` and ``seconds``; and ``described``, whether
        its modality describes the segment at all.
    unlabelled
        Such a table without rows.
    exemplars, consistency, evidence, clusters, fingerprint, alignment
        As stored; without rows where the run did not get that far.
    signals, modalities, fusion, repetitions, map
        As stored; without rows where the run did not get that far. ``map`` has ``place`` too.
    periods_s
        Column ``period_s`` of the table ``rhythm``, ``(n,)``.
    seed_accepted
        That column of the table ``similarity``, ``(n,)``.
    of_clip
        Returns a clip's rows of a table too large to be held, ``None`` without that table.
    corrections
        What a person said of the results, applied to segments, labels, exemplars, repetitions.
    n_edits
        How many edits that is.
    features
        Modality to its feature table, in the order of ``segments``, with ``place``; of columns that
        are clustered those alone that a reader is told.
    notes
        Modality to what its author noted of it.
    manifest
        ``version``, ``created``, ``config``.
    """

    clips: pd.DataFrame
    segments: pd.DataFrame
    labels: dict[tuple[str, str, str], pd.DataFrame]
    unlabelled: pd.DataFrame
    exemplars: pd.DataFrame
    consistency: pd.DataFrame
    evidence: pd.DataFrame
    clusters: pd.DataFrame
    fingerprint: pd.DataFrame
    alignment: pd.DataFrame
    periods_s: FloatArray
    seed_accepted: npt.NDArray[np.bool_]
    of_clip: Callable[[str, str], pd.DataFrame | None]
    signals: pd.DataFrame
    modalities: pd.DataFrame
    fusion: pd.DataFrame
    repetitions: pd.DataFrame
    map: pd.DataFrame
    corrections: Corrected
    n_edits: int
    features: dict[str, pd.DataFrame]
    notes: dict[str, dict[str, str]]
    manifest: dict[str, Any]

    def pooled(self, modality: str, clusterer: str) -> pd.DataFrame:
        """Return the labels of one clustering over all clips."""
        return self.labels.get(("pooled", modality, clusterer), self.unlabelled)

    def within(self, modality: str, clusterer: str) -> pd.DataFrame:
        """Return the labels of one clusterer that saw each clip alone."""
        return self.labels.get(("clip", modality, clusterer), self.unlabelled)

    def informing(self, modality: str) -> dict[str, pd.DataFrame]:
        """Return the features that tell a reader what its clusters are.

        Its own; those of all modalities for the fusion, and where its own are mere coordinates.
        """
        own = self.features.get(modality)
        if own is not None and reader_columns(own):
            return {modality: own}
        return dict(self.features)


def read_tables(source: ReportSource) -> Tables:
    """Read what the report needs; a table that the run did not write has no rows.

    Raises
    ------
    StoreError
        If there is no table ``clips``, or if a table is of another version.
    """
    clips = checked("clips", source.table("clips"))
    clips = _without_folders(clips.assign(clip_id=clips["clip_id"].astype(str)))
    ids = pd.Index(clips["clip_id"])
    log = read_log(source.path)
    fixed = corrected(
        log,
        segments=optional(source, "segments").sort_values(["clip_id", "start_s"]),
        labels=_compact(source, "labels", ids),
        exemplars=optional(source, "exemplars"),
        repetitions=optional(source, "repetitions"),
    )
    seconds = fixed.segments["stop_s"] - fixed.segments["start_s"]
    segments = fixed.segments.assign(seconds=seconds).reset_index(drop=True)
    keys = _Keys(segments, ids)
    features, seen, notes = {}, {}, {}
    for modality in source.modalities():
        stored = source.features(modality)
        notes[modality] = dict(stored.attrs.get("notes", {}))
        features[modality], seen[modality] = _features(modality, stored, keys)

    def joined(rows: pd.DataFrame, scope: str, modality: str) -> pd.DataFrame:
        found = keys.placed(rows.drop(columns=list(CLUSTERING)))
        for column in ("start_s", "stop_s", "seconds"):
            found[column] = segments[column].to_numpy(np.float64)[found[PLACE].to_numpy()]
        found["described"] = _described(found, scope, modality, seen)
        return found

    groups = fixed.labels.groupby(list(CLUSTERING), sort=False, observed=True).indices
    labels = {}
    for key, places in groups.items():
        scope, modality, clusterer = cast(tuple[str, str, str], key)
        found = joined(fixed.labels.take(np.asarray(places)), scope, modality)
        if len(found):
            labels[scope, modality, clusterer] = found
    return Tables(
        clips=clips,
        segments=segments,
        labels=labels,
        unlabelled=joined(fixed.labels.iloc[:0], "pooled", ""),
        exemplars=fixed.exemplars,
        consistency=optional(source, "consistency"),
        evidence=optional(source, "evidence"),
        clusters=optional(source, "clusters"),
        fingerprint=optional(source, "fingerprint"),
        alignment=optional(source, "alignment"),
        periods_s=numbers(optional(source, "rhythm", ["period_s"])["period_s"]),
        seed_accepted=optional(source, "similarity", ["seed_accepted"])["seed_accepted"].to_numpy(
            bool
        ),
        of_clip=source.of_clip,
        signals=optional(source, "signals").assign(weights=_weights_names),
        modalities=optional(source, "modalities"),
        fusion=optional(source, "fusion"),
        repetitions=fixed.repetitions,
        map=keys.placed(_compact(source, "map", ids)),
        corrections=fixed,
        n_edits=len(log.edits),
        features=features,
        notes=notes,
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


def numbers(column: pd.Series[Any]) -> FloatArray:
    """Return a column as float64, NaN for what is missing."""
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def _values(columns: Iterable[Any]) -> list[Any]:
    return [c for c in columns if c not in ("clip_id", "segment_id", PLACE)]


class _Keys:
    """Finds segments by clip and number."""

    def __init__(self, segments: pd.DataFrame, ids: pd.Index[str]) -> None:
        self._ids = ids
        self.n = len(segments)
        self._step = int(segments["segment_id"].max()) + 1 if self.n else 1
        keys = self._of(segments)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def placed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows whose segment is known, with its place, in the order of the places."""
        keys = self._of(table)
        nearest = np.searchsorted(self._sorted, keys)
        nearest[nearest == self.n] = 0
        known = (
            (self._sorted[nearest] == keys) & (keys >= 0) if self.n else np.zeros(len(keys), bool)
        )
        rows = np.flatnonzero(known)
        place = self._order[nearest[rows]]
        order = np.argsort(place, kind="stable")
        found = table.take(rows[order]).reset_index(drop=True)
        found[PLACE] = place[order]
        return found

    def _of(self, table: pd.DataFrame) -> IntArray:
        """Return one number a row for its segment; a negative one where it cannot be known."""
        column = table["clip_id"]
        if isinstance(column.dtype, pd.CategoricalDtype):
            clip = column.cat.codes.to_numpy(np.int64)
        else:
            clip = self._ids.get_indexer(pd.Index(column)).astype(np.int64)
        number = table["segment_id"].to_numpy(np.int64)
        known = (clip >= 0) & (number >= 0) & (number < self._step)
        return np.where(known, clip * self._step + number, -1)


def _compact(source: ReportSource, name: str, ids: pd.Index[str]) -> pd.DataFrame:
    """Return a table whose texts are categories."""
    names = ["clip_id", *(column for column in COLUMNS[name] if column in NAMES)]
    table = optional(source, name, categories=names)
    for column in names:
        table[column] = table[column].astype("category")
    table["clip_id"] = table["clip_id"].cat.set_categories(ids)
    return table


def _features(
    modality: str, table: pd.DataFrame, keys: _Keys
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Return a modality's features, and whether each segment was described by any of them."""
    attrs = dict(table.attrs)
    informing, used = reader_columns(table), used_columns(table)
    table = keys.placed(table.assign(clip_id=table["clip_id"].astype(str)))
    seen = np.zeros(keys.n, dtype=bool)
    described = table[used or informing].notna().to_numpy().any(axis=1)
    seen[table[PLACE].to_numpy()[described]] = True
    told = used if modality in TOLD else []
    table = table[["clip_id", "segment_id", PLACE, *informing, *told]].copy()
    weights = attrs.get("weights", {})
    table.attrs = {"weights": {name: weights[name] for name in table if name in weights}}
    return table, seen


def _described(
    labels: pd.DataFrame, scope: str, modality: str, seen: dict[str, npt.NDArray[np.bool_]]
) -> npt.NDArray[np.bool_]:
    """Tell, per row of a clustering, whether its modality describes the segment.

    A segment that is not described is left out of the clustering: it gets no cluster and no
    probability. Where a clustering, over all clips or of one, is nothing but such rows (there may
    have been too few segments to cluster), the features tell.
    """
    described = ~((labels["label"] < 0) & labels["probability"].isna()).to_numpy()
    codes: IntArray = np.asarray(labels["clip_id"].cat.codes, np.int64)
    pool = codes if scope == "clip" else np.zeros_like(codes)
    unclustered = np.bincount(pool, weights=described)[pool] == 0
    if unclustered.any():
        known = seen.get(modality)
        if modality == FUSED and seen:
            known = np.logical_or.reduce([*seen.values()])
        place = labels[PLACE].to_numpy()[unclustered]
        described[unclustered] = False if known is None else known[place]
    return described


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
