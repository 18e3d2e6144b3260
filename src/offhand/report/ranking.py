"""Clusterings over all clips: the galleries and the quality matrix."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from offhand.report.bounds import MOST_ROWS, some
from offhand.report.clusters import cluster_list, rows_of
from offhand.report.evidence import CLIP, CONTROL
from offhand.report.exemplars import Exemplars
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
)

GALLERY_CLUSTERS = 6
GALLERY_CLIPS = 16
HIDDEN = "hidden"
MOST_ACTIVITIES = 100
"""Clusters that are pictured, and listed as activities: those with most time."""

UNSEEN = MatrixCell(noise_share=math.nan, unseen_share=1.0, n_clusters=0, empty=NOT_OBSERVABLE)


def modality_views(
    tables: Tables,
    names: dict[str, ClipName],
    exemplars: Exemplars,
    thumbnails: Thumbnails,
) -> tuple[Modality, ...]:
    """Return the fusion, then every modality, the highest score of its default clusterer first.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        Name and anchor of each clip that gave results, by ``clip_id``.
    exemplars
        The typical segments of each cluster.
    thumbnails
        Collects the pictures; those of default clusterers are asked for first.
    """
    pairs = clusterings(tables)
    gallery = _Gallery(tables, names, exemplars, thumbnails)
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
    defaults: dict[tuple[str, str], bool] = {}
    for row in rows_of(real):
        defaults.setdefault((str(row["modality"]), str(row["clusterer"])), bool(row["is_default"]))
    for (_, modality, clusterer), rows in tables.labels.items():
        defaults.setdefault((modality, clusterer), bool(rows["is_default"].iloc[0]))
    found = [(*names, is_default) for names, is_default in defaults.items()]
    leads = {modality: clusterer for modality, clusterer, _ in reversed(found)}
    leads |= {modality: clusterer for modality, clusterer, default in found if default}
    return [(m, c, leads[m] == c) for m, c, _ in found]


def quality_matrix(
    tables: Tables, names: dict[str, ClipName], modalities: tuple[Modality, ...], *, leading: bool
) -> Matrix:
    """Return the quality of each clip clustered alone, by leading clusterers or by the others."""
    order = [modality.name for modality in modalities]
    columns = []
    cells = []
    for m, c, is_default in sorted(clusterings(tables), key=lambda pair: order.index(pair[0])):
        own = tables.within(m, c) if is_default == leading else tables.unlabelled
        if len(own):
            columns.append((m, c))
            cells.append(_matrix_cells(own))
    sizes = tables.segments["clip_id"].value_counts().to_dict()
    rows = [
        (name, int(sizes.get(name.clip_id, 0)), tuple(of.get(name.clip_id, UNSEEN) for of in cells))
        for name in some([*names.values()], MOST_ROWS)
    ]
    return Matrix(columns=tuple(columns), rows=tuple(rows), n_clips=len(names))


class _Gallery:
    """Builds clusterings with their exemplars as pictures."""

    def __init__(
        self,
        tables: Tables,
        names: dict[str, ClipName],
        exemplars: Exemplars,
        thumbnails: Thumbnails,
    ) -> None:
        self._tables = tables
        self._names = names
        self._thumbnails = thumbnails
        self._total_s = float(tables.segments["seconds"].sum())
        self._exemplars = exemplars
        self._judged = {
            (str(row["modality"]), str(row["clusterer"]), int(row["label"])): row
            for row in rows_of(tables.clusters)
        }

    def clustering(self, modality: str, clusterer: str, *, is_default: bool) -> Clustering:
        """Return one clustering with its gallery."""
        labels = self._tables.pooled(modality, clusterer)
        noise = labels[(labels["label"] < 0) & labels["described"]]
        unseen = labels[~labels["described"]]
        found = cluster_list(labels, self._tables.informing(modality), total_s=self._total_s)
        exemplars = self._exemplars.of(modality, clusterer)
        first = self._first(exemplars)
        clusters = [
            self._pictured(
                self._confirmed_or_not(
                    self._called(cluster, modality, clusterer), modality, clusterer
                ),
                first.get(cluster.label) if cluster.colour < MOST_ACTIVITIES else None,
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
        own = labels[labels["label"].isin(shown)]
        seconds = own.groupby("clip_id")["seconds"].sum().to_dict()
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
        wanted = [name.clip_id for name in columns]
        groups = labels[labels["clip_id"].isin(wanted)].groupby(["label", "clip_id"])["seconds"]
        seconds, sizes = groups.sum().to_dict(), groups.size().to_dict()
        grid = []
        for cluster in shown:
            row = []
            for name in columns:
                place = (cluster.label, name.clip_id)
                segment_id, is_medoid = exemplars.get(place, (-1, False))
                row.append(
                    dataclasses.replace(
                        self._exemplars.cell(
                            self._thumbnails, cluster, name.clip_id, segment_id, is_medoid=is_medoid
                        ),
                        n_segments=int(sizes.get(place, 0)),
                        seconds=float(seconds.get(place, 0.0)),
                    )
                )
            grid.append(tuple(row))
        return grid

    def _first(
        self, exemplars: dict[tuple[int, str], tuple[int, bool]]
    ) -> dict[int, tuple[bool, str, int]]:
        """Return by label the medoid, else the exemplar that is first by clip."""
        found: dict[int, tuple[bool, str, int]] = {}
        for (label, clip_id), (segment_id, is_medoid) in exemplars.items():
            if clip_id in self._names:
                own = (not is_medoid, clip_id, segment_id)
                found[label] = min(found.get(label, own), own)
        return found

    def _pictured(self, cluster: Cluster, exemplar: tuple[bool, str, int] | None) -> Cluster:
        """Return the cluster with the picture of an exemplar, if there is one."""
        if exemplar is None:
            return cluster
        not_medoid, clip_id, segment_id = exemplar
        cell = self._exemplars.cell(
            self._thumbnails, cluster, clip_id, segment_id, is_medoid=not not_medoid
        )
        return dataclasses.replace(cluster, shown=cell, shown_clip=clip_id)


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


def _matrix_cells(labels: pd.DataFrame) -> dict[str, MatrixCell]:
    """Return the cell of each clip in which anything is described."""
    ids = labels["clip_id"].cat.categories
    clip = labels["clip_id"].cat.codes.to_numpy(np.int64)
    label = labels["label"].to_numpy(np.int64)
    described = labels["described"].to_numpy(bool)
    n, n_described, n_noise = (
        np.bincount(clip, weights=weights, minlength=len(ids))
        for weights in (np.ones(len(clip)), described, described & (label < 0))
    )
    pairs = pd.DataFrame({"clip": clip, "label": label})[label >= 0].drop_duplicates()
    k = np.bincount(pairs["clip"], minlength=len(ids))
    return {
        str(ids[at]): MatrixCell(
            noise_share=float(n_noise[at] / n[at]),
            unseen_share=float(1 - n_described[at] / n[at]),
            n_clusters=int(k[at]),
            empty="" if k[at] else NO_CLUSTER,
        )
        for at in np.flatnonzero(n_described).tolist()
    }


def _descending(value: float) -> float:
    return -value if math.isfinite(value) else math.inf
