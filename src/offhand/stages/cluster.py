"""Stage 3: cluster the segments of one modality, pooled over all clips and clip by clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.clustering.base import Clusterer
from offhand.clustering.exemplars import EXEMPLARS_VERSION, exemplars
from offhand.clustering.space import SPACE_VERSION, feature_space
from offhand.records import Features, Scope
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace

LABEL_COLUMNS = ("clip_id", "segment_id", "scope", "label", "probability")
EXEMPLAR_COLUMNS = ("scope", "label", "clip_id", "segment_id", "is_medoid")


@dataclass(frozen=True, kw_only=True)
class ClusterTask:
    """One modality and one clusterer.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    modality, modality_fingerprint
        Which features.
    feature_paths
        Their files, one a clip.
    clusterer
        The configured method.
    seed
        Seed of what it draws at random.
    """

    workspace: str
    modality: str
    modality_fingerprint: str
    feature_paths: tuple[str, ...]
    clip_keys: tuple[str, ...]
    clusterer: Clusterer
    seed: int


@dataclass(frozen=True, kw_only=True)
class ClusterFiles:
    """Where the labels and the exemplars of a task are stored."""

    labels: Path
    exemplars: Path


def cluster_files(task: ClusterTask) -> ClusterFiles:
    """Return the files of a task's results."""
    versions = f"space {SPACE_VERSION}", f"exemplars {EXEMPLARS_VERSION}"
    after = (task.modality_fingerprint, *versions, f"seed {task.seed}")
    name = f"{task.modality}.{task.clusterer.name}"
    print_ = fingerprint.of_step(task.clusterer, after=after)
    workspace = Workspace(task.workspace)
    return ClusterFiles(
        labels=workspace.record_path("clusters", name, print_, "labels"),
        exemplars=workspace.record_path("clusters", name, print_, "exemplars"),
    )


def cluster(task: ClusterTask, report: Callable[[float], None]) -> None:
    """Cluster what is not clustered yet, and store labels and exemplars."""
    key = fingerprint.digest([Path(path).name for path in task.feature_paths] + [*task.clip_keys])
    files = cluster_files(task)
    if parquet.has_key(files.labels, key) and parquet.has_key(files.exemplars, key):
        return
    tables = [parquet.read_features(Path(path)) for path in task.feature_paths]
    pooled = replace(
        tables[0],
        clip_id=np.concatenate([table.clip_id for table in tables]),
        segment_id=np.concatenate([table.segment_id for table in tables]),
        values=np.concatenate([table.values for table in tables]),
    )
    parts = [_clustered(pooled, task.clusterer, scope="pooled", seed=task.seed)]
    for done, table in enumerate(tables, start=1):
        parts.append(_clustered(table, task.clusterer, scope="clip", seed=task.seed))
        report(done / len(tables))
    parquet.write_frame(files.exemplars, _joined(parts, 1, EXEMPLAR_COLUMNS), key=key)
    parquet.write_frame(files.labels, _joined(parts, 0, LABEL_COLUMNS), key=key)


def _clustered(
    features: Features, clusterer: Clusterer, *, scope: Scope, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of labels and of exemplars for one pool of segments."""
    space, described = feature_space(features.values, features.weights)
    clusters = clusterer.cluster(space, seed=seed)
    label = np.full(len(features), -1, dtype=np.int64)
    probability = np.full(len(features), np.nan)
    label[described], probability[described] = clusters.label, clusters.probability
    labels = pd.DataFrame(
        {
            "clip_id": features.clip_id,
            "segment_id": features.segment_id,
            "scope": scope,
            "label": label,
            "probability": probability,
        }
    )
    rows: npt.NDArray[np.int64] = np.flatnonzero(described)
    found = exemplars(space, clusters.label, features.clip_id[described])
    chosen = rows[[exemplar.row for exemplar in found]] if found else rows[:0]
    shown = pd.DataFrame(
        {
            "scope": scope,
            "label": np.array([exemplar.label for exemplar in found], dtype=np.int64),
            "clip_id": features.clip_id[chosen],
            "segment_id": features.segment_id[chosen],
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
