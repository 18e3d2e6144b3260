"""Stage 4: a picture of every exemplar, and a short loop of some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from offhand.errors import VideoError
from offhand.files.names import is_url
from offhand.records import Clip
from offhand.stages.measure import clip_key
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace
from offhand.video.thumbnails import previews, thumbnails

SHORT_SIDE_PX = 120
PREVIEW_S = 2.0
PREVIEW_HZ = 6.0

VERSION = 3
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
    previewed
        Segments that get a loop too, around the same time.
    """

    workspace: str
    clip: Clip
    moments: tuple[tuple[int, float], ...]
    previewed: tuple[int, ...] = ()


def thumbnails_path(workspace: Workspace, clip: Clip) -> Path:
    """Return the file of a clip's thumbnails."""
    return workspace.record_path(
        "thumbnails", "exemplar", f"{SHORT_SIDE_PX}-{VERSION}", clip.clip_id
    )


def make_thumbnails(task: ThumbnailTask, report: Callable[[float], None]) -> None:
    """Store the pictures of a clip's exemplars; one that does not decode is left out.

    Raises
    ------
    VideoError
        A clip on another machine cannot be reached.
    """
    del report
    path = thumbnails_path(Workspace(task.workspace), task.clip)
    key = fingerprint.digest([clip_key(task.clip), task.moments, task.previewed])
    if parquet.has_key(path, key):
        return
    times_s = dict(task.moments)
    starts_s = [max(0.0, times_s[segment_id] - PREVIEW_S / 2) for segment_id in task.previewed]
    path_of_clip, size = task.clip.path, SHORT_SIDE_PX
    try:
        pictures = thumbnails(path_of_clip, [*times_s.values()], short_side_px=size)
        loops = previews(
            path_of_clip, starts_s, length_s=PREVIEW_S, rate_hz=PREVIEW_HZ, short_side_px=size
        )
    except VideoError:
        if is_url(path_of_clip):
            raise  # it did decode: another run may reach it, so nothing is stored
        pictures, loops = [None] * len(times_s), [None] * len(starts_s)
    preview_of = dict(zip(task.previewed, loops, strict=True))
    shown = [
        (task.clip.clip_id, segment_id, time_s, picture, preview_of.get(segment_id))
        for (segment_id, time_s), picture in zip(task.moments, pictures, strict=True)
        if picture is not None
    ]
    frame = pd.DataFrame(shown, columns=["clip_id", "segment_id", "time_s", "jpeg", "webp"])
    parquet.write_frame(path, frame, key=key)
