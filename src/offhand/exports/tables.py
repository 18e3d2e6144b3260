"""CSV (RFC 4180, UTF-8): ``activities.csv``, a row an interval; ``repetitions.csv``, a row a bout.

Text is quoted and otherwise left as it is, numbers are bare, a missing number is an empty cell.
Nothing is put before a text that a spreadsheet may take for a formula: the table must give back
what went in.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from offhand.exports.activity import home
from offhand.exports.text import encodable
from offhand.exports.timeline import Timeline
from offhand.files import write_text

ACTIVITY_COLUMNS = (
    "clip_id",
    "path",
    "modality",
    "segment_id",
    "start_s",
    "stop_s",
    "label",
    "activity",
    "status",
    "probability",
)
"""Columns of ``activities.csv``."""

REPETITION_COLUMNS = (
    "clip_id",
    "activity",
    "start_s",
    "stop_s",
    "count",
    "period_s",
    "confidence",
    "by_hand",
)
"""Columns of ``repetitions.csv``."""

Cell = str | int | float


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write the two tables; raises StoreError."""
    files = [folder / "activities.csv", folder / "repetitions.csv"]
    write_text(files[0], _table(ACTIVITY_COLUMNS, _activity_rows(timelines)))
    write_text(files[1], _table(REPETITION_COLUMNS, _repetition_rows(timelines)))
    return files


def _activity_rows(timelines: Sequence[Timeline]) -> Iterable[tuple[Cell, ...]]:
    for timeline in timelines:
        for one in timeline.intervals:
            yield (
                timeline.clip_id,
                timeline.path,
                timeline.modality,
                one.segment_id,
                one.start_s,
                one.stop_s,
                one.label,
                one.activity,
                one.status,
                one.probability,
            )


def _repetition_rows(timelines: Sequence[Timeline]) -> Iterable[tuple[Cell, ...]]:
    for timeline in timelines:
        for bout in timeline.bouts:
            interval = home(bout, timeline)
            yield (
                timeline.clip_id,
                interval.activity if interval else "",
                bout.start_s,
                bout.stop_s,
                bout.count,
                bout.period_s,
                bout.confidence,
                "true" if bout.by_hand else "false",
            )


def _table(columns: Sequence[str], rows: Iterable[tuple[Cell, ...]]) -> str:
    stream = io.StringIO()
    table = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    table.writerow(columns)
    for row in rows:
        table.writerow("" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row)
    return encodable(stream.getvalue())
