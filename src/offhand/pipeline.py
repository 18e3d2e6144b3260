"""The main job: clips in, tables and a report out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import loky

from offhand.config import Config, load, to_toml
from offhand.errors import OffhandError, VideoError
from offhand.records import Clip, ClipInfo, Segments
from offhand.report.page import write_report
from offhand.runners.base import Outcome, Runner
from offhand.runners.local import LocalRunner
from offhand.stages.cluster import ClusterTask, cluster, cluster_files
from offhand.stages.describe import (
    DescribeTask,
    describe,
    features_path,
    modality_fingerprint,
    rhythm_path,
)
from offhand.stages.measure import (
    MeasureTask,
    clip_key,
    measure,
    signal_fingerprint,
    signal_notes,
)
from offhand.stages.results import (
    Clustering,
    exemplar_moments,
    write_clips,
    write_clusters,
    write_features,
    write_joined,
    write_segments,
)
from offhand.stages.thumbnails import ThumbnailTask, make_thumbnails, thumbnails_path
from offhand.store.workspace import MARKER, Workspace
from offhand.video.container import SUFFIXES

logger = logging.getLogger(__name__)

OnProgress = Callable[[str, int, float], None]
"""Called with the name of a stage, its number of tasks, and how many are done (fractions too)."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of each recording to use.

    Attributes
    ----------
    from_s, to_s
        Range in seconds of each recording's own time; ``None`` for its end.
    mask
        Image whose black pixels are left out, ``None`` for none.
    """

    from_s: float = 0.0
    to_s: float | None = None
    mask: str | None = None


def run(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    config: Config | None = None,
    selection: Selection | None = None,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Workspace:
    """Find the activities that clips share, and write tables and a report.

    What an earlier run in ``out`` computed is used again where nothing it depends on has changed.
    A clip that fails becomes a row of the table ``clips`` with its reason.

    Parameters
    ----------
    clips
        Video files, and folders to search for them.
    out
        Folder of the workspace; made if it is new.
    config
        From :func:`offhand.load_config`; ``None`` for defaults.
    selection
        Part of each recording to use; ``None`` for all of it.
    jobs
        Clips at a time; ``None`` for one a core.
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
        ``out`` is not a workspace, cannot be written, or another run is at work there.
    """
    config = config or load()
    files = find_clips(clips)
    workspace = Workspace.create(out)
    with workspace.lock():
        entries = _register(workspace, files, selection or Selection())
        cores = loky.cpu_count()
        jobs = jobs or max(1, min(cores, len(entries)))
        with LocalRunner(jobs) as runner:
            _run(
                _Run(workspace, config, runner, on_progress),
                entries,
                threads=max(1, cores // jobs) if jobs > 1 else 0,
            )
        workspace.note(
            version=version("offhand"),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            config=to_toml(config),
            signals={step.name: signal_fingerprint(step) for step in config.used_signals},
        )
        workspace = Workspace(out)
        write_report(workspace)
    return workspace


def find_clips(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> list[Path]:
    """List video files: those named, and those inside the folders named, in order of name.

    Workspaces and hidden files inside a folder are passed over. A file that does not exist is
    listed too, so that it is reported with the others.

    Raises
    ------
    VideoError
        There is no file at all.
    """
    if isinstance(clips, str | os.PathLike):
        clips = [clips]
    found: dict[Path, None] = {}
    empty = []
    for given in clips:
        path = Path(given)
        if not _is_folder(path):
            found[_plain(path)] = None
            continue
        inside = sorted(_videos_in(path))
        if not inside:
            empty.append(str(path))
        found.update(dict.fromkeys(_plain(file) for file in inside))
    for folder in empty:
        logger.warning("%s: no video in this folder", folder)
    if not found:
        endings = " ".join(sorted(SUFFIXES))
        where = ", ".join(empty) or "no clip was named"
        raise VideoError(f"no video found ({where}); looked for files ending in {endings}")
    return list(found)


def _is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; one that cannot be looked at is reported as a clip."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _plain(path: Path) -> Path:
    """Return an absolute path without ``..``, so that a file has one name; links stay links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow links)


def _videos_in(folder: Path) -> Iterable[Path]:
    for where, folders, names in os.walk(folder, followlinks=False):
        here = Path(where)
        if (here / MARKER).is_file():
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield here / name


def _register(workspace: Workspace, files: Sequence[Path], selection: Selection) -> list[Clip]:
    registry = workspace.registry()
    clips = []
    for file in files:
        entry = registry.register(file)
        clips.append(
            Clip(
                clip_id=entry.clip_id,
                path=str(file),
                from_s=selection.from_s,
                to_s=selection.to_s,
                mask_path=str(_plain(Path(selection.mask))) if selection.mask else None,
                source=entry.sha256,
            )
        )
    registry.save()
    return clips


@dataclass(frozen=True)
class _Run:
    """What every stage of one run needs."""

    workspace: Workspace
    config: Config
    runner: Runner
    on_progress: OnProgress | None

    def stage(
        self, name: str, function: Callable[[Any, Any], Any], tasks: Sequence[Any]
    ) -> list[Outcome[Any]]:
        """Run the tasks of a stage; return their outcomes in the order of the tasks."""
        tell = partial(self.on_progress, name, len(tasks)) if self.on_progress else None
        if tell:
            tell(0.0)
        outcomes = list(self.runner.run(function, tasks, on_progress=tell))
        if tell:
            tell(float(len(tasks)))
        return sorted(outcomes, key=lambda outcome: outcome.index)


def _run(job: _Run, clips: Sequence[Clip], *, threads: int) -> None:
    """Run every stage and write the result tables."""
    workspace, config = job.workspace, job.config
    extractors = config.used_signals
    infos = _measured(job, clips, threads=threads)
    usable = [
        (clip, infos[clip.clip_id]) for clip in clips if infos[clip.clip_id].status != "failed"
    ]
    cuts = _described(job, usable, infos)
    good = [clip for clip, _ in usable if infos[clip.clip_id].status != "failed"]
    job.runner.release()  # decoders and clustering libraries need not share the memory
    tasks = _cluster_tasks(job, good)
    for outcome in job.stage("clustering", cluster, tasks):
        if outcome.error:
            raise OffhandError(f"clustering: {outcome.error}")
    clusterings = [
        Clustering(
            modality=task.modality,
            clusterer=task.clusterer.name,
            is_default=task.clusterer.name == config.general.clusterer,
            files=cluster_files(task),
        )
        for task in tasks
    ]
    job.runner.release()
    moments = exemplar_moments(clusterings, cuts)
    pictured = job.stage(
        "thumbnails",
        make_thumbnails,
        [
            ThumbnailTask(
                workspace=str(workspace.path), clip=clip, moments=moments.get(clip.clip_id, ())
            )
            for clip in good
        ],
    )
    # Everything is computed: from here on the results are replaced as a whole.
    workspace.withdraw_results()
    notes = {clip.clip_id: signal_notes(workspace, extractors, clip) for clip in good}
    write_clips(workspace, [(clip, infos[clip.clip_id]) for clip in clips], notes)
    write_segments(workspace, cuts)
    for modality in config.used_modalities if good else ():
        paths = [features_path(workspace, modality, config.segmenter, extractors, c) for c in good]
        write_features(workspace, modality.name, paths)
    write_clusters(workspace, clusterings, seed=config.general.seed)
    shown = [thumbnails_path(workspace, good[one.index]) for one in pictured if not one.error]
    write_joined(workspace, "thumbnails", shown)
    rhythms = [rhythm_path(workspace, extractors, clip) for clip in good]
    write_joined(workspace, "rhythm", [path for path in rhythms if path is not None])


def _cluster_tasks(job: _Run, clips: Sequence[Clip]) -> list[ClusterTask]:
    """Return one task for each modality and clusterer; none without clips."""
    workspace, config = job.workspace, job.config
    keys = tuple(clip_key(clip) for clip in clips)
    tasks = []
    for modality in config.used_modalities if clips else ():
        step = modality, config.segmenter, config.used_signals
        paths = tuple(str(features_path(workspace, *step, clip)) for clip in clips)
        tasks += [
            ClusterTask(
                workspace=str(workspace.path),
                modality=modality.name,
                modality_fingerprint=modality_fingerprint(*step),
                feature_paths=paths,
                clip_keys=keys,
                clusterer=clusterer,
                seed=config.general.seed,
            )
            for clusterer in config.clusterers.values()
        ]
    return tasks


def _measured(job: _Run, clips: Sequence[Clip], *, threads: int) -> dict[str, ClipInfo]:
    """Run the stage that decodes; return what is known of each clip, failed ones included."""
    tasks = [
        MeasureTask(
            workspace=str(job.workspace.path),
            clip=clip,
            extractors=job.config.used_signals,
            threads=threads,
        )
        for clip in clips
    ]
    outcomes = job.stage("signals", measure, tasks)
    return {
        clip.clip_id: outcome.result or ClipInfo(status="failed", error=outcome.error)
        for clip, outcome in zip(clips, outcomes, strict=True)
    }


def _described(
    job: _Run, usable: Sequence[tuple[Clip, ClipInfo]], infos: dict[str, ClipInfo]
) -> list[Segments]:
    """Run the stage that cuts and describes; note failures in ``infos``."""
    tasks = [
        DescribeTask(
            workspace=str(job.workspace.path),
            clip=clip,
            stop_s=min(info.duration_s, clip.to_s) if clip.to_s else info.duration_s,
            extractors=job.config.used_signals,
            segmenter=job.config.segmenter,
            modalities=job.config.used_modalities,
        )
        for clip, info in usable
    ]
    cuts = []
    for (clip, info), outcome in zip(usable, job.stage("segments", describe, tasks), strict=True):
        if outcome.result is None:
            infos[clip.clip_id] = replace(info, status="failed", error=outcome.error)
        else:
            cuts.append(outcome.result)
    return cuts
