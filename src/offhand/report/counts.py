"""The repetitions of one video as text, as JSON, and as a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from offhand.records import FloatArray, Signal
from offhand.report.plots import runs, time_ticks
from offhand.report.wording import clock
from offhand.rhythm.counting import ClipCount
from offhand.rhythm.repetitions import Repetitions

WIDTH, HEIGHT = 1400, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 60, 60
INK, PALE = (40, 40, 40), (225, 225, 225)
COUNTED, REFUSED, MARK = (214, 240, 220), (238, 238, 238), (30, 130, 50)
SHARPER = 2
"""The picture is drawn this many times larger, then averaged."""


def as_record(clip: str, count: ClipCount) -> dict[str, Any]:
    """Return what ``offhand count --json`` prints for a video."""
    return {
        "clip": clip,
        "total": count.total,
        "bouts": [
            {
                "start_s": round(bout.start_s, 3),
                "stop_s": round(bout.stop_s, 3),
                "accepted": bout.accepted,
                "count": bout.count if bout.accepted else None,
                "n_strokes": bout.n_strokes if bout.accepted else None,
                "period_s": _rounded(bout.period_s),
                "confidence": _rounded(bout.confidence),
                "rep_times_s": [round(float(time), 3) for time in bout.rep_times_s]
                if bout.accepted
                else [],
                "reason": bout.reason,
                "witnesses": {name: round(shown, 2) for name, shown in bout.witnesses.items()},
            }
            for bout in count.bouts
        ],
    }


def as_lines(clip: str, count: ClipCount) -> list[str]:
    """Return what ``offhand count`` prints for a video."""
    accepted = [bout for bout in count.bouts if bout.accepted]
    if accepted:
        bouts = "1 bout" if len(accepted) == 1 else f"{len(accepted)} bouts"
        lines = [f"{clip}: {count.total} repetitions in {bouts}"]
    else:
        lines = [f"{clip}: not counted"]
    for bout in count.bouts:
        span = f"  {clock(bout.start_s)} to {clock(bout.stop_s)}"
        if bout.accepted:
            rate = f"every {bout.period_s:.2f} s ({60 / bout.period_s:.0f} a minute)"
            lines.append(
                f"{span}  {bout.count} repetitions ({bout.n_strokes} strokes), {rate}, "
                f"confidence {bout.confidence:.0%}"
            )
            lines.append("      at " + ", ".join(f"{time:.1f}" for time in bout.rep_times_s) + " s")
        else:
            lines.append(f"{span}  refused: {_explained(bout)}")
    return lines


def as_png(clip: str, count: ClipCount, motion: Signal, *, stop_s: float) -> bytes:
    """Return a PNG picture of the motion with bouts and repetitions marked.

    Parameters
    ----------
    clip
        The title.
    count
        What was counted.
    motion
        The signal ``motion``.
    stop_s
        End of the time axis.
    """
    scale = SHARPER
    image = np.full((HEIGHT * scale, WIDTH * scale, 3), 255, np.uint8)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    middle = TOP + height / 2

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * scale), round(y * scale)

    def across(time_s: float) -> float:
        return LEFT + width * min(max(time_s / max(stop_s, 1e-9), 0.0), 1.0)

    def write(text: str, x: float, y: float, size: float = 0.5, ink: Any = INK) -> None:
        plain = text.encode("ascii", "replace").decode()
        face = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(image, plain, at(x, y), face, size * scale, ink, scale, cv2.LINE_AA)

    for bout in count.bouts:
        box = at(across(bout.start_s), TOP), at(across(bout.stop_s), TOP + height)
        cv2.rectangle(image, *box, COUNTED if bout.accepted else REFUSED, -1)
        label = f"{bout.count} x {bout.period_s:.2f} s" if bout.accepted else bout.reason
        if across(bout.stop_s) - across(bout.start_s) > 8 * len(label):
            write(label, across(bout.start_s) + 4, TOP + 16, 0.45)
    for time_s in time_ticks(0.0, stop_s, at_most=12):
        cv2.line(image, at(across(time_s), TOP), at(across(time_s), TOP + height), PALE, scale)
        write(clock(time_s), across(time_s) - 12, TOP + height + 20, 0.45)
    trace = _trace(motion)
    reach = 2.0 * float(np.nanpercentile(np.abs(trace), 90)) if np.isfinite(trace).any() else 1.0
    for first, last in runs(trace):
        points = [
            at(across(motion.time_s[i]), middle - height / 2 * np.clip(trace[i] / reach, -1, 1))
            for i in range(first, last)
        ]
        line = np.array(points, np.int32)
        cv2.polylines(image, [line], False, (60, 90, 170), scale + 1, cv2.LINE_AA)
    for bout in count.bouts:
        for time in bout.rep_times_s if bout.accepted else ():
            tip = at(across(float(time)), TOP + height - 9)
            corners = np.array([tip, (tip[0] - 5 * scale, tip[1] + 8 * scale)])
            corners = np.vstack([corners, (tip[0] + 5 * scale, tip[1] + 8 * scale)])
            cv2.fillPoly(image, [corners.astype(np.int32)], MARK, cv2.LINE_AA)
    total = "not counted" if count.total is None else f"{count.total} repetitions"
    write(f"{clip}: {total}", LEFT, 34, 0.7)
    write(
        "line: speed of the picture along its main direction; "
        "triangles: repetitions; green: counted; grey: refused",
        LEFT,
        404,
    )
    small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", small[:, :, ::-1])[1])


def _explained(bout: Repetitions) -> str:
    """Return the reason of a refusal, with what was seen."""
    if not bout.count or not np.isfinite(bout.period_s):
        return bout.reason
    return f"{bout.reason} (perhaps {bout.count}, every {bout.period_s:.2f} s)"


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _trace(motion: Signal) -> FloatArray:
    """Return the flow along its principal axis, ``(n,)``."""
    flow = np.column_stack([motion.channel("flow_x"), motion.channel("flow_y")])
    known = ~np.isnan(flow).any(axis=1)
    if known.sum() < 2:
        return np.full(len(flow), np.nan)
    centred = flow - flow[known].mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(centred[known].T))
    return np.asarray(centred @ axes[:, -1])
