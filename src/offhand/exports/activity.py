"""What a timeline shows: its activities, and which of them a repetition belongs to."""

from __future__ import annotations

import math
from collections import defaultdict

from offhand.exports.timeline import Bout, Interval, Timeline

ACTIVITY = "activity"
"""Status of an interval that belongs to a cluster."""


def lasts(piece: Interval | Bout) -> bool:
    """Tell whether the times are known and the end is at least a millisecond behind the start."""
    return (
        math.isfinite(piece.start_s)
        and math.isfinite(piece.stop_s)
        and round(piece.stop_s * 1000) > round(piece.start_s * 1000)
    )


def activities(timeline: Timeline) -> list[Interval]:
    """Return the intervals that show an activity and last."""
    return [one for one in timeline.intervals if one.status == ACTIVITY and lasts(one)]


def title(interval: Interval) -> str:
    """Return the activity, or the status in parentheses where there is none."""
    return interval.activity if interval.status == ACTIVITY else f"({interval.status})"


def home(bout: Bout, timeline: Timeline) -> Interval | None:
    """Return the interval that shares the longest time with a bout; of equals the first."""
    if not lasts(bout):
        return None
    best, longest_s = None, 0.0
    for one in filter(lasts, timeline.intervals):
        shared_s = min(one.stop_s, bout.stop_s) - max(one.start_s, bout.start_s)
        if shared_s > longest_s:
            best, longest_s = one, shared_s
    return best


def bouts_by_segment(timeline: Timeline) -> defaultdict[int, list[Bout]]:
    """Return, by the number of a segment, the bouts whose longest part lies in it."""
    found: defaultdict[int, list[Bout]] = defaultdict(list)
    for bout in timeline.bouts:
        interval = home(bout, timeline)
        if interval is not None:
            found[interval.segment_id].append(bout)
    return found


def repetitions(bout: Bout) -> str:
    """Say how many repetitions there are, and how long one takes where that is known."""
    noun = "repetition" if bout.count == 1 else "repetitions"
    if not math.isfinite(bout.period_s):
        return f"{bout.count} {noun}"
    return f"{bout.count} {noun}, one every {bout.period_s:.1f} s"
