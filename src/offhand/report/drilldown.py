"""One section a clip: timeline strips and the rhythm plot on one time axis."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from offhand.records import FloatArray
from offhand.report.bounds import largest
from offhand.report.clusters import rows_of
from offhand.report.plots import (
    Envelope,
    band_path,
    envelope,
    line_path,
    percent_of,
    round_up,
    time_ticks,
    to_unit,
)
from offhand.report.repetitions import bout_rows, similarities
from offhand.report.steps import notes_of
from offhand.report.strips import Strips
from offhand.report.tables import Tables, numbers
from offhand.report.view_clip import ClipPanel, ClipRow, Panel, Tick
from offhand.report.view_clusters import ClipName, Modality
from offhand.report.view_repetitions import BoutRow
from offhand.report.wording import (
    ABSENT,
    NOT_OBSERVABLE,
    NOT_PERIODIC,
    clock,
    duration,
    number,
    percent,
)

LAST_TICK = 96.0  # percent of the axis: a later tick has no room for its text
MOST_BOUTS = 1000
MOST_PARTS = 8


class Clips:
    """Builds what is shown of single clips.

    Parameters
    ----------
    tables
        The workspace's tables.
    names
        Name and place of each clip, failed ones too, in the order of the run.
    modalities
        In the order of the report.
    """

    def __init__(
        self, tables: Tables, names: dict[str, ClipName], modalities: tuple[Modality, ...]
    ) -> None:
        self._tables = tables
        self._names = names
        self._modalities = modalities
        self._strips = Strips(tables, modalities)
        self._rows = {row["clip_id"]: row for row in rows_of(tables.clips)}
        self._axes = _time_axes(tables)
        self._periods = _period_axis(tables.periods_s)
        self._notes = notes_of(tables)[1]
        self._repetitions = dict(list(tables.repetitions.groupby("clip_id")))
        self.bouts = cache(self._bouts)
        """Returns the bouts of a clip, refused ones too, in order of time."""

    def used_s(self) -> float:
        """Return the length of the clips that gave results."""
        return sum(
            self._axes[clip_id][1] - self._axes[clip_id][0]
            for clip_id, row in self._rows.items()
            if row["status"] != "failed"
        )

    def row(self, clip_id: str) -> ClipRow:
        """Return a clip's row in the overview."""
        row = self._rows[clip_id]
        accepted = [bout for bout in self.bouts(clip_id) if not bout.reason]
        return ClipRow(
            name=self._names[clip_id],
            status=_text(row["status"]),
            error=_text(row.get("error")),
            details=_details(row),
            n_segments=self._strips.n_segments(clip_id),
            parts=self._strips.parts(clip_id, most=MOST_PARTS),
            n_bouts=len(accepted),
            n_repetitions=sum(bout.count for bout in accepted),
        )

    def panel(self, clip_id: str) -> ClipPanel:
        """Return a clip's section."""
        row, (start_s, stop_s) = self._rows[clip_id], self._axes[clip_id]
        failed = row["status"] == "failed"
        bouts = self.bouts(clip_id)
        shown = largest([bout.stop_s - bout.start_s for bout in bouts], MOST_BOUTS)
        return ClipPanel(
            name=self._names[clip_id],
            path=_text(row.get("path")),
            status=_text(row["status"]),
            error=_text(row.get("error")),
            details=_details(row),
            notes=self._notes[clip_id],
            n_segments=self._strips.n_segments(clip_id),
            start_s=start_s,
            stop_s=stop_s,
            ticks=tuple(
                Tick(at=percent_of(time_s, start_s, stop_s), text=clock(time_s))
                for time_s in time_ticks(start_s, stop_s)
                if percent_of(time_s, start_s, stop_s) < LAST_TICK
            ),
            strips=() if failed else self._strips.pooled(clip_id, start_s, stop_s),
            own_strips=() if failed else self._strips.within(clip_id, start_s, stop_s),
            rhythm=_rhythm(self._tables.of_clip("rhythm", clip_id), start_s, stop_s, self._periods),
            bouts=tuple(bouts[place] for place in shown),
            n_bouts=len(bouts),
            similarities=similarities(
                self._tables.of_clip("similarity", clip_id),
                self._repetitions_of(clip_id),
                self._strips.segments(clip_id),
            ),
        )

    def _bouts(self, clip_id: str) -> list[BoutRow]:
        rows = self._repetitions_of(clip_id)
        return bout_rows(rows, self._names[clip_id], self._axes[clip_id])

    def _repetitions_of(self, clip_id: str) -> pd.DataFrame:
        return self._repetitions.get(clip_id, self._tables.repetitions.iloc[:0])


def _time_axes(tables: Tables) -> dict[str, tuple[float, float]]:
    """Return start and end of every clip's time axis."""
    by_clip = tables.segments.groupby("clip_id")
    starts, stops = by_clip["start_s"].min().to_dict(), by_clip["stop_s"].max().to_dict()
    return {
        row["clip_id"]: time_axis(
            row, starts.get(row["clip_id"], math.inf), stops.get(row["clip_id"], -math.inf)
        )
        for row in rows_of(tables.clips)
    }


def time_axis(clip: dict[str, Any], first_s: float, last_s: float) -> tuple[float, float]:
    """Return start and end of the analysed part of a clip, wide enough for its segments.

    Parameters
    ----------
    clip
        Its row of the table ``clips``.
    first_s, last_s
        Start of its first segment and end of its last; inf and -inf without any.
    """
    start_s, stop_s = _real(clip.get("from_s"), 0.0), _real(clip.get("duration_s"), 0.0)
    stop_s = min(stop_s, _real(clip.get("to_s"), math.inf))
    start_s, stop_s = min(start_s, first_s), max(stop_s, last_s)
    return start_s, max(start_s, stop_s)


def _rhythm(
    rows: pd.DataFrame | None, start_s: float, stop_s: float, periods: tuple[float, float]
) -> tuple[Panel, ...]:
    if rows is None or not len(rows) or not stop_s > start_s:
        return ()
    if not rows["time_s"].is_monotonic_increasing:
        rows = rows.sort_values("time_s", kind="stable")
    flow = numbers(rows["flow_magnitude"])
    top = round_up(float(np.fmax.reduce(flow, initial=0.0)))
    low, high = periods
    octaves = np.arange(math.log2(low), math.log2(high) + 0.5)
    marks = octaves[:: max(1, math.ceil(len(octaves) / 4))]
    axis = (start_s, stop_s)
    return (
        _panel(
            rows,
            axis,
            column="flow_magnitude",
            name="flow magnitude",
            unit="image diameters/s",
            limits=(0.0, top),
            ticks=[(0.0, "0"), (top / 2, number(top / 2)), (top, number(top))],
            empty=NOT_OBSERVABLE,
        ),
        _panel(
            rows,
            axis,
            column="period_s",
            name="period",
            unit="s, log scale; gaps: not periodic",
            limits=(math.log2(low), math.log2(high)),
            ticks=[(mark, number(2.0**mark)) for mark in marks],
            empty=f"{NOT_PERIODIC} in this clip",
            logarithmic=True,
        ),
        _panel(
            rows,
            axis,
            column="strength",
            name="strength",
            unit="0 to 1",
            limits=(0.0, 1.0),
            ticks=[(0.0, "0"), (0.5, "0.5"), (1.0, "1")],
            empty=NOT_OBSERVABLE,
        ),
    )


def _panel(
    rows: pd.DataFrame,
    axis: tuple[float, float],
    *,
    column: str,
    name: str,
    unit: str,
    limits: tuple[float, float],
    ticks: list[tuple[float, str]],
    empty: str,
    logarithmic: bool = False,
) -> Panel:
    values = numbers(rows[column])
    if logarithmic:
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = np.where(values > 0, np.log2(values), np.nan)
    else:
        scaled = values
    curve = envelope(numbers(rows["time_s"]), scaled, start_s=axis[0], stop_s=axis[1])
    x = to_unit(curve.time_s, *axis)
    finite = values[np.isfinite(values)]
    median = number(float(np.median(finite))) if len(finite) else ABSENT
    least, most = (number(float(f(finite))) if len(finite) else ABSENT for f in (np.min, np.max))
    return Panel(
        name=name,
        unit=unit,
        column=column,
        line=line_path(x, to_unit(curve.middle, *limits)),
        band=_band(x, curve, limits),
        ticks=tuple(Tick(at=100 - percent_of(at, *limits), text=text) for at, text in ticks),
        alt=f"{name} over time: median {median}, from {least} to {most} ({unit}); "
        f"measured in {percent(len(finite) / max(1, len(values)))} of the samples",
        empty="" if len(finite) else empty,
    )


def _band(x: FloatArray, curve: Envelope, limits: tuple[float, float]) -> str:
    if curve.low is curve.middle:
        return ""
    return band_path(x, to_unit(curve.low, *limits), to_unit(curve.high, *limits))


def _period_axis(periods: FloatArray) -> tuple[float, float]:
    """Return powers of two around all periods of the run: one axis for every clip."""
    finite = periods[np.isfinite(periods) & (periods > 0)]
    if len(finite) == 0:
        return 0.5, 8.0
    low = 2.0 ** math.floor(math.log2(float(finite.min())))
    high = 2.0 ** math.ceil(math.log2(float(finite.max())))
    return low, max(high, 4 * low)


def _details(clip: dict[str, Any]) -> str:
    """Return length, format and recording time in one line; what is unknown is left out."""
    parts = []
    if math.isfinite(_real(clip.get("duration_s"), math.nan)):
        parts.append(duration(float(clip["duration_s"])))
    if _real(clip.get("width"), 0) > 0 and _real(clip.get("height"), 0) > 0:
        parts.append(f"{int(clip['width'])} × {int(clip['height'])}")
    if math.isfinite(_real(clip.get("frame_rate"), math.nan)):
        parts.append(f"{number(float(clip['frame_rate']))} frames/s")
    parts += [_text(clip.get("codec"))]
    if _text(clip.get("start_time")):
        parts.append(f"recorded {_text(clip['start_time'])}")
    return " · ".join(part for part in parts if part)


def _real(value: Any, otherwise: float) -> float:
    if value is None or not math.isfinite(float(value)):
        return otherwise
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
