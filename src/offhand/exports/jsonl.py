"""JSON Lines: ``activities.jsonl``, an object an interval and a bout; ``kind`` tells which."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offhand.exports.activity import home
from offhand.exports.text import encodable
from offhand.exports.timeline import Timeline
from offhand.files import write_text


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write strict JSON, a missing number as null; raises StoreError."""
    file = folder / "activities.jsonl"
    lines = [
        json.dumps(_finite(entry), ensure_ascii=False, allow_nan=False) + "\n"
        for timeline in timelines
        for entry in _entries(timeline)
    ]
    write_text(file, encodable("".join(lines)))
    return [file]


def _entries(timeline: Timeline) -> Iterator[dict[str, Any]]:
    clip = {"clip_id": timeline.clip_id, "path": timeline.path, "modality": timeline.modality}
    for one in timeline.intervals:
        yield {"kind": "interval", **clip, **asdict(one)}
    for bout in timeline.bouts:
        interval = home(bout, timeline)
        activity = interval.activity if interval else ""
        yield {"kind": "bout", **clip, "activity": activity, **asdict(bout)}


def _finite(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in entry.items()
    }
