"""Maps of the segments as a stage: stored once, and again when what is clustered changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.records import Features
from offhand.stages.cluster import ClusterTask
from offhand.stages.project import ProjectTask, draw_map, map_path
from offhand.stages.results import JOINED, write_joined
from offhand.stages.spaces import FeatureFiles, SightFiles
from offhand.store import parquet
from offhand.store.workspace import Workspace

PER_CLIP = 12


def described(folder: Path, *, modality: str = "flow_rhythm", hidden: int = 2) -> FeatureFiles:
    """Store features of two clips; the first segments of each are not described."""
    rng = np.random.default_rng(len(modality))
    paths = []
    for clip in ("a", "b"):
        values = rng.normal(size=(PER_CLIP, 3))
        values[:hidden] = np.nan
        features = Features(
            modality=modality,
            clip_id=np.full(PER_CLIP, clip),
            segment_id=np.arange(PER_CLIP),
            columns=("x", "y", "z"),
            weights=np.ones(3),
            values=values,
        )
        path = folder / modality / f"{clip}.parquet"
        parquet.write_features(path, features, key=clip)
        paths.append(str(path))
    return FeatureFiles(
        modality=modality,
        modality_fingerprint=f"print of {modality}",
        signals=(modality,),
        paths=tuple(paths),
        clip_keys=("a", "b"),
    )


def project_task(folder: Path, *features: FeatureFiles) -> ProjectTask:
    clustering = ClusterTask(
        workspace=str(Workspace.create(folder / "out").path),
        modality=features[0].modality,
        described=SightFiles(features=features),
        clusterer=Ward(),
        seed=0,
    )
    return ProjectTask(clustering=clustering)


def drawn(task: ProjectTask) -> pd.DataFrame:
    draw_map(task, lambda share: None)
    return parquet.read_frame(map_path(task))[0]


def test_every_described_segment_has_a_place(tmp_path: Path) -> None:
    task = project_task(tmp_path, described(tmp_path))
    table = drawn(task)
    assert list(table) == list(JOINED["map"])
    keys = [(clip, i) for clip in ("a", "b") for i in range(2, PER_CLIP)]
    assert [*zip(table["clip_id"], table["segment_id"], strict=True)] == keys
    assert set(table["modality"]) == {"flow_rhythm"}
    assert set(table["method"]) == {"t-SNE"}
    assert table[["x", "y"]].to_numpy().min() >= -1e-9
    assert table[["x", "y"]].to_numpy().max() <= 1 + 1e-9


def test_a_modality_that_describes_nothing_has_a_map_without_rows(tmp_path: Path) -> None:
    seen = project_task(tmp_path, described(tmp_path))
    unseen = project_task(tmp_path, described(tmp_path, modality="body_pose", hidden=PER_CLIP))
    table = drawn(unseen)
    assert list(table) == list(JOINED["map"])
    assert len(table) == 0
    drawn(seen)
    workspace = Workspace(tmp_path / "out")
    for tasks, n in (([unseen], 0), ([seen, unseen], 2 * PER_CLIP - 4), ([], 0)):
        write_joined(workspace, "map", [map_path(task) for task in tasks])
        joined = parquet.read_frame(workspace.table_path("map"))[0]
        assert (list(joined), len(joined)) == (list(JOINED["map"]), n)


def test_a_fusion_is_drawn_from_all_it_joins(tmp_path: Path) -> None:
    both = described(tmp_path), described(tmp_path, modality="ego_motion", hidden=0)
    weights = tmp_path / "fusion" / "weights.parquet"
    table = pd.DataFrame({"modality": ["flow_rhythm", "ego_motion"], "weight": [0.5, 0.5]})
    parquet.write_frame(weights, table)
    task = project_task(tmp_path, *both)
    fused = replace(task.clustering, modality="late_fusion", fusion_weights=str(weights))
    found = drawn(ProjectTask(clustering=fused))
    assert len(found) == 2 * PER_CLIP
    assert set(found["modality"]) == {"late_fusion"}


def test_a_map_is_drawn_once_and_anew_when_the_features_change(tmp_path: Path) -> None:
    task = project_task(tmp_path, described(tmp_path))
    first = drawn(task)
    before = map_path(task).stat().st_mtime_ns
    assert drawn(task).equals(first)
    assert map_path(task).stat().st_mtime_ns == before
    one = task.clustering
    (files,) = one.described.features
    changed = replace(files, clip_keys=("a", "another b"))
    drawn(ProjectTask(clustering=replace(one, described=SightFiles(features=(changed,)))))
    assert map_path(task).stat().st_mtime_ns != before


def test_the_clusterer_makes_no_difference_and_the_seed_does(tmp_path: Path) -> None:
    task = project_task(tmp_path, described(tmp_path))
    one = task.clustering
    other = ProjectTask(clustering=replace(one, clusterer=Hdbscan()))
    assert map_path(other) == map_path(task)
    assert map_path(ProjectTask(clustering=replace(one, seed=1))) != map_path(task)
