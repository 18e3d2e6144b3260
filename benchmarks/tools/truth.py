"""Ground truth of tools in view, for benchmarks only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray

PROMPT_OF_TOOL = {
    "brick": "brick",
    "concrete_block": "concrete block",
    "hand_saw": "hand saw",
    "mallet": "rubber mallet",
    "plank": "wooden plank",
    "shovel": "shovel",
    "trowel": "mason trowel",
}
"""The prompt that asks for each tool of the truth."""

Intervals = dict[str, list[tuple[float, float]]]
"""When each tool is in view: ``[start_s, stop_s)``."""


def read_tools(folder: Path) -> dict[str, Intervals]:
    """Read every ``<clip>.json`` that lists tools, by the clip's stem."""
    truth: dict[str, Intervals] = {}
    for path in sorted(folder.glob("*.json")):
        tools = json.loads(path.read_text(encoding="utf-8")).get("tools")
        if tools:
            truth[path.stem] = {}
            for seen in tools:
                interval = float(seen["start_s"]), float(seen["end_s"])
                truth[path.stem].setdefault(seen["name"], []).append(interval)
    return truth


def in_view(intervals: list[tuple[float, float]], time_s: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell at which times ``(n,)`` a tool is in view."""
    seen = np.zeros(len(time_s), dtype=bool)
    for start_s, stop_s in intervals:
        seen |= (time_s >= start_s) & (time_s < stop_s)
    return seen
