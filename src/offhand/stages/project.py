"""Stage 4: a map of the segments, one for each modality and for the fusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.clustering.projection import PROJECTION_VERSION, project
from offhand.selection.sight import joined
from offhand.stages.cluster import ClusterTask
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class ProjectTask:
    """The points that a clustering saw; which clusterer it is makes no difference."""

    clustering: ClusterTask


def map_path(task: ProjectTask) -> Path:
    """Return the file of a map."""
    one = task.clustering
    print_ = fingerprint.digest([*one.upstream, f"projection {PROJECTION_VERSION}"])
    return Workspace(one.workspace).record_path("maps", one.modality, print_, "map")


def draw_map(task: ProjectTask, report: Callable[[float], None]) -> None:
    """Store where each described segment lies, as columns of the table ``map``."""
    one = task.clustering
    path, key = map_path(task), one.described.key
    if parquet.has_key(path, key):
        return
    points, described = joined(one.described.spaces(), one.weights())
    places, method = project(points, seed=one.seed)
    rows = np.flatnonzero(described)
    segments = one.described.segments()
    table = pd.DataFrame(
        {
            "modality": one.modality,
            "clip_id": segments.clip_id[rows],
            "segment_id": segments.segment_id[rows],
            "x": places[:, 0] if len(rows) else np.empty(0),
            "y": places[:, 1] if len(rows) else np.empty(0),
            "method": method,
        }
    )
    report(1.0)
    parquet.write_frame(path, table, key=key)
