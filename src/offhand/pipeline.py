"""The main job: clips in, tables and a report out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from threading import Thread
from typing import TypeVar

import loky

from offhand.annotations.edits import read_log
from offhand.config import Config, load, to_toml
from offhand.job import Job, OnProgress, must_succeed
from offhand.records import Clip, ClipInfo, Segments
from offhand.runners.base import Outcome
from offhand.runners.local import LocalRunner
from offhand.runners.ray import GPUS_PER_MODEL, RayRunner
from offhand.stages.activities import write_activities
from offhand.stages.align import align_modalities, alignments_path
from offhand.stages.cluster import cluster, cluster_files
from offhand.stages.count import CountTask, count, count_files
from offhand.stages.describe import DescribeTask, describe
from offhand.stages.evidence_results import write_alignment, write_evidence
from offhand.stages.follow import FollowTask, follow, rhythm_path
from offhand.stages.fuse import fuse, weights_path
from offhand.stages.groups import read_groups
from offhand.stages.judge import (
    JudgeTask,
    control_files,
    judge_clustering,
    judge_controls,
    judge_files,
)
from offhand.stages.measure import MeasureTask, measure, signal_fingerprint
from offhand.stages.prepare import prepare
from offhand.stages.project import ProjectTask, draw_map, map_path
from offhand.stages.register import Selection, find_clips, register
from offhand.stages.results import (
    Clustering,
    exemplar_segments,
    previewed,
    write_clips,
    write_clusters,
    write_features,
    write_fusion,
    write_joined,
    write_rep_tables,
    write_segments,
    write_steps,
)
from offhand.stages.spaces import SightFiles, store_space
from offhand.stages.thumbnails import ThumbnailTask, make_thumbnails, thumbnails_path
from offhand.store.workspace import Workspace

OfClip = TypeVar("OfClip", CountTask, FollowTask)


def run(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    selection: Selection | None = None,
    groups: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    download: bool | None = None,
    ray_address: str | None = None,
    gpus_per_model: float | None = None,
    on_progress: OnProgress | None = None,
) -> Workspace:
    """Find the activities that clips share, and write tables and a report.

    What an earlier run in ``out`` computed is used again where nothing it depends on has changed.
    A clip that fails becomes a row of the table ``clips`` with its reason; a signal or a modality
    whose model weights are not on this machine is left out, with its reason in the tables
    ``signals`` and ``modalities``.

    Parameters
    ----------
    clips
        Video files, folders to search for them, and lists of them (see ``docs/formats.md``), by
        path or URL (see ``docs/remote.md``).
    out
        Folder of the workspace, or URL of one in an object store; made if it is new.
    config
        From :func:`offhand.load_config`; ``None`` for defaults.
    selection
        Part of each recording to use; ``None`` for all of it.
    groups
        CSV table with the column ``clip``, and one column for each level above clips at which
        mixing is tested too, such as worker or site; ``None`` for clips alone.
    jobs
        Clips at a time; ``None`` for one a core.
    download
        Whether to fetch weights that are missing; ``None`` for what the configuration says.
    ray_address
        Of a Ray cluster to run on, such as ``auto``, or ``local`` for one on this machine; its
        nodes must see clips and workspace under the same paths. ``None`` for processes of this
        machine.
    gpus_per_model
        On Ray: share of a GPU of each process that holds models of the hub; ``None`` for 0.5.
    on_progress
        Told how far each stage is.

    Returns
    -------
    Workspace
        The finished workspace.

    Raises
    ------
    VideoError
        There is no clip to work on.
    StoreError
        ``out`` is not a workspace, cannot be written, another run is at work there, or its
        annotations are damaged.
    WeightsError
        Weights are damaged, or cannot be fetched.
    ConfigError
        The table of groups cannot be used.
    """
    config = config or load()
    files = find_clips(clips)
    workspace = Workspace.create(out)
    with workspace.lock():
        read_log(workspace.path)  # damaged annotations are told before any work, not after it
        plan = prepare(
            config.used_signals,
            config.segmenter,
            config.used_modalities,
            required=config.required_signals,
            download=config.general.download if download is None else download,
            on_progress=on_progress,
        )
        entries = register(workspace, files, selection or Selection())
        levels = read_groups(groups, {clip.clip_id for clip in entries}) if groups else ()
        cores = loky.cpu_count()
        width = jobs or max(1, min(cores, len(entries)))
        threads = 1 if ray_address else max(1, cores // width) if width > 1 else 0
        with _runner(ray_address, jobs, cores, gpus_per_model) as runner:
            _run(
                Job(workspace, config, plan, runner, on_progress, levels), entries, threads=threads
            )
        chosen = {step.name: step for step in plan.extractors}
        workspace.note(
            version=version("offhand"),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            config=to_toml(replace(config, signals={**config.signals, **chosen})),
            signals={name: signal_fingerprint(step) for name, step in chosen.items()},
        )
        workspace = Workspace(out)
        from offhand.report.page import write_report

        write_report(workspace)
    return workspace


def _runner(
    ray_address: str | None, jobs: int | None, cores: int, gpus_per_model: float | None
) -> LocalRunner | RayRunner:
    if ray_address is None:
        return LocalRunner(jobs or cores)
    return RayRunner(ray_address, jobs=jobs, gpus_per_model=gpus_per_model or GPUS_PER_MODEL)


def _run(job: Job, clips: Sequence[Clip], *, threads: int) -> None:
    """Run every stage and write the result tables."""
    workspace, config, plan = job.workspace, job.config, job.plan
    infos = _measured(job, clips, threads=threads)
    job.runner.release()  # models stay in memory otherwise
    # its templates are compiled while one process describes the last clip and a core is idle
    Thread(target=_load_report, daemon=True).start()
    segments = _described(job, _usable(clips, infos), infos)
    good = _usable(clips, infos)
    cuts = [segments[clip.clip_id] for clip in good]
    features = job.feature_files(good)
    job.whole_stage("spaces", store_space, features)
    alignments = job.align_tasks(features)
    job.whole_stage("alignment", align_modalities, alignments)
    aligned = "".join(str(alignments_path(task)) for task in alignments)
    described = SightFiles(features=features, alignments=aligned)
    fusions = job.fuse_tasks(described)
    job.whole_stage("fusion", fuse, fusions)
    tasks = job.cluster_tasks(described, fusions)
    job.whole_stage("clustering", cluster, tasks[::-1])  # fusions last longest, so they go first
    judged = [JudgeTask(clustering=task, groups=job.groups) for task in tasks]
    leading = config.general.clusterer
    clusterings = [
        Clustering(
            modality=one.clustering.modality,
            clusterer=one.clustering.clusterer.name,
            is_default=one.clustering.clusterer.name == leading,
            files=cluster_files(one.clustering),
            evidence=judge_files(one),
        )
        for one in judged
    ]
    maps = [ProjectTask(clustering=task) for task in tasks if task.clusterer.name == leading]
    controls = job.control_tasks(described)
    counts, rhythms = _count_tasks(job, good), _follow_tasks(job, good, infos)
    pictures = _picture_tasks(workspace, clusterings, good, cuts)
    of_clips = ((make_thumbnails, pictures), (count, counts), (follow, rhythms))
    of_all = ((judge_clustering, judged[::-1]), (draw_map, maps), (judge_controls, controls))
    if len(good) > 1:
        *whole, pictured, counted, followed = job.stage_of_parts("results", *of_all, *of_clips)
    else:  # the tasks of the one clip last longer
        pictured, counted, followed, *whole = job.stage_of_parts("results", *of_clips, *of_all)
    must_succeed("evidence", chain(*whole))
    counted_in = _succeeded("repetitions", counts, counted, infos)
    followed_in = _succeeded("rhythm", rhythms, followed, infos)
    # Everything is computed: from here on the results are replaced as a whole.
    workspace.withdraw_results()
    write_clips(workspace, [(clip, infos[clip.clip_id]) for clip in clips], plan.extractors)
    write_segments(workspace, cuts)
    for files in features:
        write_features(workspace, files)
    write_fusion(workspace, [weights_path(task) for task in fusions])
    write_alignment(workspace, [alignments_path(task) for task in alignments])
    write_steps(workspace, plan, fused=bool(fusions))
    write_clusters(workspace, clusterings, seed=config.general.seed)
    write_evidence(workspace, clusterings, [control_files(task) for task in controls])
    shown = [task.clip for task, one in zip(pictures, pictured, strict=True) if not one.error]
    write_joined(workspace, "thumbnails", [thumbnails_path(workspace, clip) for clip in shown])
    write_joined(workspace, "map", [map_path(task) for task in maps])
    write_joined(workspace, "rhythm", [rhythm_path(task) for task in followed_in])
    counts_of = [count_files(task) for task in counted_in]
    write_joined(workspace, "repetitions", [files.repetitions for files in counts_of])
    write_joined(workspace, "similarity", [files.similarity for files in counts_of])
    write_rep_tables(workspace)
    write_activities(workspace)


def _load_report() -> None:
    """Import what writes the report."""
    from offhand.report import page

    del page


def _usable(clips: Sequence[Clip], infos: dict[str, ClipInfo]) -> list[Clip]:
    """Return the clips that nothing has failed for so far."""
    return [clip for clip in clips if infos[clip.clip_id].status != "failed"]


def _picture_tasks(
    workspace: Workspace,
    clusterings: Sequence[Clustering],
    clips: Sequence[Clip],
    cuts: Sequence[Segments],
) -> list[ThumbnailTask]:
    """Return the task of each clip's pictures."""
    shown, loops = exemplar_segments(clusterings, cuts), previewed(clusterings)
    return [
        ThumbnailTask(
            workspace=str(workspace.path),
            clip=clip,
            segments=shown.get(clip.clip_id, ()),
            previewed=loops.get(clip.clip_id, ()),
        )
        for clip in clips
    ]


def _count_tasks(job: Job, clips: Sequence[Clip]) -> list[CountTask]:
    return [
        CountTask(
            workspace=str(job.workspace.path),
            clip=clip,
            extractors=job.plan.extractors,
            segmenter=job.plan.segmenter,
            counting=job.config.counting,
        )
        for clip in clips
    ]


def _follow_tasks(job: Job, clips: Sequence[Clip], infos: dict[str, ClipInfo]) -> list[FollowTask]:
    return [
        FollowTask(
            workspace=str(job.workspace.path),
            clip=clip,
            stop_s=_stop_s(clip, infos[clip.clip_id]),
            extractors=job.plan.extractors,
        )
        for clip in clips
    ]


def _succeeded(
    what: str,
    tasks: Sequence[OfClip],
    outcomes: Sequence[Outcome[None]],
    infos: dict[str, ClipInfo],
) -> list[OfClip]:
    """Return the tasks that succeeded; a clip keeps its other results without the one that failed.

    What is missing and why is noted in ``infos``.
    """
    done = []
    for task, outcome in zip(tasks, outcomes, strict=True):
        if not outcome.error:
            done.append(task)
            continue
        info = infos[task.clip.clip_id]
        error = "; ".join(filter(None, (info.error, f"no {what}: {outcome.error}")))
        infos[task.clip.clip_id] = replace(info, status="partial", error=error)
    return done


def _stop_s(clip: Clip, info: ClipInfo) -> float:
    """Return where the pictures of a clip end."""
    return min(info.duration_s, clip.to_s) if clip.to_s else info.duration_s


def _measured(job: Job, clips: Sequence[Clip], *, threads: int) -> dict[str, ClipInfo]:
    """Run the stage that decodes; return what is known of each clip, failed ones included."""
    host = job.runner.host(job.plan.extractors)
    tasks = [
        MeasureTask(
            workspace=str(job.workspace.path),
            clip=clip,
            extractors=job.plan.extractors,
            threads=threads,
            host=host,
        )
        for clip in clips
    ]
    outcomes = job.stage("signals", measure, tasks)
    return {
        clip.clip_id: outcome.result or ClipInfo(status="failed", error=outcome.error)
        for clip, outcome in zip(clips, outcomes, strict=True)
    }


def _described(job: Job, clips: Sequence[Clip], infos: dict[str, ClipInfo]) -> dict[str, Segments]:
    """Run the stage that cuts and describes; note failures in ``infos``."""
    tasks = [
        DescribeTask(
            workspace=str(job.workspace.path),
            clip=clip,
            stop_s=_stop_s(clip, infos[clip.clip_id]),
            extractors=job.plan.extractors,
            segmenter=job.plan.segmenter,
            modalities=job.plan.modalities,
        )
        for clip in clips
    ]
    cuts = {}
    for clip, outcome in zip(clips, job.stage("segments", describe, tasks), strict=True):
        if outcome.result is None:
            _fail(infos, clip, outcome.error)
        else:
            cuts[clip.clip_id] = outcome.result
    return cuts


def _fail(infos: dict[str, ClipInfo], clip: Clip, error: str) -> None:
    """Note why a clip has failed."""
    infos[clip.clip_id] = replace(infos[clip.clip_id], status="failed", error=error)
