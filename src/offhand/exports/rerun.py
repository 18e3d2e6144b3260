"""Rerun: ``<clip_id>.rrd``, one recording a clip on the time line ``recording``.

Needs the package rerun-sdk (``pip install 'offhand[rerun]'``). Writing a file opens no connection;
Rerun's viewer sends usage statistics until ``rerun analytics disable``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from offhand.errors import ExportError
from offhand.exports.activity import lasts, repetitions, title
from offhand.exports.text import encodable, printable
from offhand.exports.timeline import Bout, Timeline
from offhand.files import replacing

TIMELINE = "recording"
"""Rerun's name for the time of the recording."""


def write(timelines: Sequence[Timeline], folder: Path) -> list[Path]:
    """Write a file a clip.

    Raises
    ------
    ExportError
        The package is missing.
    StoreError
        A file cannot be written.
    """
    rerun = _package()
    files = []
    for timeline in timelines:
        file = folder / f"{timeline.clip_id}.rrd"
        with replacing(file) as temporary:
            recording = rerun.RecordingStream("offhand", recording_id=timeline.clip_id)
            recording.save(temporary)
            _log(rerun, recording, timeline)
            recording.flush()
            recording.disconnect()
        files.append(file)
    return files


def _package() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise ExportError(
            "the format rerun needs the package rerun-sdk: pip install 'offhand[rerun]'"
        ) from error
    package: ModuleType = rerun
    return package


def _log(rerun: ModuleType, recording: Any, timeline: Timeline) -> None:
    def send(entity: str, times_s: Sequence[float], columns: Any) -> None:
        if times_s:
            index = rerun.TimeColumn(TIMELINE, duration=times_s)
            rerun.send_columns(entity, [index], columns, recording=recording, strict=True)

    about = rerun.AnyValues(
        path=encodable(timeline.path),
        modality=encodable(timeline.modality),
        duration_s=timeline.duration_s,
        frame_rate=timeline.frame_rate,
    )
    recording.log("clip", about, static=True, strict=True)

    intervals = [one for one in timeline.intervals if lasts(one)]
    starts_s = [one.start_s for one in intervals]
    names = [printable(title(one)) for one in intervals]
    send("activity", starts_s, rerun.TextLog.columns(text=names))
    ends_s = [one.stop_s for one in intervals[-1:]]  # behind the last one there is no state
    states = rerun.StateChange.columns(state=names)
    lengths = [1] * len(names) + [0] * len(ends_s)
    send("activity/state", starts_s + ends_s, states.partition(lengths))
    send(
        "activity/probability",
        starts_s,
        rerun.Scalars.columns(scalars=[one.probability for one in intervals]),
    )

    bouts = [bout for bout in timeline.bouts if lasts(bout)]
    texts = [repetitions(bout) for bout in bouts]
    send("repetitions", [bout.start_s for bout in bouts], rerun.TextLog.columns(text=texts))
    steps = [step for bout in bouts for step in _steps(bout)]
    counts = rerun.Scalars.columns(scalars=[count for _, count in steps])
    send("repetitions/count", [time_s for time_s, _ in steps], counts)


def _steps(bout: Bout) -> list[tuple[float, float]]:
    """Return times and the repetitions complete by then, from none at the start of the bout."""
    if not bout.rep_times_s:
        return [(bout.start_s, 0.0), (bout.stop_s, float(bout.count))]
    return [(time_s, float(n)) for n, time_s in enumerate((bout.start_s, *bout.rep_times_s))]
