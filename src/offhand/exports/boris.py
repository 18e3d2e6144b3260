"""BORIS: ``<clip_id>.tsv``, one table of tabular events an observation.

The columns are those that BORIS 8 writes for an observation of one video, without modifiers and
independent variables (https://www.boris.unito.it; ``export_tabular_events``). A state event takes
two rows, ``START`` and ``STOP``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from offhand.exports.activity import activities, bouts_by_segment, repetitions
from offhand.exports.clock import is_rate
from offhand.exports.text import one_line
from offhand.exports.timeline import Bout, Interval, Timeline
from offhand.files import write_text

COLUMNS = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation duration",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Media duration (s)",
    "FPS",
    "Subject",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Time",
    "Media file name",
    "Image index",
    "Image file path",
    "Comment",
)
"""Header of a table."""

_UNKNOWN = "NA"  # as BORIS writes it


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write a table a clip; raises StoreError."""
    files = []
    for timeline in timelines:
        stream = io.StringIO()
        table = csv.DictWriter(stream, COLUMNS, dialect="excel-tab", restval="")
        table.writeheader()
        bouts = bouts_by_segment(timeline)
        for one in activities(timeline):
            table.writerows(_events(one, timeline, bouts[one.segment_id]))
        file = folder / f"{timeline.clip_id}.tsv"
        write_text(file, stream.getvalue())
        files.append(file)
    return files


def _events(interval: Interval, timeline: Timeline, bouts: Sequence[Bout]) -> list[dict[str, str]]:
    path = one_line(timeline.path)
    duration = _seconds(timeline.duration_s)
    rate = f"{timeline.frame_rate:.3f}" if is_rate(timeline.frame_rate) else _UNKNOWN
    event = {
        "Observation id": timeline.clip_id,
        "Description": one_line(f"offhand, {timeline.modality}"),
        "Observation duration": duration,
        "Observation type": "Media file(s)",
        "Source": f"player #1:{path}",
        "Time offset (s)": "0",
        "Media duration (s)": duration,
        "FPS": rate,
        "Behavior": one_line(interval.activity),
        "Media file name": path,
        "Image index": _UNKNOWN,
        "Image file path": _UNKNOWN,
    }
    counts = "; ".join(map(repetitions, bouts))
    return [
        {**event, "Behavior type": kind, "Time": _seconds(time_s), "Comment": comment}
        for kind, time_s, comment in (
            ("START", interval.start_s, counts),
            ("STOP", interval.stop_s, ""),
        )
    ]


def _seconds(time_s: float) -> str:
    return f"{time_s:.3f}" if math.isfinite(time_s) else _UNKNOWN
