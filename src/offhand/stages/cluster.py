"""Stage 4: cluster segments in one modality, or in several fused: pooled, and clip by clip.

A clip's own segments are clustered where they lie among those of all clips: a handful of segments
cannot tell how much a feature varies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.clustering.base import Clusterer
from offhand.clustering.exemplars import EXEMPLARS_VERSION, exemplars
from offhand.clustering.fusion import join_spaces
from offhand.clustering.space import SPACE_VERSION, Space, feature_space
from offhand.records import Features, Scope
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace

LABEL_COLUMNS = ("clip_id", "segment_id", "scope", "label", "probability")
EXEMPLAR_COLUMNS = ("scope", "label", "clip_id", "segment_id", "is_medoid")


@dataclass(frozen=True, kw_only=True)
class FeatureFiles:
    """One modality's stored features.

    Attributes
    ----------
    modality, modality_fingerprint
        Which features.
    paths
        Their files, one a clip.
    clip_keys
        What each was made from.
    """

    modality: str
    modality_fingerprint: str
    paths: tuple[str, ...]
    clip_keys: tuple[str, ...]

    @property
    def key(self) -> str:
        """The identity of their content."""
        return fingerprint.digest([Path(path).name for path in self.paths] + [*self.clip_keys])

    def read(self) -> list[Features]:
        """Return the table of each clip."""
        return [parquet.read_features(Path(path)) for path in self.paths]


@dataclass(frozen=True, kw_only=True)
class ClusterTask:
    """One clusterer on one modality, or on a fusion of several.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    modality
        Name in the tables: the modality's, or the fusion's.
    features
        The features of that modality, or of each one fused.
    fusion_weights
        File of the weights of the fusion; empty for one modality.
    clusterer
        The configured method.
    seed
        Seed of what it draws at random.
    """

    workspace: str
    modality: str
    features: tuple[FeatureFiles, ...]
    fusion_weights: str = ""
    clusterer: Clusterer
    seed: int


@dataclass(frozen=True, kw_only=True)
class ClusterFiles:
    """Where the labels and the exemplars of a task are stored."""

    labels: Path
    exemplars: Path


def cluster_files(task: ClusterTask) -> ClusterFiles:
    """Return the files of a task's results."""
    upstream = [files.modality_fingerprint for files in task.features]
    if task.fusion_weights:
        upstream.append(Path(task.fusion_weights).parent.name)
    versions = f"space {SPACE_VERSION}", f"exemplars {EXEMPLARS_VERSION}"
    after = (*upstream, *versions, f"seed {task.seed}")
    name = f"{task.modality}.{task.clusterer.name}"
    print_ = fingerprint.of_step(task.clusterer, after=after)
    workspace = Workspace(task.workspace)
    return ClusterFiles(
        labels=workspace.record_path("clusters", name, print_, "labels"),
        exemplars=workspace.record_path("clusters", name, print_, "exemplars"),
    )


def cluster(task: ClusterTask, report: Callable[[float], None]) -> None:
    """Cluster what is not clustered yet, and store labels and exemplars."""
    key = fingerprint.digest([files.key for files in task.features])
    files = cluster_files(task)
    if parquet.has_key(files.labels, key) and parquet.has_key(files.exemplars, key):
        return
    tables = [pooled(files.read()) for files in task.features]
    spaces = [feature_space(table.values, table.weights) for table in tables]
    weights, clip_id = _read_weights(task), tables[0].clip_id
    everything: npt.NDArray[np.int64] = np.arange(len(clip_id))
    pools: list[tuple[Scope, npt.NDArray[np.int64]]] = [("pooled", everything)]
    pools += [("clip", np.flatnonzero(clip_id == clip)) for clip in dict.fromkeys(clip_id)]
    parts = []
    for done, (scope, rows) in enumerate(pools, start=1):
        placed = [_rows_of(space, rows) for space in spaces]
        space = (
            join_spaces([one for one, _ in placed], [known for _, known in placed], weights)
            if weights
            else placed[0]
        )
        parts.append(_clustered(tables[0], rows, space, task, scope))
        report(done / len(pools))
    parquet.write_frame(files.exemplars, _joined(parts, 1, EXEMPLAR_COLUMNS), key=key)
    parquet.write_frame(files.labels, _joined(parts, 0, LABEL_COLUMNS), key=key)


def pooled(tables: Sequence[Features]) -> Features:
    """Join the tables of one modality's clips."""
    return Features(
        modality=tables[0].modality,
        clip_id=np.concatenate([table.clip_id for table in tables]),
        segment_id=np.concatenate([table.segment_id for table in tables]),
        columns=tables[0].columns,
        weights=tables[0].weights,
        values=np.concatenate([table.values for table in tables]),
    )


def _read_weights(task: ClusterTask) -> list[float]:
    """Return the weight of each modality in the fusion; empty where nothing is fused."""
    if not task.fusion_weights:
        return []
    table = parquet.read_frame(Path(task.fusion_weights))[0].set_index("modality")
    return [float(table["weight"].loc[files.modality]) for files in task.features]


def _rows_of(space: Space, rows: npt.NDArray[np.int64]) -> Space:
    """Return the part of a space that belongs to some of the segments."""
    coordinates, described = space
    position = np.cumsum(described) - 1
    known = described[rows]
    return coordinates[position[rows[known]]], known


def _clustered(
    segments: Features,
    rows: npt.NDArray[np.int64],
    space: Space,
    task: ClusterTask,
    scope: Scope,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of labels and of exemplars for one pool of segments."""
    coordinates, described = space
    clusters = task.clusterer.cluster(coordinates, seed=task.seed)
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
