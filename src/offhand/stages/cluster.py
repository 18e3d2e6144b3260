"""Stage 4: cluster segments in one modality, or in several fused: pooled, and clip by clip.

A clip's own segments are clustered where they lie among those of all clips: a handful of segments
cannot tell how much a feature varies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.clustering.base import Clusterer
from offhand.clustering.exemplars import EXEMPLARS_VERSION, exemplars
from offhand.clustering.space import Space
from offhand.files.names import location
from offhand.records import Clusters, IntArray, Scope
from offhand.selection.candidates import Candidates, candidates, choose, tried
from offhand.selection.sight import Sight, joined
from offhand.stages.spaces import Described, SightFiles
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace

LABEL_COLUMNS = ("clip_id", "segment_id", "scope", "label", "probability")
EXEMPLAR_COLUMNS = ("scope", "label", "clip_id", "segment_id", "is_medoid")


@dataclass(frozen=True, kw_only=True)
class ClusterTask:
    """One clusterer on one modality, or on a fusion of several.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    modality
        Name in the tables: the modality's, or the fusion's.
    described
        The features of all modalities: of those clustered, and of those that confirm clusters.
    fusion_weights
        File of the weights of the fusion; empty for one modality.
    clusterer
        The configured method.
    seed
        Seed of what it draws at random.
    """

    workspace: str
    modality: str
    described: SightFiles
    fusion_weights: str = ""
    clusterer: Clusterer
    seed: int

    @property
    def upstream(self) -> tuple[str, ...]:
        """What a result depends on beside the clusterer and the features' content."""
        fused = (location(self.fusion_weights).parent.name,) if self.fusion_weights else ()
        return (*self.described.upstream, *fused, f"seed {self.seed}")

    def weights(self) -> dict[str, float]:
        """Return the weight of each modality that is clustered."""
        if not self.fusion_weights:
            return {self.modality: 1.0}
        table = parquet.read_frame(location(self.fusion_weights))[0]
        return dict(zip(table["modality"].astype(str), table["weight"].astype(float), strict=True))


@dataclass(frozen=True, kw_only=True)
class ClusterFiles:
    """Where a task's labels and exemplars are stored, and all pooled clusterings to choose from."""

    labels: Path
    exemplars: Path
    candidates: Path


def cluster_files(task: ClusterTask) -> ClusterFiles:
    """Return the files of a task's results."""
    name = f"{task.modality}.{task.clusterer.name}"
    after = (*task.upstream, f"exemplars {EXEMPLARS_VERSION}")
    print_ = fingerprint.of_step(task.clusterer, after=after)
    workspace = Workspace(task.workspace)
    return ClusterFiles(
        labels=workspace.record_path("clusters", name, print_, "labels"),
        exemplars=workspace.record_path("clusters", name, print_, "exemplars"),
        candidates=workspace.record_path("clusters", name, print_, "candidates"),
    )


def cluster(task: ClusterTask, report: Callable[[float], None]) -> None:
    """Cluster what is not clustered yet, and store labels and exemplars."""
    files, key = cluster_files(task), task.described.key
    if all(parquet.has_key(path, key) for path in vars(files).values()):
        return
    segments, everywhere = task.described.segments(), task.described.read()
    clip_id, weights = segments.clip_id, task.weights()
    everything: IntArray = np.arange(len(clip_id))
    pools: list[tuple[Scope, IntArray]] = [("pooled", everything)]
    pools += [("clip", np.flatnonzero(clip_id == clip)) for clip in dict.fromkeys(clip_id)]
    parts = []
    for done, (scope, rows) in enumerate(pools, start=1):
        sight = everywhere if scope == "pooled" else everywhere.at(rows)
        found = candidates(sight, weights, task.clusterer, seed=task.seed)
        chosen = choose(found, sight.pairs)
        if scope == "pooled":
            _write_candidates(files.candidates, found, chosen, key=key)
        parts.append(_tables(segments, rows, found.space, found.clusters[chosen], scope))
        report(done / len(pools))
    parquet.write_frame(files.exemplars, _joined(parts, 1, EXEMPLAR_COLUMNS), key=key)
    parquet.write_frame(files.labels, _joined(parts, 0, LABEL_COLUMNS), key=key)


def _write_candidates(path: Path, found: Candidates, chosen: int, *, key: str) -> None:
    """Store labels of all segments: the candidates' own, and those without a modality."""
    columns = {f"own {place}": found.label(place) for place in range(len(found.clusters))}
    for name, labels in found.without.items():
        columns |= {f"{place} without {name}": label for place, label in enumerate(labels)}
    frame = pd.DataFrame({name: label.astype(np.int32) for name, label in columns.items()})
    parquet.write_frame(path, frame, key=key, meta={"chosen": chosen})


def read_candidates(task: ClusterTask, sight: Sight) -> tuple[Candidates, int]:
    """Return the pooled clusterings that :func:`cluster` found, and which one it chose.

    Parameters
    ----------
    task
        What was clustered.
    sight
        How modalities see the segments, where pairs of clips, or of groups of them, are compared.
    """
    frame, meta = parquet.read_frame(cluster_files(task).candidates)
    weights = task.weights()
    space = joined(sight.spaces, weights)
    label = {name: frame[name].to_numpy(np.int64) for name in frame.columns}
    count = sum(name.startswith("own ") for name in label)
    unknown = np.full(int(space[1].sum()), np.nan)
    clusters = tuple(
        Clusters(label=label[f"own {place}"][space[1]], probability=unknown)
        for place in range(count)
    )
    without = {
        name: [label[f"{place} without {name}"] for place in range(count)]
        for name in sight.targets
        if f"0 without {name}" in label
    }
    found = tried(sight, weights, space=space, clusters=clusters, without=without)
    return found, int(meta["chosen"])


def _tables(
    segments: Described, rows: IntArray, space: Space, clusters: Clusters, scope: Scope
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of labels and of exemplars for one pool of segments."""
    coordinates, described = space
    label = np.full(len(rows), -1, dtype=np.int64)
    probability = np.full(len(rows), np.nan)
    label[described], probability[described] = clusters.label, clusters.probability
    labels = pd.DataFrame(
        {
            "clip_id": segments.clip_id[rows],
            "segment_id": segments.segment_id[rows],
            "scope": scope,
            "label": label,
            "probability": probability,
        }
    )
    known = rows[described]
    found = exemplars(coordinates, clusters.label, segments.clip_id[known])
    chosen = known[[exemplar.row for exemplar in found]] if found else known[:0]
    shown = pd.DataFrame(
        {
            "scope": scope,
            "label": np.array([exemplar.label for exemplar in found], dtype=np.int64),
            "clip_id": segments.clip_id[chosen],
            "segment_id": segments.segment_id[chosen],
            "is_medoid": np.array([exemplar.is_medoid for exemplar in found], dtype=bool),
        }
    )
    return labels, shown


def _joined(
    parts: list[tuple[pd.DataFrame, pd.DataFrame]], which: int, columns: tuple[str, ...]
) -> pd.DataFrame:
    """Join one table of every part; empty parts do not change the types of columns."""
    tables = [part[which] for part in parts]
    filled = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(filled, ignore_index=True)[list(columns)]
