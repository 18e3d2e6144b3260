"""Print what the pooled part of a run costs, from stored features to result tables.

    python -m benchmarks.speed.pooled [--segments 1000 10000 50000 200000] [--workers 2]

A workspace is made up for each size: clips of 200 segments, six modalities of 64 columns but one of
512, ten activities in bouts, and a look of each clip's own. Then the stages of a run are called on
it: spaces, alignment, fusion, clustering, evidence, maps, controls, result tables. Memory is that
of all processes together, looked at ten times a second. The exponent is the slope of log time
over log segments. Up to 20,000 segments the labels are compared with those of the exact methods,
which hold all distances: the least adjusted Rand index of any modality, noise one more cluster.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import psutil

from offhand.clustering import hdbscan, ward
from offhand.clustering.fusion import LateFusion
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.records import Features, Segments
from offhand.runners.local import LocalRunner
from offhand.stages.align import AlignTask, align_modalities, alignments_path
from offhand.stages.cluster import ClusterTask, cluster, cluster_files
from offhand.stages.evidence_results import write_alignment, write_evidence
from offhand.stages.fuse import FuseTask, fuse, weights_path
from offhand.stages.judge import (
    ControlTask,
    JudgeTask,
    control_files,
    judge_clustering,
    judge_controls,
    judge_files,
)
from offhand.stages.project import ProjectTask, draw_map, map_path
from offhand.stages.results import (
    Clustering,
    exemplar_segments,
    previewed,
    write_clusters,
    write_features,
    write_fusion,
    write_joined,
    write_segments,
)
from offhand.stages.spaces import FeatureFiles, SightFiles, store_space
from offhand.store import parquet
from offhand.store.workspace import Workspace

WIDTHS = {"motion_a": 64, "motion_b": 64, "body": 64, "tools": 64, "hands": 64, "video": 512}
SOURCES = {"motion_a": "motion", "motion_b": "motion"}
MAX_MATRIX = 20_000
"""Segments up to which all distances are held: 1.6 GB."""

ACTIVITIES, BOUT, PER_CLIP, SEGMENT_S = 10, 5, 200, 5.0
CLUSTERERS = (Ward(), Hdbscan())


def main() -> None:
    """Measure each size, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, nargs="+", default=[1000, 10_000, 50_000, 200_000])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    columns: list[dict[str, float]] = []
    for n in arguments.segments:
        with tempfile.TemporaryDirectory(prefix="offhand-pooled-") as folder:
            workspace = Workspace.create(folder)
            features, cuts = made_up(workspace, n)
            with peak_memory() as peak:
                seconds = run(workspace, features, cuts, workers=arguments.workers)
            columns.append(seconds | {"all, s": sum(seconds.values()), "peak, GB": peak[0] / 1e9})
            columns[-1] |= agreement(workspace, features, n)
            print(f"{n} segments: {columns[-1]}", flush=True)
    print("| | " + " | ".join(f"{n:,}" for n in arguments.segments) + " | exponent |")
    print("| --- |" + " --- |" * (len(columns) + 1))
    for name in columns[0]:
        values = [column[name] for column in columns]
        slope = growth(arguments.segments, values)
        cells = " | ".join(f"{one:.3g}" for one in values)
        print(f"| {name} | {cells} | {'' if 'ARI' in name else f'{slope:.2f}'} |")


def growth(sizes: list[int], values: list[float]) -> float:
    """Return the slope of log value over log size, NaN for one size."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)[0])


def made_up(
    workspace: Workspace, n_segments: int
) -> tuple[tuple[FeatureFiles, ...], list[Segments]]:
    """Store features of made-up clips; return their files and the clips' segments."""
    rng = np.random.default_rng(0)
    clips = [f"clip{number:04d}" for number in range(-(-n_segments // PER_CLIP))]
    shapes = {}
    for name, width in WIDTHS.items():
        strength = np.geomspace(1.0, 0.05, width)
        mixed = rng.normal(size=(width, width)) * strength / np.linalg.norm(strength)
        shapes[name] = rng.normal(size=(ACTIVITIES, width)), mixed.T
    found: dict[str, list[str]] = {name: [] for name in WIDTHS}
    for clip in clips:
        kind = np.repeat(rng.integers(0, ACTIVITIES, -(-PER_CLIP // BOUT)), BOUT)[:PER_CLIP]
        for name, (centre, mix) in shapes.items():
            look = 0.3 * rng.normal(size=len(mix)) @ mix
            values = 0.8 * centre[kind] + look + 0.7 * rng.normal(size=(PER_CLIP, len(mix))) @ mix
            path = workspace.record_path("features", name, "made-up", clip)
            parquet.write_features(path, _features(name, clip, values), key=clip)
            found[name].append(str(path))
    files = tuple(
        FeatureFiles(
            modality=name,
            modality_fingerprint="made-up",
            signals=(SOURCES.get(name, name),),
            paths=tuple(paths),
            clip_keys=tuple(clips),
        )
        for name, paths in found.items()
    )
    start_s = SEGMENT_S * np.arange(PER_CLIP)
    return files, [
        Segments(clip_id=clip, start_s=start_s, stop_s=start_s + SEGMENT_S) for clip in clips
    ]


def _features(name: str, clip: str, values: Any) -> Features:
    n, width = values.shape
    return Features(
        modality=name,
        clip_id=np.full(n, clip),
        segment_id=np.arange(n),
        columns=tuple(f"column_{number}" for number in range(width)),
        weights=np.ones(width),
        values=values,
    )


def run(
    workspace: Workspace,
    features: tuple[FeatureFiles, ...],
    cuts: list[Segments],
    *,
    workers: int,
) -> dict[str, float]:
    """Call the stages as a run does; return the wall time of each, in s."""
    took: dict[str, float] = {}
    folder, leading = str(workspace.path), CLUSTERERS[0]

    def stage(name: str, function: Callable[[Any, Any], Any], tasks: list[Any]) -> None:
        began = time.perf_counter()
        for outcome in runner.run(function, tasks):
            if outcome.error:
                raise SystemExit(f"{name}: {outcome.error}")
        took[f"{name}, s"] = time.perf_counter() - began

    with LocalRunner(workers) as runner:
        stage("spaces", store_space, list(features))
        align = AlignTask(
            workspace=folder,
            described=SightFiles(features=features),
            alignment="none",
            clusterer=leading,
            seed=0,
        )
        stage("alignment", align_modalities, [align])
        described = SightFiles(features=features, alignments=str(alignments_path(align)))
        fused = FuseTask(workspace=folder, described=described, fusion=LateFusion())
        stage("fusion", fuse, [fused])
        sources = [*((files.modality, "") for files in features)]
        sources.append((LateFusion.name, str(weights_path(fused))))
        tasks = [
            ClusterTask(
                workspace=folder,
                modality=name,
                described=described,
                fusion_weights=path,
                clusterer=clusterer,
                seed=0,
            )
            for name, path in sources
            for clusterer in CLUSTERERS
        ]
        stage("clustering", cluster, tasks[::-1])
        judged = [JudgeTask(clustering=task, groups=()) for task in tasks]
        stage("evidence", judge_clustering, judged)
        maps = [ProjectTask(clustering=task) for task in tasks if task.clusterer is leading]
        stage("maps", draw_map, maps)
        control = ControlTask(workspace=folder, described=described, groups=(), seed=0)
        stage("controls", judge_controls, [control])
    began = time.perf_counter()
    clusterings = [
        Clustering(
            modality=one.clustering.modality,
            clusterer=one.clustering.clusterer.name,
            is_default=one.clustering.clusterer is leading,
            files=cluster_files(one.clustering),
            evidence=judge_files(one),
        )
        for one in judged
    ]
    exemplar_segments(clusterings, cuts)
    previewed(clusterings)
    write_segments(workspace, cuts)
    for files in features:
        write_features(workspace, files)
    write_fusion(workspace, [weights_path(fused)])
    write_alignment(workspace, [alignments_path(align)])
    write_clusters(workspace, clusterings, seed=0)
    write_evidence(workspace, clusterings, [control_files(control)])
    write_joined(workspace, "map", [map_path(task) for task in maps])
    took["result tables, s"] = time.perf_counter() - began
    return took


def agreement(
    workspace: Workspace, features: tuple[FeatureFiles, ...], n_segments: int
) -> dict[str, float]:
    """Return the least adjusted Rand index with the exact methods, NaN where they cannot run."""
    from sklearn.metrics import adjusted_rand_score

    found = dict.fromkeys((f"ARI with exact {one.name}" for one in CLUSTERERS), float("nan"))
    if n_segments > MAX_MATRIX:
        return found
    labels = workspace.table("labels")
    labels = labels[labels["scope"] == "pooled"]
    for clusterer in CLUSTERERS:
        values = []
        for files in features:
            own = (labels["modality"] == files.modality) & (labels["clusterer"] == clusterer.name)
            label = labels.loc[own, "label"].to_numpy(np.int64)
            exact = (
                clusterer if isinstance(clusterer, Hdbscan) else Ward(n_clusters=label.max() + 1)
            )
            with (
                mock.patch.object(ward, "MAX_LINKED", n_segments),
                mock.patch.object(hdbscan, "MAX_COMPARED", n_segments),
            ):
                (reference,) = exact.candidates(files.space().space, seed=0)
            values.append(float(adjusted_rand_score(reference.label, label)))
        found[f"ARI with exact {clusterer.name}"] = min(values)
    return found


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Measure the most memory of this process and all below it, in bytes, shared pages once."""
    peak, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            peak[0] = max(peak[0], _memory())

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield peak
    finally:
        ended.set()
        watch.join()


def _memory() -> float:
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it ended meanwhile
            continue
    return total


if __name__ == "__main__":
    main()
