"""Stage 4: a picture of every exemplar, and a short loop of some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from offhand.errors import VideoError
from offhand.files.names import is_url
from offhand.records import Clip
from offhand.stages.measure import clip_key
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace
from offhand.video.thumbnails import cheap_moments, pictures, to_jpeg, to_webp

SHORT_SIDE_PX = 120
PREVIEW_S = 2.0
PREVIEW_HZ = 6.0

INNER = 0.8
"""Share of a segment, around its middle, that pictures are taken from."""

VERSION = 4
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
    segments
        ``(segment_id, start_s, stop_s)`` of each.
    previewed
        Segments that get a loop too.
    """

    workspace: str
    clip: Clip
    segments: tuple[tuple[int, float, float], ...]
    previewed: tuple[int, ...] = ()


def thumbnails_path(workspace: Workspace, clip: Clip) -> Path:
    """Return the file of a clip's thumbnails."""
    return workspace.record_path(
        "thumbnails", "exemplar", f"{SHORT_SIDE_PX}-{VERSION}", clip.clip_id
    )


def make_thumbnails(task: ThumbnailTask, report: Callable[[float], None]) -> None:
    """Store the pictures of a clip's exemplars; one that does not decode is left out.

    They show a segment's middle, or a moment near it that costs less to decode.

    Raises
    ------
    VideoError
        A clip on another machine cannot be reached.
    """
    del report
    path = thumbnails_path(Workspace(task.workspace), task.clip)
    key = fingerprint.digest([clip_key(task.clip), task.segments, task.previewed])
    if parquet.has_key(path, key):
        return
    try:
        moments_s = _moments(task)
        wanted_s = [*chain.from_iterable(moments_s.values())]
        found = iter(pictures(task.clip.path, wanted_s, short_side_px=SHORT_SIDE_PX))
    except VideoError:
        if is_url(task.clip.path):
            raise  # it did decode: another run may reach it, so nothing is stored
        moments_s, found = {}, iter(())
    rows = []
    for segment_id, start_s, stop_s in task.segments if moments_s else ():
        times_s, middle_s = moments_s[segment_id], (start_s + stop_s) / 2
        shown = zip(times_s, islice(found, len(times_s)), strict=True)
        seen = [(time_s, image) for time_s, image in shown if image is not None]
        if seen:
            time_s, still = min(seen, key=lambda one: abs(one[0] - middle_s))
            loop = [image for _, image in seen] if segment_id in task.previewed else []
            webp = to_webp(loop, rate_hz=PREVIEW_HZ) if loop else None
            rows.append((task.clip.clip_id, segment_id, time_s, to_jpeg(still), webp))
    frame = pd.DataFrame(rows, columns=["clip_id", "segment_id", "time_s", "jpeg", "webp"])
    parquet.write_frame(path, frame, key=key)


def _moments(task: ThumbnailTask) -> dict[int, list[float]]:
    """Return the moments to show of each segment: one, or those of a loop."""
    lengths_s = [PREVIEW_S if one in task.previewed else 0.0 for one, _, _ in task.segments]
    spans_s = [
        _span(start_s, stop_s, length_s=length_s)
        for (_, start_s, stop_s), length_s in zip(task.segments, lengths_s, strict=True)
    ]
    first_s = cheap_moments(task.clip.path, spans_s)
    return {
        segment_id: [begin_s + step / PREVIEW_HZ for step in range(int(length_s * PREVIEW_HZ) or 1)]
        for (segment_id, _, _), begin_s, length_s in zip(
            task.segments, first_s, lengths_s, strict=True
        )
    }


def _span(start_s: float, stop_s: float, *, length_s: float = 0.0) -> tuple[float, float, float]:
    """Return the earliest, the wanted and the latest start of what shows a segment."""
    middle_s = (start_s + stop_s) / 2
    reach_s = max(0.0, INNER * (stop_s - start_s) - length_s) / 2
    wanted_s = max(0.0, middle_s - length_s / 2)
    return wanted_s - reach_s, wanted_s, wanted_s + reach_s
