"""Chapters: ``<clip_id>.ffmetadata``, the metadata file of FFmpeg, a chapter an interval.

https://ffmpeg.org/ffmpeg-formats.html#Metadata-2
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from offhand.exports.activity import lasts, title
from offhand.exports.clock import milliseconds
from offhand.exports.text import printable
from offhand.exports.timeline import Timeline
from offhand.files import write_text

_SPECIAL = re.compile(r"([=;#\\\n])")


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write a file a clip; raises StoreError."""
    files = []
    for timeline in timelines:
        lines = [";FFMETADATA1"]
        for one in filter(lasts, timeline.intervals):
            lines += [
                "[CHAPTER]",
                "TIMEBASE=1/1000",
                f"START={milliseconds(one.start_s)}",
                f"END={milliseconds(one.stop_s)}",
                f"title={_escape(title(one))}",
            ]
        file = folder / f"{timeline.clip_id}.ffmetadata"
        write_text(file, "\n".join(lines) + "\n")
        files.append(file)
    return files


def _escape(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", printable(text))
    # FFmpeg takes a line to go on behind a backslash, even an escaped one.
    return f"{escaped} " if escaped.endswith("\\") else escaped
