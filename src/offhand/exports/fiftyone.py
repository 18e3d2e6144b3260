"""FiftyOne: a folder of the type ``FiftyOneTemporalDetectionDataset``, without the videos.

``labels.json`` holds classes and detections, ``data.json`` the videos' absolute paths
(https://docs.voxel51.com/user_guide/import_datasets.html). Frames count from 1, both ends
included; where the frame rate is not known, seconds take their place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from offhand.exports.activity import activities, bouts_by_segment
from offhand.exports.clock import frame_numbers, is_rate
from offhand.exports.text import encodable
from offhand.exports.timeline import Bout, Interval, Timeline
from offhand.files import write_text


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write the dataset; raises StoreError."""
    files = [folder / "labels.json", folder / "data.json"]
    classes = sorted({one.activity for timeline in timelines for one in activities(timeline)})
    number = {name: index for index, name in enumerate(classes)}
    labels = {timeline.clip_id: _detections(timeline, number) for timeline in timelines}
    videos = {_key(timeline): timeline.path for timeline in timelines}
    _write_json(files[0], {"classes": classes, "labels": labels})
    _write_json(files[1], videos)
    return files


def _key(timeline: Timeline) -> str:
    """Return the clip's name with an ending: FiftyOne cuts off whatever follows the last dot."""
    return timeline.clip_id + (PurePosixPath(timeline.path).suffix or ".video")


def _detections(timeline: Timeline, number: Mapping[str, int]) -> list[dict[str, Any]]:
    bouts = bouts_by_segment(timeline)
    return [
        {"label": number[one.activity]}
        | _detection(one, timeline.frame_rate, bouts[one.segment_id])
        for one in activities(timeline)
    ]


def _detection(interval: Interval, rate_hz: float, bouts: Sequence[Bout]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if is_rate(rate_hz):
        found["support"] = list(frame_numbers(interval.start_s, interval.stop_s, rate_hz=rate_hz))
    else:
        found["timestamps"] = [interval.start_s, interval.stop_s]
    if math.isfinite(interval.probability):
        found["confidence"] = interval.probability
    found["attributes"] = {"segment_id": interval.segment_id}
    if bouts:
        found["attributes"]["repetitions"] = sum(bout.count for bout in bouts)
    return found


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    write_text(file, encodable(text) + "\n")
