"""Stage 3, beside counting: follow the rhythm of a clip from start to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.records import Clip, Signal
from offhand.rhythm.flow import track_rhythm
from offhand.rhythm.resample import to_uniform
from offhand.signals.base import SignalExtractor
from offhand.stages.describe import upstream
from offhand.stages.measure import clip_key, signal_path
from offhand.store import fingerprint, parquet, signal_files
from offhand.store.workspace import Workspace

RATE_HZ = 15.0
VERSION = 2

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
    parquet.write_frame(path, _rhythm(motion, task.clip, stop_s=task.stop_s), key=key)


def _rhythm(motion: Signal, clip: Clip, *, stop_s: float) -> pd.DataFrame:
    """Return the rows of the table ``rhythm`` for one clip, from its ``CHANNELS``."""
    time_s, flow = to_uniform(
        motion.time_s, motion.values, rate_hz=RATE_HZ, start_s=clip.from_s, stop_s=stop_s
    )
    track = track_rhythm(flow, rate_hz=RATE_HZ, start_s=clip.from_s)
    nearest = np.searchsorted((track.time_s[1:] + track.time_s[:-1]) / 2, time_s)
    return pd.DataFrame(
        {
            "clip_id": clip.clip_id,
            "time_s": time_s,
            "flow_magnitude": flow[:, 2],
            "period_s": track.period_s[nearest],
            "strength": track.strength[nearest],
        }
    )
