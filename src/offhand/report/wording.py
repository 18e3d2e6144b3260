"""Numbers and names in words: what the page prints, and the template's filters."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

UNITS = {"s": "s", "hz": "Hz", "px": "px", "deg": "°", "share": "%", "bpm": "/min"}
ABSENT = "–"
NOT_OBSERVABLE = "not observable here"
NOT_PERIODIC = "not periodic"
NO_CLUSTER = "no cluster"
SPACE = "\u00a0"
COMMAND = re.compile(r"""(offhand weights pull [\w-]+|pip install [\w"'\[\]-]+)""")

EXPLANATIONS = {
    "flow_rhythm": "how fast, how regularly and in which direction the picture moves",
    "ego_motion": "how the head turns and nods, and what moves beside it",
    "body_pose": "posture and its rhythm, where a body is in view",
    "video_embedding": "what the picture looks like and how that changes",
    "tool_presence": "which tools and materials are in view",
    "late_fusion": "all modalities joined: segments that are alike in most of them",
    "motion": "flow between frames, camera motion",
    "picture": "the picture itself, very small",
    "hands": "hands found by a detector and held by a tracker",
    "pose": "keypoints of a body in view",
    "appearance": "embedding of single frames",
    "video": "embedding of stretches of video",
    "tools": "scores of tools and materials in single frames",
}
"""What a modality or a signal looks at."""


def number(value: float, *, significant: int = 3) -> str:
    """Return a number with so many significant digits, a dash for NaN."""
    if not math.isfinite(value):
        return ABSENT
    if value == 0:
        return "0"
    digits = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(digits, 4)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def score(value: float) -> str:
    """Return a score or a correlation with two decimals, a dash for NaN."""
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else ABSENT


def p_value(p: float) -> str:
    """Return a p value with three decimals, a dash for NaN."""
    return f"p = {p:.3f}" if math.isfinite(p) else ABSENT


def percent(share: float) -> str:
    """Return a share in 0..1 as a whole percentage; never 0 or 100 unless it is exactly that."""
    if not math.isfinite(share):
        return ABSENT
    if 0 < share < 0.005:
        return f"<1{SPACE}%"
    if 0.995 < share < 1:
        return f">99{SPACE}%"
    return f"{100 * share:.0f}{SPACE}%"


def span(shares: Sequence[float]) -> str:
    """Return the range of some shares in 0..1: ``3 to 21 %``; ValueError without any."""
    low, high = percent(min(shares)), percent(max(shares))
    return high if low == high else f"{low.removesuffix(f'{SPACE}%')} to {high}"


def clock(time_s: float, *, decimals: int = 0) -> str:
    """Return a time as ``m:ss`` or ``h:mm:ss``, with tenths on request."""
    if not math.isfinite(time_s):
        return ABSENT
    ticks = round(time_s * 10**decimals)
    whole, fraction = divmod(abs(ticks), 10**decimals)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    tail = f".{fraction:0{decimals}d}" if decimals else ""
    return f"{'−' if ticks < 0 else ''}{head}:{seconds:02d}{tail}"


def duration(length_s: float) -> str:
    """Return a length of time in the unit that reads best: s, min or h."""
    if not math.isfinite(length_s):
        return ABSENT
    if length_s < 59.5:
        return f"{length_s:.0f}{SPACE}s"
    if length_s < 5997:
        return f"{length_s / 60:.1f}{SPACE}min"
    return f"{length_s / 3600:.1f}{SPACE}h"


def count(n: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 clip``, ``2 clips``."""
    return f"{n} {singular if n == 1 else plural or singular + 's'}"


def named(names: Sequence[str], *, most: int = 12) -> str:
    """Return names as a list, of which no more than some are spelt out: ``a, b and 3 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def plain(name: str) -> str:
    """Return an identifier in words: ``flow_rhythm`` -> ``flow rhythm``."""
    return name.replace("_", " ").strip()


def commands(text: str) -> list[tuple[str, bool]]:
    """Split a text into parts, each with whether it is a command to type."""
    parts = COMMAND.split(text)
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]


def cluster_name(label: int) -> str:
    """Return the short name of a cluster: ``C3``, or ``noise`` below 0."""
    return f"C{label}" if label >= 0 else "noise"


def feature_words(column: str, value: float) -> tuple[str, str]:
    """Return a feature's name without its unit, and its value with it.

    Parameters
    ----------
    column
        Feature name ending in its unit, such as ``period_s`` or ``proxy_share``.
    value
        The value; NaN reads ``not periodic`` for a period, ``not observable here`` otherwise.
    """
    stem, _, suffix = column.rpartition("_")
    unit = UNITS.get(suffix.lower(), "") if stem else ""
    if stem.endswith("_per"):
        stem, _, over = stem.removesuffix("_per").rpartition("_")
        unit = f"{UNITS.get(over, over)}/{suffix}"
    name = plain(stem if unit else column)
    if not math.isfinite(value):
        return name, NOT_PERIODIC if "period" in column else NOT_OBSERVABLE
    if unit == "%":
        return name, percent(value)
    text = number(value, significant=3 if unit == "s" else 2)
    return name, f"{text}{SPACE}{unit}".strip()
