"""Timelines to export."""

from __future__ import annotations

import math
from pathlib import Path

from offhand.exports.formats import FORMATS
from offhand.exports.timeline import Bout, Interval, Timeline

NAN = math.nan

HOSTILE = (
    "\"quoted\" 'single' <b>&amp; tag</b> & more",
    "=SUM(A1:A9)",
    "--> 00:00:01.000 --> <i>",
    "two\nlines\r\nand\ra third\n\nafter a blank",
    "nul \x00 bell \x07 escape \x1b[31m \x85 \u2028 \ufffe",
    "emoji 👷🏽‍♀️🧱",
    "العربية עברית \u202eright to left",
    "[CHAPTER];comment=1#\\",
    "x" * 300,
    "\ud800 alone",
    "comma, tab\t; semicolon",
    "",
    "  ",
)
"""Names of activities that break careless writers."""


def interval(
    segment_id: int,
    start_s: float,
    stop_s: float,
    activity: str = "",
    *,
    status: str = "activity",
    label: int = 0,
    probability: float = NAN,
) -> Interval:
    return Interval(
        segment_id=segment_id,
        start_s=start_s,
        stop_s=stop_s,
        label=label,
        activity=activity,
        status=status,
        probability=probability,
    )


def bout(start_s: float, stop_s: float, count: int, *, period_s: float = NAN) -> Bout:
    by_hand = math.isnan(period_s)
    times_s = () if by_hand else tuple(start_s + period_s * n for n in range(1, count + 1))
    return Bout(
        start_s=start_s,
        stop_s=stop_s,
        count=count,
        period_s=period_s,
        rep_times_s=times_s,
        confidence=NAN if by_hand else 0.9,
        by_hand=by_hand,
    )


def timeline(
    *intervals: Interval,
    bouts: tuple[Bout, ...] = (),
    clip_id: str = "clip",
    path: str = "/videos/clip.mp4",
    frame_rate: float = 10.0,
) -> Timeline:
    return Timeline(
        clip_id=clip_id,
        path=path,
        duration_s=max((one.stop_s for one in intervals), default=0.0),
        frame_rate=frame_rate,
        width=1920,
        height=1080,
        modality="late_fusion",
        intervals=intervals,
        bouts=bouts,
    )


def plain() -> list[Timeline]:
    """Two clips with everything that a timeline can hold."""
    return [
        timeline(
            interval(0, 0.0, 10.0, "laying bricks", probability=0.75),
            interval(1, 10.0, 12.5, status="noise", label=-1),
            interval(2, 12.5, 20.04, "C3", label=3),
            interval(3, 20.04, 25.0, "C3", status="hidden", label=3),
            bouts=(bout(1.0, 9.0, 4, period_s=2.0), bout(11.0, 16.0, 3)),
        ),
        timeline(
            interval(0, 0.0, 3661.5, "laying bricks"),
            clip_id="cam.1",
            path="/videos/second clip.mkv",
            frame_rate=29.97,
        ),
    ]


def hostile() -> list[Timeline]:
    """Names that break careless writers, intervals without length, nothing but NaN."""
    names = [
        interval(number, number, number + 1.0, name, label=number)
        for number, name in enumerate(HOSTILE)
    ]
    odd = [
        interval(0, 0.0, 0.0, "no length"),
        interval(1, 0.0, 0.0004, "less than a millisecond"),
        interval(2, 0.0004, 1.0, "after it"),
        interval(3, NAN, NAN, "nowhere"),
    ]
    bouts = (bout(0.5, 0.5, 0), bout(0.2, 0.9, 0), bout(NAN, NAN, 2))
    path = '/videos/a "b" <c> & 👷 \udcff\n.mp4'
    return [
        timeline(*names, clip_id="names", path=path),
        timeline(*odd, bouts=bouts, clip_id="odd", frame_rate=NAN),
        timeline(clip_id="empty", path="/videos/noending", frame_rate=0.0),
    ]


def export(name: str, timelines: list[Timeline], folder: Path) -> dict[str, Path]:
    """Write a format; return its files by name, all of them below the folder."""
    files = FORMATS[name].write(timelines, folder)
    assert sorted(files) == sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.name: file for file in files}
