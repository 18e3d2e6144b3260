"""One section a clip: timeline strips and the rhythm plot on one time axis."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from offhand.records import FloatArray
from offhand.report.clusters import cluster_list, rows_of
from offhand.report.plots import (
    Envelope,
    band_path,
    envelope,
    line_path,
    round_up,
    time_ticks,
    to_unit,
)
from offhand.report.repetitions import similarities
from offhand.report.steps import notes_of
from offhand.report.tables import Tables, numbers
from offhand.report.view_clip import Block, ClipPanel, Panel, Strip, Tick
from offhand.report.view_clusters import ClipName, Cluster, Modality
from offhand.report.view_repetitions import BoutRow
from offhand.report.wording import (
    ABSENT,
    NO_CLUSTER,
    NOT_OBSERVABLE,
    NOT_PERIODIC,
    clock,
    cluster_name,
    duration,
    number,
    percent,
    plain,
)

NOISE, UNSEEN = -1, -2
LAST_TICK = 96.0  # percent of the axis: a later tick has no room for its text


def clip_panels(
    tables: Tables,
    names: dict[str, ClipName],
    modalities: tuple[Modality, ...],
    axes: dict[str, tuple[float, float]],
    bouts: list[BoutRow],
) -> tuple[ClipPanel, ...]:
    """Return the sections of all clips, failed ones too, in the order of the run."""
    strips = _Strips(tables, modalities)
    periods = _period_axis(numbers(tables.rhythm["period_s"]))
    rhythm = {str(key): rows for key, rows in tables.rhythm.groupby("clip_id")}
    n_segments = tables.segments["clip_id"].value_counts()
    _, own_notes = notes_of(tables)
    panels = []
    for row in rows_of(tables.clips):
        clip_id = row["clip_id"]
        start_s, stop_s = axes[clip_id]
        failed = row["status"] == "failed"
        panels.append(
            ClipPanel(
                name=names[clip_id],
                path=_text(row.get("path")),
                status=_text(row["status"]),
                error=_text(row.get("error")),
                details=_details(row),
                notes=own_notes[clip_id],
                n_segments=int(n_segments.get(clip_id, 0)),
                start_s=start_s,
                stop_s=stop_s,
                ticks=tuple(
                    Tick(at=_percent(time_s, start_s, stop_s), text=clock(time_s))
                    for time_s in time_ticks(start_s, stop_s)
                    if _percent(time_s, start_s, stop_s) < LAST_TICK
                ),
                strips=() if failed else strips.pooled(clip_id, start_s, stop_s),
                own_strips=() if failed else strips.within(clip_id, start_s, stop_s),
                rhythm=_rhythm(rhythm.get(clip_id), start_s, stop_s, periods),
                bouts=tuple(bout for bout in bouts if bout.name.clip_id == clip_id),
                similarities=similarities(tables, clip_id),
            )
        )
    return tuple(panels)


def time_axes(tables: Tables) -> dict[str, tuple[float, float]]:
    """Return start and end of every clip's time axis."""
    segments = dict(list(tables.segments.groupby("clip_id")))
    nothing = tables.segments.iloc[:0]
    return {
        row["clip_id"]: time_axis(row, segments.get(row["clip_id"], nothing))
        for row in rows_of(tables.clips)
    }


def time_axis(clip: dict[str, Any], segments: pd.DataFrame) -> tuple[float, float]:
    """Return start and end of the analysed part of a clip, wide enough for its segments."""
    start_s, stop_s = _real(clip.get("from_s"), 0.0), _real(clip.get("duration_s"), 0.0)
    stop_s = min(stop_s, _real(clip.get("to_s"), math.inf))
    if len(segments):
        start_s = min(start_s, float(segments["start_s"].min()))
        stop_s = max(stop_s, float(segments["stop_s"].max()))
    return start_s, max(start_s, stop_s)


class _Strips:
    """Builds the strips of a clip, in the order and with the default clusterers of the ranking."""

    def __init__(self, tables: Tables, modalities: tuple[Modality, ...]) -> None:
        self._pairs = [(m.name, m.default.clusterer) for m in modalities]
        self._groups: dict[tuple[str, ...], pd.DataFrame] = {
            tuple(str(part) for part in key): rows
            for key, rows in tables.labels.groupby(["scope", "modality", "clusterer", "clip_id"])
        }
        self._pooled = {m.name: {c.label: c for c in m.default.clusters} for m in modalities}

    def pooled(self, clip_id: str, start_s: float, stop_s: float) -> tuple[Strip, ...]:
        """Return strips of the clustering over all clips: a colour means the same in every clip."""
        strips = []
        for modality, clusterer in self._pairs:
            labels = self._groups.get(("pooled", modality, clusterer, clip_id))
            everywhere = self._pooled[modality]
            strips.append(self._strip(modality, clusterer, labels, everywhere, start_s, stop_s))
        return tuple(strips)

    def within(self, clip_id: str, start_s: float, stop_s: float) -> tuple[Strip, ...]:
        """Return strips of the clustering of this clip alone, where there is one."""
        strips = []
        for modality, clusterer in self._pairs:
            labels = self._groups.get(("clip", modality, clusterer, clip_id))
            if labels is not None:
                strips.append(self._strip(modality, clusterer, labels, None, start_s, stop_s))
        return tuple(strips)

    def _strip(
        self,
        modality: str,
        clusterer: str,
        labels: pd.DataFrame | None,
        everywhere: dict[int, Cluster] | None,
        start_s: float,
        stop_s: float,
    ) -> Strip:
        if labels is None or not labels["described"].any():
            return Strip(
                modality=modality,
                clusterer=clusterer,
                blocks=(),
                legend=(),
                noise_share=math.nan,
                unseen_share=math.nan,
                n_clusters=0,
                n_segments=0,
                alt=f"{plain(modality)}: {NOT_OBSERVABLE}",
            )
        total_s = float(labels["seconds"].sum())
        here = cluster_list(labels, {}, total_s=total_s)
        legend = sorted((_as_pooled(c, everywhere) for c in here), key=lambda c: -c.seconds)
        known = {c.label: c for c in legend}
        unseen_share = float((~labels["described"]).mean())
        noise_share = float(((labels["label"] < 0) & labels["described"]).mean())
        shares = [f"{c.title} {percent(c.time_share)}" for c in legend] or [NO_CLUSTER]
        return Strip(
            modality=modality,
            clusterer=clusterer,
            blocks=_blocks(labels, known, start_s, stop_s),
            legend=tuple(legend),
            noise_share=noise_share,
            unseen_share=unseen_share,
            n_clusters=len(legend),
            n_segments=len(labels),
            alt=f"{plain(modality)} along the clip, share of its time: {', '.join(shares)}; "
            f"noise {percent(noise_share)} of {len(labels)} segments, "
            f"not observable {percent(unseen_share)}",
        )


def _as_pooled(cluster: Cluster, everywhere: dict[int, Cluster] | None) -> Cluster:
    """Return a cluster's size in this clip, with the colour and facts it has over all clips."""
    if everywhere is None:
        return cluster
    pooled = everywhere[cluster.label]
    return replace(
        pooled,
        n_segments=cluster.n_segments,
        seconds=cluster.seconds,
        time_share=cluster.time_share,
    )


def _blocks(
    labels: pd.DataFrame, known: dict[int, Cluster], start_s: float, stop_s: float
) -> tuple[Block, ...]:
    blocks = []
    columns = (labels[name].tolist() for name in ("label", "described", "start_s", "stop_s"))
    for label, is_described, from_s, to_s in zip(*columns, strict=True):
        left = _percent(from_s, start_s, stop_s)
        blocks.append(
            Block(
                left=left,
                width=_percent(to_s, start_s, stop_s) - left,
                colour=known[label].colour if label in known else NOISE if is_described else UNSEEN,
                name=(known[label].name if label in known else cluster_name(label))
                if is_described
                else NOT_OBSERVABLE,
                called=known[label].called if label in known else "",
                start_s=from_s,
                stop_s=to_s,
            )
        )
    return tuple(blocks)


def _rhythm(
    rows: pd.DataFrame | None, start_s: float, stop_s: float, periods: tuple[float, float]
) -> tuple[Panel, ...]:
    if rows is None or not stop_s > start_s:
        return ()
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
        ticks=tuple(Tick(at=100 - _percent(at, *limits), text=text) for at, text in ticks),
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


def _percent(value: float, low: float, high: float) -> float:
    return 100 * (value - low) / (high - low) if high > low else 0.0


def _real(value: Any, otherwise: float) -> float:
    if value is None or not math.isfinite(float(value)):
        return otherwise
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
