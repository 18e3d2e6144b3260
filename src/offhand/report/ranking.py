"""Clusterings over all clips: the galleries and the quality matrix."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pandas as pd

from offhand.report.clusters import cluster_list, rows_of
from offhand.report.evidence import CLIP, CONTROL
from offhand.report.maps import map_view
from offhand.report.steps import feature_notes
from offhand.report.tables import FUSED, Tables
from offhand.report.thumbnails import Thumbnails
from offhand.report.view_clusters import (
    Cell,
    ClipName,
    Cluster,
    Clustering,
    Matrix,
    MatrixCell,
    Modality,
)
from offhand.report.wording import (
    EXPLANATIONS,
    NO_CLUSTER,
    NOT_OBSERVABLE,
    clock,
)

GALLERY_CLUSTERS = 6
GALLERY_CLIPS = 16
HIDDEN = "hidden"


def modality_views(
    tables: Tables, names: dict[str, ClipName], thumbnails: Thumbnails
) -> tuple[Modality, ...]:
    """Return the fusion, then every modality, the highest score of its default clusterer first.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        Name and anchor of each clip that gave results, by ``clip_id``.
    thumbnails
        Collects the pictures; those of default clusterers are asked for first.
    """
    pairs = clusterings(tables)
    gallery = _Gallery(tables, names, thumbnails)
    defaults = [gallery.clustering(m, c, is_default=True) for m, c, default in pairs if default]
    others = [gallery.clustering(m, c, is_default=False) for m, c, default in pairs if not default]
    defaults.sort(key=lambda c: (c.modality != FUSED, _descending(c.score)))
    return tuple(
        Modality(
            name=default.modality,
            anchor=f"modality-{place}",
            explanation=EXPLANATIONS.get(default.modality, ""),
            default=default,
            others=tuple(c for c in others if c.modality == default.modality),
            notes=feature_notes(tables, default.modality)[1],
            map=map_view(tables, names, default),
        )
        for place, default in enumerate(defaults, start=1)
    )


def clusterings(tables: Tables) -> list[tuple[str, str, bool]]:
    """Return (modality, clusterer, is default) in the order of the run; one default a modality."""
    real = tables.consistency[~tables.consistency["modality"].astype(str).str.startswith(CONTROL)]
    both = pd.concat([t[["modality", "clusterer", "is_default"]] for t in (real, tables.labels)])
    found = [
        (str(row["modality"]), str(row["clusterer"]), bool(row["is_default"]))
        for row in rows_of(both.drop_duplicates(["modality", "clusterer"]))
    ]
    leads = {modality: clusterer for modality, clusterer, _ in reversed(found)}
    leads |= {modality: clusterer for modality, clusterer, default in found if default}
    return [(m, c, leads[m] == c) for m, c, _ in found]


def quality_matrix(
    tables: Tables, names: dict[str, ClipName], modalities: tuple[Modality, ...], *, leading: bool
) -> Matrix:
    """Return the quality of each clip clustered alone, by leading clusterers or by the others."""
    order = [modality.name for modality in modalities]
    own = tables.labels[tables.labels["scope"] == "clip"]
    groups = {
        tuple(str(part) for part in key): rows
        for key, rows in own.groupby(["clip_id", "modality", "clusterer"])
    }
    columns = [
        (m, c)
        for m, c, is_default in sorted(clusterings(tables), key=lambda pair: order.index(pair[0]))
        if is_default == leading and any(key[1:] == (m, c) for key in groups)
    ]
    sizes = tables.segments["clip_id"].value_counts().to_dict()
    rows = [
        (
            name,
            int(sizes.get(clip_id, 0)),
            tuple(_matrix_cell(groups.get((clip_id, m, c))) for m, c in columns),
        )
        for clip_id, name in names.items()
    ]
    return Matrix(columns=tuple(columns), rows=tuple(rows))


class _Gallery:
    """Builds clusterings with their exemplars as pictures."""

    def __init__(self, tables: Tables, names: dict[str, ClipName], thumbnails: Thumbnails) -> None:
        self._tables = tables
        self._names = names
        self._thumbnails = thumbnails
        self._total_s = float(tables.segments["seconds"].sum())
        keys = zip(tables.segments["clip_id"], tables.segments["segment_id"], strict=True)
        self._judged = {
            (str(row["modality"]), str(row["clusterer"]), int(row["label"])): row
            for row in rows_of(tables.clusters)
        }
        ends = (tables.segments[end].tolist() for end in ("start_s", "stop_s"))
        self._interval = dict(zip(keys, zip(*ends, strict=True), strict=True))

    def clustering(self, modality: str, clusterer: str, *, is_default: bool) -> Clustering:
        """Return one clustering with its gallery."""
        labels = self._tables.pooled(modality, clusterer)
        noise = labels[(labels["label"] < 0) & labels["described"]]
        unseen = labels[~labels["described"]]
        found = cluster_list(labels, self._tables.informing(modality), total_s=self._total_s)
        exemplars = self._exemplars(modality, clusterer)
        clusters = [
            self._pictured(
                self._confirmed_or_not(
                    self._called(cluster, modality, clusterer), modality, clusterer
                ),
                exemplars,
            )
            for cluster in found
        ]
        shown = [c for c in clusters if c.status != HIDDEN][:GALLERY_CLUSTERS]
        columns, n_hidden = self._columns(labels, {c.label for c in shown})
        grid = self._cells(labels, exemplars, shown, columns)
        row = _consistency(self._tables, modality, clusterer)
        scored = _scored(self._tables, modality, clusterer)
        return Clustering(
            modality=modality,
            clusterer=clusterer,
            is_default=is_default,
            score=scored[0],
            low=scored[1],
            high=scored[2],
            multi_clip_share=float(row.get("seed_multi_clip_share", math.nan)),
            n_clusters=int(row.get("n_clusters", len(clusters))),
            n_segments=int(row.get("n_segments", len(labels))),
            noise_share=len(noise) / max(1, len(labels)),
            unseen_share=len(unseen) / max(1, len(labels)),
            clusters=tuple(clusters),
            noise_s=float(noise["seconds"].sum()),
            unseen_s=float(unseen["seconds"].sum()),
            total_s=self._total_s,
            columns=tuple(columns),
            rows=tuple(zip(shown, grid, strict=True)),
            n_hidden_clips=n_hidden,
            n_hidden_clusters=sum(c.status != HIDDEN for c in clusters) - len(shown),
        )

    def _called(self, cluster: Cluster, modality: str, clusterer: str) -> Cluster:
        """Return the cluster with what a person says of it."""
        key, said = (modality, clusterer, cluster.label), self._tables.corrections
        return dataclasses.replace(
            cluster,
            called=said.names.get(key, ""),
            status=said.statuses.get(key, ""),
            is_edited=key in said.edited,
        )

    def _confirmed_or_not(self, cluster: Cluster, modality: str, clusterer: str) -> Cluster:
        """Return the cluster with what other modalities say of it."""
        row = self._judged.get((modality, clusterer, cluster.label))
        if row is None or cluster.is_edited:
            return cluster
        return dataclasses.replace(
            cluster,
            p=float(row["p"]),
            is_judged=bool(row["is_judged"]),
            is_confirmed=bool(row["is_confirmed"]),
        )

    def _columns(self, labels: pd.DataFrame, shown: set[int]) -> tuple[list[ClipName], int]:
        """Return the clips with most time in the shown clusters, and how many others there are."""
        seconds = labels[labels["label"].isin(shown)].groupby("clip_id")["seconds"].sum()
        order = sorted(self._names, key=lambda c: -float(seconds.get(c, 0.0)))
        chosen = set(order[:GALLERY_CLIPS])
        columns = [name for clip_id, name in self._names.items() if clip_id in chosen]
        return columns, len(self._names) - len(columns)

    def _cells(
        self,
        labels: pd.DataFrame,
        exemplars: dict[tuple[int, str], tuple[int, bool]],
        shown: list[Cluster],
        columns: list[ClipName],
    ) -> list[tuple[Cell, ...]]:
        groups = labels.groupby(["label", "clip_id"])["seconds"]
        seconds, sizes = groups.sum().to_dict(), groups.size().to_dict()
        grid = []
        for cluster in shown:
            row = []
            for name in columns:
                place = (cluster.label, name.clip_id)
                segment_id, is_medoid = exemplars.get(place, (-1, False))
                row.append(
                    dataclasses.replace(
                        self._cell(cluster, name.clip_id, segment_id, is_medoid=is_medoid),
                        n_segments=int(sizes.get(place, 0)),
                        seconds=float(seconds.get(place, 0.0)),
                    )
                )
            grid.append(tuple(row))
        return grid

    def _pictured(
        self, cluster: Cluster, exemplars: dict[tuple[int, str], tuple[int, bool]]
    ) -> Cluster:
        """Return the cluster with the picture of its medoid, else of the exemplar that is first."""
        own = [
            (not is_medoid, clip_id, segment_id)
            for (label, clip_id), (segment_id, is_medoid) in exemplars.items()
            if label == cluster.label and clip_id in self._names
        ]
        if not own:
            return cluster
        not_medoid, clip_id, segment_id = min(own)
        cell = self._cell(cluster, clip_id, segment_id, is_medoid=not not_medoid)
        return dataclasses.replace(cluster, shown=cell, shown_clip=clip_id)

    def _cell(self, cluster: Cluster, clip_id: str, segment_id: int, *, is_medoid: bool) -> Cell:
        """Return one segment with its pictures; an empty cell without a segment."""
        if segment_id < 0:
            return Cell()
        start_s, stop_s = self._interval.get((clip_id, segment_id), (math.nan, math.nan))
        return Cell(
            at_s=start_s,
            until_s=stop_s,
            is_medoid=is_medoid,
            image=self._thumbnails.key(clip_id, segment_id),
            preview=self._thumbnails.preview_key(clip_id, segment_id),
            image_alt=f"Frame of {clip_id}, segment at {clock(start_s)}, "
            f"typical of {cluster.title}",
        )

    def _exemplars(self, modality: str, clusterer: str) -> dict[tuple[int, str], tuple[int, bool]]:
        """Return (segment, is medoid) by (label, clip) of one pooled clustering."""
        table = self._tables.exemplars
        rows = table[
            (table["modality"] == modality)
            & (table["clusterer"] == clusterer)
            & (table["scope"] == "pooled")
        ]
        return {
            (int(r["label"]), str(r["clip_id"])): (int(r["segment_id"]), bool(r["is_medoid"]))
            for r in rows_of(rows)
        }


def _consistency(tables: Tables, modality: str, clusterer: str) -> dict[str, Any]:
    table = tables.consistency
    rows = rows_of(table[(table["modality"] == modality) & (table["clusterer"] == clusterer)])
    return rows[0] if rows else {}


def _scored(tables: Tables, modality: str, clusterer: str) -> tuple[float, float, float]:
    """Return the score of a clustering over clips, and its interval."""
    table = tables.evidence
    chosen = (table["modality"] == modality) & (table["clusterer"] == clusterer)
    rows = rows_of(table[chosen & (table["level"] == CLIP)])
    if not rows:
        return math.nan, math.nan, math.nan
    return float(rows[0]["score"]), float(rows[0]["low"]), float(rows[0]["high"])


def _matrix_cell(labels: pd.DataFrame | None) -> MatrixCell:
    if labels is None or not labels["described"].any():
        return MatrixCell(
            noise_share=math.nan, unseen_share=1.0, n_clusters=0, empty=NOT_OBSERVABLE
        )
    is_out = labels["label"] < 0
    k = int(labels.loc[~is_out, "label"].nunique())
    return MatrixCell(
        noise_share=float((is_out & labels["described"]).mean()),
        unseen_share=float((~labels["described"]).mean()),
        n_clusters=k,
        empty="" if k else NO_CLUSTER,
    )


def _descending(value: float) -> float:
    return -value if math.isfinite(value) else math.inf
