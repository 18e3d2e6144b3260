"""Subtitles: ``<clip_id>.vtt`` (WebVTT) and ``<clip_id>.srt`` (SubRip), a cue an activity.

A cue's first line is the activity; each bout that lies mostly in it adds a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from offhand.exports.activity import activities, bouts_by_segment, repetitions
from offhand.exports.clock import timestamp
from offhand.exports.text import one_line
from offhand.exports.timeline import Interval, Timeline
from offhand.files import write_text

_ARROW = re.compile("--+>")


def write_vtt(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write WebVTT, a file a clip; raises StoreError."""
    files = []
    for timeline in timelines:
        cues = [
            f"{_span(one, point='.')}\n{_escape(payload)}\n" for one, payload in _cues(timeline)
        ]
        file = folder / f"{timeline.clip_id}.vtt"
        write_text(file, "\n".join(["WEBVTT\n", *cues]))
        files.append(file)
    return files


def write_srt(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write SubRip, a file a clip; raises StoreError."""
    files = []
    for timeline in timelines:
        cues = [
            f"{number}\n{_span(one, point=',')}\n{_ARROW.sub('->', payload)}\n"
            for number, (one, payload) in enumerate(_cues(timeline), start=1)
        ]
        file = folder / f"{timeline.clip_id}.srt"
        write_text(file, "\n".join(cues))
        files.append(file)
    return files


def _cues(timeline: Timeline) -> Iterator[tuple[Interval, str]]:
    bouts = bouts_by_segment(timeline)
    for one in activities(timeline):
        name = one_line(one.activity) or "-"
        yield one, "\n".join([name, *map(repetitions, bouts[one.segment_id])])


def _span(interval: Interval, *, point: str) -> str:
    ends = (timestamp(time_s, point=point) for time_s in (interval.start_s, interval.stop_s))
    return " --> ".join(ends)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
