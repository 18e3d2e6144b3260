"""Times in the units of other tools."""

from __future__ import annotations

import math


def milliseconds(time_s: float) -> int:
    """Return the nearest whole millisecond."""
    return round(time_s * 1000)


def timestamp(time_s: float, *, point: str) -> str:
    """Return ``hh:mm:ss`` and milliseconds behind ``point``; hours have two digits or more."""
    minutes, rest = divmod(milliseconds(time_s), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def is_rate(frame_rate: float) -> bool:
    """Tell whether frames can be numbered by this rate: it is known, and above 0."""
    return math.isfinite(frame_rate) and frame_rate > 0


def frame_numbers(start_s: float, stop_s: float, *, rate_hz: float) -> tuple[int, int]:
    """Return the first and the last frame that begin in ``[start_s, stop_s)``, counted from 1.

    Frames are taken as evenly spaced. An interval without a frame gets the one after its start.
    """
    first, behind = (math.ceil(round(time_s * rate_hz, 6)) for time_s in (start_s, stop_s))
    return first + 1, max(behind, first + 1)
