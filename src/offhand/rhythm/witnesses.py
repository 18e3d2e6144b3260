"""What can testify to a repetition: evenly sampled series, each from its own measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from offhand.records import BoolArray, FloatArray, Signal
from offhand.rhythm.resample import to_uniform
from offhand.rhythm.tempo import tamed

RATE_HZ = 15.0
"""Samples per second of every witness."""

PICTURE_COMPONENTS, POSE_COMPONENTS = 24, 8
"""Principal components that are kept of how the picture, and the body in it, change."""

SIDES = ("left", "right")
JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee")
"""Keypoints of a body that testify, left and right."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """One measurement, ``RATE_HZ`` samples a second.

    Attributes
    ----------
    name
        Such as ``flow``.
    values
        ``(n, components)``; NaN where nothing was measured. Motion has two: right and down.
    source
        What it was measured from; witnesses of one source are not independent.
    together
        Whether only all components together tell the tempo, not the clearest alone.
    traced
        Whether single strokes can be followed in it.
    leads
        Whether bouts are looked for in it; else it only confirms them.
    """

    name: str
    values: FloatArray
    source: str
    together: bool = False
    traced: bool = True
    leads: bool = True

    @property
    def known(self) -> BoolArray:
        """Where it was measured, bool ``(n,)``."""
        return np.asarray(~np.isnan(self.values).any(axis=1))

    def bridged(self) -> Witness:
        """Return the witness with short gaps bridged, as in :mod:`offhand.rhythm.resample`."""
        n = len(self.values)
        time_s = np.arange(n) / RATE_HZ
        _, values = to_uniform(
            time_s, self.values, rate_hz=RATE_HZ, start_s=0.0, stop_s=(n - 0.5) / RATE_HZ
        )
        return replace(self, values=values)

    def filled(self) -> FloatArray:
        """Return the values with their mean taken off, outliers shortened, and gaps at zero."""
        known = self.known
        if not known.any():
            return np.zeros_like(self.values)
        centred = self.values - self.values[known].mean(axis=0)
        return tamed(np.where(known[:, None], centred, 0.0), rate_hz=RATE_HZ)


def from_signals(signals: Mapping[str, Signal], *, start_s: float, stop_s: float) -> list[Witness]:
    """Return the witnesses of a stretch of video.

    Parameters
    ----------
    signals
        ``motion`` and ``picture``; ``pose`` where it was measured.
    start_s, stop_s
        The stretch.
    """
    motion, picture = signals["motion"], signals["picture"]

    def even(signal: Signal, columns: FloatArray) -> FloatArray:
        _, uniform = to_uniform(
            signal.time_s, columns, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s
        )
        return uniform

    def pair(name: str) -> FloatArray:
        return even(
            motion, np.column_stack([motion.channel(f"{name}_x"), motion.channel(f"{name}_y")])
        )

    found = [
        Witness(name="flow", values=pair("flow"), source="motion"),
        Witness(name="residual", values=pair("residual"), source="motion"),
        Witness(
            name="picture",
            values=_change(contrast(even(picture, picture.values)), PICTURE_COMPONENTS),
            source="picture",
            together=True,
            traced=False,
        ),
        Witness(
            name="advance",
            values=even(motion, motion.channel("camera_zoom")[:, None]),
            source="advance",
            traced=False,
            leads=False,
        ),
    ]
    if "pose" in signals:
        pose = signals["pose"]
        names = [f"{side}_{joint}_{axis}" for joint in JOINTS for side in SIDES for axis in "xy"]
        joints = even(pose, np.column_stack([pose.channel(name) for name in names]))
        found.append(
            Witness(
                name="pose",
                values=_change(joints, POSE_COMPONENTS),
                source="pose",
                together=True,
                traced=False,
                leads=False,
            )
        )
    return found


def contrast(pictures: FloatArray) -> FloatArray:
    """Return pictures ``(n, pixels)`` of mean 0 and length 1: no brightness, no contrast."""
    centred = pictures - pictures.mean(axis=1, keepdims=True)
    return np.asarray(centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6))


def _change(values: FloatArray, components: int) -> FloatArray:
    """Return how values ``(n, d)`` change from sample to sample, in principal components."""
    change = np.gradient(values, axis=0) if len(values) > 1 else np.zeros_like(values)
    known = ~np.isnan(change).any(axis=1)
    found = np.full((len(values), components), np.nan)
    if known.any():
        seen = change[known]
        _, vectors = np.linalg.eigh(seen.T @ seen)
        found[known] = seen @ vectors[:, ::-1][:, :components]
    return found
