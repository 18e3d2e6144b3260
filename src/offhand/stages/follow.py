"""Stage 3, beside counting: follow the rhythm of a clip from start to end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.records import Clip, Signal
from offhand.rhythm.flow import step_samples, track_rhythm, window_samples
from offhand.rhythm.resample import to_uniform
from offhand.signals.base import SignalExtractor
from offhand.stages.describe import upstream
from offhand.stages.measure import clip_key, signal_path
from offhand.store import fingerprint, parquet, signal_files
from offhand.store.workspace import Workspace

RATE_HZ = 15.0
VERSION = 5

STEPS_AT_ONCE = 1200
"""Moments that are followed at a time, ten minutes, so that memory does not grow with the clip."""

RHYTHM = {
    "clip_id": "str",
    "time_s": "float64",
    "flow_magnitude": "float64",
    "period_s": "float64",
    "strength": "float64",
}
SIGNAL, CHANNELS = "motion", ("flow_x", "flow_y", "flow_speed")
"""What the rhythm is followed in; every run measures it, as counting reads it too."""


@dataclass(frozen=True, kw_only=True)
class FollowTask:
    """One clip to follow; its signals are stored.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    clip
        The clip.
    stop_s
        Where its pictures end.
    extractors
        The configured signals.
    """

    workspace: str
    clip: Clip
    stop_s: float
    extractors: tuple[SignalExtractor, ...]


def rhythm_path(task: FollowTask) -> Path:
    """Return the file of a clip's rhythm over time."""
    name = fingerprint.digest([VERSION, *upstream((SIGNAL,), task.extractors)])
    return Workspace(task.workspace).record_path("rhythm", "flow", name, task.clip.clip_id)


def follow(task: FollowTask, report: Callable[[float], None]) -> None:
    """Follow the rhythm of a clip, unless that is stored."""
    path, key = rhythm_path(task), clip_key(task.clip)
    if parquet.has_key(path, key):
        return
    (extractor,) = (step for step in task.extractors if step.name == SIGNAL)
    measured = signal_path(Workspace(task.workspace), extractor, task.clip)
    motion = signal_files.read(measured, CHANNELS)
    report(0.1)
    parts = _rhythm(motion, task.clip, stop_s=task.stop_s)
    parquet.write_frames(path, parts, RHYTHM, key=key)


def _rhythm(motion: Signal, clip: Clip, *, stop_s: float) -> Iterator[pd.DataFrame]:
    """Yield the rows of the table ``rhythm`` of one clip, from its ``CHANNELS``, part by part."""
    n_rows = math.ceil((stop_s - clip.from_s) * RATE_HZ - 1e-9)
    step, reach = step_samples(RATE_HZ), window_samples(RATE_HZ)
    for first in range(0, n_rows, STEPS_AT_ONCE * step):
        stop = min(first + STEPS_AT_ONCE * step, n_rows)
        begin, end = max(0, first - reach), min(stop + reach, n_rows)
        time_s, flow = to_uniform(
            motion.time_s,
            motion.values,
            rate_hz=RATE_HZ,
            start_s=clip.from_s + begin / RATE_HZ,
            stop_s=clip.from_s + end / RATE_HZ,
        )
        rows = slice(first - begin, stop - begin)
        periods = track_rhythm(flow, rate_hz=RATE_HZ, first=rows.start, stop=rows.stop)
        moment = np.arange(stop - first) // step
        yield pd.DataFrame(
            {
                "clip_id": clip.clip_id,
                "time_s": time_s[rows],
                "flow_magnitude": flow[rows, 2],
                "period_s": np.array([period.period_s for period in periods])[moment],
                "strength": np.array([period.strength for period in periods])[moment],
            }
        )
