"""What is counted in each clip, what is refused, and how the moments of a segment resemble."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand.report.bounds import some
from offhand.report.plots import percent_within
from offhand.report.tables import Tables
from offhand.report.view_clusters import ClipName
from offhand.report.view_repetitions import BoutRow, Refused, RepetitionsView, Similarity
from offhand.report.wording import clock

MATRICES_PER_CLIP = 3
MOST_BOUTS = 1000
"""Bouts in the table of those of all clips."""

JPEG_QUALITY = 85

BOUT = (
    "start_s",
    "stop_s",
    "count",
    "period_s",
    "rep_times_s",
    "confidence",
    "reason",
    "seed_count",
    "by_hand",
)
"""Columns of the table ``repetitions`` that are shown."""


def repetitions_view(tables: Tables, rows: Sequence[BoutRow]) -> RepetitionsView:
    """Return the accepted bouts of all clips, and the reasons for the others.

    Parameters
    ----------
    tables
        The workspace's tables.
    rows
        The bouts of all clips, from :func:`bout_rows`.
    """
    reasons: dict[str, list[BoutRow]] = {}
    for row in rows:
        if row.reason:
            reasons.setdefault(row.reason, []).append(row)
    refused = [
        Refused(reason=reason, n=len(own), seconds=sum(row.stop_s - row.start_s for row in own))
        for reason, own in reasons.items()
    ]
    accepted = [row for row in rows if not row.reason]
    return RepetitionsView(
        bouts=some(accepted, MOST_BOUTS),
        n_bouts=len(accepted),
        n_repetitions=sum(row.count for row in accepted),
        seconds=sum(row.stop_s - row.start_s for row in accepted),
        refused=tuple(sorted(refused, key=lambda entry: -entry.seconds)),
        n_seed=int(tables.seed_accepted.sum()),
        n_segments=len(tables.seed_accepted),
    )


def bout_rows(bouts: pd.DataFrame, name: ClipName, axis: tuple[float, float]) -> list[BoutRow]:
    """Return the bouts of a clip, refused ones too, in order of time.

    Parameters
    ----------
    bouts
        The clip's rows of the table ``repetitions``.
    name
        Name and place of the clip.
    axis
        Start and end of its time axis.
    """
    rows = sorted(_rows(bouts, *BOUT), key=lambda row: row[0])
    return [_bout(name, axis, *row) for row in rows]


def similarities(
    matrices: pd.DataFrame | None, bouts: pd.DataFrame, segments: pd.DataFrame
) -> tuple[Similarity, ...]:
    """Return the matrices of a clip's segments with most repetitions, or of its longest one.

    Parameters
    ----------
    matrices, bouts, segments
        The clip's rows of the tables ``similarity`` (if there is one), ``repetitions`` and
        ``segments``.
    """
    if matrices is None or not len(matrices) or not len(segments):
        return ()
    counts: dict[int, int] = {}
    for number, count, accepted in _rows(bouts, "segment_id", "count", "accepted"):
        if accepted and not pd.isna(number):
            counts[number] = counts.get(number, 0) + count
    interval = {
        number: (start_s, stop_s)
        for number, start_s, stop_s in _rows(segments, "segment_id", "start_s", "stop_s")
    }
    chosen = sorted(counts, key=lambda number: (-counts[number], number))[:MATRICES_PER_CLIP]
    if not chosen:
        chosen = [max(interval, key=lambda number: interval[number][1] - interval[number][0])]
    return tuple(
        _similarity(size, levels, *interval[number])
        for number, size, levels in sorted(_rows(matrices, "segment_id", "size", "similarity"))
        if number in chosen
    )


def _rows(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[column].tolist() for column in columns), strict=True)


def _bout(
    name: ClipName,
    axis: tuple[float, float],
    start_s: float,
    stop_s: float,
    count: int,
    period_s: float,
    rep_times_s: npt.ArrayLike,
    confidence: float,
    reason: str,
    seed_count: int | None,
    by_hand: bool,
) -> BoutRow:
    left, right = percent_within(start_s, *axis), percent_within(stop_s, *axis)
    times_s = [] if reason else np.asarray(rep_times_s, np.float64).tolist()
    return BoutRow(
        name=name,
        start_s=start_s,
        stop_s=stop_s,
        count=int(count),
        period_s=period_s,
        confidence=confidence,
        reason=str(reason),
        seed="" if pd.isna(seed_count) else str(int(seed_count)),
        left=left,
        width=right - left,
        marks=tuple(percent_within(time_s, *axis) for time_s in times_s),
        by_hand=bool(by_hand),
    )


def _similarity(size: int, levels: bytes, start_s: float, stop_s: float) -> Similarity:
    matrix = np.frombuffer(levels, np.int8).reshape(size, size).astype(np.float64)
    grey = np.clip((matrix + 100) * 255 / 200, 0, 255).astype(np.uint8)
    picture = cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS)
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return Similarity(
        uri="data:image/jpeg;base64," + base64.b64encode(bytes(jpeg)).decode(),
        start_s=start_s,
        stop_s=stop_s,
        alt=f"self-similarity from {clock(start_s)} to {clock(stop_s)}",
    )
