"""Stage 4: a picture of every exemplar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from offhand.errors import VideoError
from offhand.records import Clip
from offhand.stages.measure import clip_key
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace
from offhand.video.thumbnails import thumbnails

SHORT_SIDE_PX = 120

VERSION = 2
"""Raised whenever the same moments get other pictures."""


@dataclass(frozen=True, kw_only=True)
class ThumbnailTask:
    """Exemplars of one clip.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    clip
        The clip.
    moments
        ``(segment_id, time_s)`` of each picture.
    """

    workspace: str
    clip: Clip
    moments: tuple[tuple[int, float], ...]


def thumbnails_path(workspace: Workspace, clip: Clip) -> Path:
    """Return the file of a clip's thumbnails."""
    return workspace.record_path(
        "thumbnails", "exemplar", f"{SHORT_SIDE_PX}-{VERSION}", clip.clip_id
    )


def make_thumbnails(task: ThumbnailTask, report: Callable[[float], None]) -> None:
    """Store the pictures of a clip's exemplars; one that does not decode is left out."""
    del report
    path = thumbnails_path(Workspace(task.workspace), task.clip)
    key = fingerprint.digest([clip_key(task.clip), task.moments])
    if parquet.has_key(path, key):
        return
    times_s = [time_s for _, time_s in task.moments]
    try:
        pictures = thumbnails(task.clip.path, times_s, short_side_px=SHORT_SIDE_PX)
    except VideoError:
        pictures = [None] * len(times_s)
    shown = [
        (task.clip.clip_id, segment_id, time_s, picture)
        for (segment_id, time_s), picture in zip(task.moments, pictures, strict=True)
        if picture is not None
    ]
    frame = pd.DataFrame(shown, columns=["clip_id", "segment_id", "time_s", "jpeg"])
    parquet.write_frame(path, frame, key=key)
