"""Label Studio: ``activities.json``, a task a clip with its prediction, and ``label_config.xml``.

The regions are those of the tag ``TimelineLabels``: frames from 1, both ends included
(https://labelstud.io/tags/timelinelabels). The path of a video is that of Label Studio's local
file serving with the root ``/``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from offhand.exports.activity import activities, bouts_by_segment, repetitions
from offhand.exports.clock import frame_numbers, is_rate
from offhand.exports.text import one_line, xml_text
from offhand.exports.timeline import Bout, Interval, Timeline
from offhand.files import write_bytes, write_text
from offhand.files.names import is_url

TAG = "activity"
"""Name of the control in the labelling interface."""

DEFAULT_RATE = 24.0
"""Frames per second that Label Studio assumes; used where a clip's rate is not known."""


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write the tasks and the labelling interface that they need; raises StoreError."""
    files = [folder / "activities.json", folder / "label_config.xml"]
    tasks = [_task(timeline) for timeline in timelines]
    write_text(files[0], json.dumps(tasks, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    labels = {_label(one) for timeline in timelines for one in activities(timeline)}
    write_bytes(files[1], _interface(sorted(labels)))
    return files


def _task(timeline: Timeline) -> dict[str, Any]:
    rate_hz = timeline.frame_rate if is_rate(timeline.frame_rate) else DEFAULT_RATE
    bouts = bouts_by_segment(timeline)
    return {
        "data": {
            "video": _url(timeline.path),
            "frame_rate": rate_hz,
            "clip_id": timeline.clip_id,
        },
        "predictions": [
            {
                "model_version": one_line(f"offhand {timeline.modality}"),
                "result": [
                    _region(one, timeline.clip_id, rate_hz, bouts[one.segment_id])
                    for one in activities(timeline)
                ],
            }
        ],
    }


def _url(path: str) -> str:
    """Return where Label Studio finds a video: a URL as it is, a path among its local files."""
    if is_url(path):
        return path
    return f"/data/local-files/?d={quote(os.fsencode(path.lstrip('/')))}"


def _region(
    interval: Interval, clip_id: str, rate_hz: float, bouts: Sequence[Bout]
) -> dict[str, Any]:
    first, last = frame_numbers(interval.start_s, interval.stop_s, rate_hz=rate_hz)
    region: dict[str, Any] = {
        "id": f"{clip_id}-{interval.segment_id}",
        "from_name": TAG,
        "to_name": "video",
        "type": "timelinelabels",
        "value": {
            "ranges": [{"start": first, "end": last}],
            "timelinelabels": [_label(interval)],
        },
    }
    if math.isfinite(interval.probability):
        region["score"] = interval.probability
    if bouts:
        region["meta"] = {"text": [repetitions(bout) for bout in bouts]}
    return region


def _label(interval: Interval) -> str:
    return xml_text(one_line(interval.activity))


def _interface(labels: Sequence[str]) -> bytes:
    root = ET.Element("View")
    control = ET.SubElement(root, "TimelineLabels", name=TAG, toName="video")
    for label in labels:
        ET.SubElement(control, "Label", value=label)
    ET.SubElement(root, "Video", name="video", value="$video", frameRate="$frame_rate")
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8")
    return written + b"\n"
