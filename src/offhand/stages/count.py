"""Stage 3: count the repetitions of a clip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from offhand.records import Clip, ClipInfo, Segments, Signal
from offhand.rhythm.counting import (
    OPTIONAL_SIGNALS,
    SIGNALS,
    ClipCount,
    Counting,
    SegmentRhythm,
    count_clip,
    segment_rhythms,
)
from offhand.rhythm.repetitions import Repetitions
from offhand.rhythm.seed import SeedCount
from offhand.segments.base import Segmenter
from offhand.segments.changepoint import ChangePoints
from offhand.signals.base import SignalExtractor
from offhand.signals.motion import Motion
from offhand.signals.picture import Picture
from offhand.stages.describe import segmentation_fingerprint, segments_path, upstream
from offhand.stages.measure import clip_key, measure_signals, signal_path
from offhand.store import fingerprint, parquet, signal_files
from offhand.store.workspace import Workspace

INSIDE = 0.75
"""Share of a bout that must lie in a segment for it to be the segment's."""

SIMILARITY = {
    "clip_id": "str",
    "segment_id": "int64",
    "step_s": "float64",
    "size": "int64",
    "similarity": "bytes",
    "seed_picture_period_s": "float64",
    "seed_flow_period_s": "float64",
    "seed_accepted": "bool",
    "seed_count": "int64",
}
SEGMENTS_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class CountTask:
    """One clip to count in; its signals and segments are stored.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    clip
        The clip.
    extractors, segmenter, counting
        The configured steps.
    """

    workspace: str
    clip: Clip
    extractors: tuple[SignalExtractor, ...]
    segmenter: Segmenter
    counting: Counting


@dataclass(frozen=True, kw_only=True)
class CountFiles:
    """Where a clip's counts are stored.

    Attributes
    ----------
    repetitions
        One row a bout, refused ones too.
    similarity
        One self-similarity matrix a segment.
    """

    repetitions: Path
    similarity: Path


@dataclass(frozen=True, kw_only=True)
class VideoCount:
    """The repetitions of one video, without a workspace.

    Attributes
    ----------
    info
        What decoding found out.
    signals
        What was counted in.
    segments
        What the video was cut into.
    count
        The bouts.
    """

    info: ClipInfo
    signals: dict[str, Signal]
    segments: Segments
    count: ClipCount


def count_files(task: CountTask) -> CountFiles:
    """Return where the counts of a task are stored."""
    workspace = Workspace(task.workspace)
    after = upstream(_read(task), task.extractors)
    cut = segmentation_fingerprint(task.segmenter, task.extractors)
    name = fingerprint.of_step(task.counting, after=(cut, *after))
    return CountFiles(
        repetitions=workspace.record_path("counts", "repetitions", name, task.clip.clip_id),
        similarity=workspace.record_path("counts", "similarity", name, task.clip.clip_id),
    )


def count(task: CountTask, report: Callable[[float], None]) -> None:
    """Count the repetitions of a clip, unless they are stored."""
    workspace, key = Workspace(task.workspace), clip_key(task.clip)
    files = count_files(task)
    if parquet.has_key(files.repetitions, key) and parquet.has_key(files.similarity, key):
        return
    signals = {
        step.name: signal_files.StoredSignal(signal_path(workspace, step, task.clip))
        for step in task.extractors
        if step.name in _read(task)
    }
    cuts = segments_path(workspace, task.segmenter, task.extractors, task.clip)
    segments = parquet.read_segments(cuts)
    found = count_clip(signals, stretches(segments), options=task.counting)
    report(0.7)
    seeds: list[SeedCount] = []

    def noted() -> Iterator[SegmentRhythm]:
        for one in segment_rhythms(signals, segments, options=task.counting):
            seeds.append(one.seed)
            yield one

    tables = similarity_tables(noted(), segments.clip_id)
    parquet.write_frames(files.similarity, tables, SIMILARITY, key=key)
    parquet.write_frame(files.repetitions, repetitions_table(found, segments, seeds), key=key)


def count_video(
    path: str | os.PathLike[str], *, on_progress: Callable[[float], None] | None = None
) -> VideoCount:
    """Count the repetitions in a video.

    Parameters
    ----------
    path
        The video file.
    on_progress
        Told which share is decoded.

    Raises
    ------
    VideoError
        The clip cannot be read.
    SignalError
        It is too short, or too small, to see motion in.
    """
    signals, info = measure_signals(path, (Motion(), Picture()), on_progress=on_progress)
    segments = ChangePoints(from_turn=False).cut(
        "clip", signals, start_s=0.0, stop_s=info.duration_s
    )
    found = count_clip(signals, segments)
    return VideoCount(info=info, signals=signals, segments=segments, count=found)


def stretches(segments: Segments) -> Segments:
    """Return where to look for bouts: with boundaries amid turns, as a whole turn hides a tempo."""
    if segments.change_s is None:
        return segments
    bounds = np.append(segments.change_s, segments.stop_s[-1:])
    return Segments(clip_id=segments.clip_id, start_s=bounds[:-1], stop_s=bounds[1:])


def repetitions_table(
    found: ClipCount, segments: Segments, seeds: Sequence[SeedCount]
) -> pd.DataFrame:
    """Return one row a bout; ``seeds`` are what the seed's rule says of each segment."""
    rows = []
    for number, bout in enumerate(found.bouts):
        segment = _segment_of(bout, segments)
        seed = None if segment is None else seeds[segment]
        rows.append(
            {
                "clip_id": segments.clip_id,
                "bout_id": number,
                "segment_id": segment,
                "start_s": bout.start_s,
                "stop_s": bout.stop_s,
                "period_s": bout.period_s,
                "count": bout.count,
                "rep_times_s": bout.rep_times_s.tolist(),
                "n_strokes": bout.n_strokes,
                "confidence": bout.confidence,
                "accepted": bout.accepted,
                "reason": bout.reason,
                "witnesses": ", ".join(
                    f"{name} {shown:.2f}" for name, shown in bout.witnesses.items()
                ),
                "likeness": bout.likeness,
                "seed_accepted": None if seed is None else seed.accepted,
                "seed_count": None if seed is None or not seed.accepted else seed.count,
            }
        )
    kinds: dict[str, Any] = {"segment_id": "Int64", "seed_accepted": "boolean"}
    kinds |= {"seed_count": "Int64", "bout_id": "int64", "count": "int64", "n_strokes": "int64"}
    return pd.DataFrame(rows).astype(kinds)


def similarity_tables(rhythms: Iterator[SegmentRhythm], clip_id: str) -> Iterator[pd.DataFrame]:
    """Yield one row a segment, a few at a time; a matrix is stored row by row, in hundredths."""
    numbered = enumerate(rhythms)
    while few := [*islice(numbered, SEGMENTS_AT_ONCE)]:
        yield pd.DataFrame(
            {
                "clip_id": clip_id,
                "segment_id": number,
                "step_s": segment.step_s,
                "size": len(segment.similarity),
                "similarity": segment.similarity.tobytes(),
                "seed_picture_period_s": segment.seed.picture_period_s,
                "seed_flow_period_s": segment.seed.flow_period_s,
                "seed_accepted": segment.seed.accepted,
                "seed_count": segment.seed.count,
            }
            for number, segment in few
        )


def _read(task: CountTask) -> tuple[str, ...]:
    """Return the signals that a task reads."""
    measured = {step.name for step in task.extractors}
    return (*SIGNALS, *(name for name in OPTIONAL_SIGNALS if name in measured))


def _segment_of(bout: Repetitions, segments: Segments) -> int | None:
    """Return the segment that a bout lies in, ``None`` where it lies across a boundary."""
    overlap = np.minimum(bout.stop_s, segments.stop_s) - np.maximum(bout.start_s, segments.start_s)
    best = int(np.argmax(overlap))
    return best if overlap[best] >= INSIDE * (bout.stop_s - bout.start_s) else None
