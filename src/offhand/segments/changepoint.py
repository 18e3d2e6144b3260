"""Change points of where the worker faces and of how the picture moves.

Two kinds of evidence are joined. People turn to another work station when they change their task:
the integrated camera motion (heading) is nearly constant inside a task and steps between tasks.
And tasks differ in rhythm: the strength of camera and residual motion in bands of tempo changes.
The joined series is cut by penalised least squares with exact optimal partitioning (PELT; Killick
et al. 2012, doi:10.1080/01621459.2012.737745), as implemented in ruptures (arXiv:1801.00826).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import ruptures

from offhand.records import FloatArray, Segments, Signal, option
from offhand.rhythm.resample import to_uniform
from offhand.rhythm.spectrum import log_band_envelopes

RATE_HZ = 16.0
SAMPLES_PER_STEP = 4
STEP_S = SAMPLES_PER_STEP / RATE_HZ
EDGES_HZ = np.array([0.12, 0.3, 0.6, 1.1, 1.8, 3.0, 6.5])
SMOOTH_S = 0.8
CONSTANT = 1e-6  # spread of a log envelope that is rounding error, not rhythm
RHYTHM_CHANNELS = ("camera_x", "camera_y", "camera_roll", "camera_zoom", "residual_speed")


@dataclass(frozen=True, kw_only=True)
class ChangePoints:
    """Segments between change points of the signal ``motion``.

    Attributes
    ----------
    min_s
        Shortest segment.
    penalty
        Cost of a boundary.
    heading_weight
        Weight of the heading, in standard deviations of the rhythm per image diameter.
    """

    name: ClassVar[str] = "changepoint"
    version: ClassVar[int] = 1
    signals: ClassVar[tuple[str, ...]] = ("motion",)

    min_s: float = option(2.0, "shortest segment in seconds")
    penalty: float = option(24.0, "cost of a boundary: higher gives fewer, longer segments")
    heading_weight: float = option(
        10.0, "weight of where the camera points against how it moves; 0 leaves it out"
    )

    def __post_init__(self) -> None:
        if not self.min_s > 0:
            raise ValueError(f"min_s is {self.min_s}, must be positive")
        if not self.penalty > 0:
            raise ValueError(f"penalty is {self.penalty}, must be positive")

    def cut(
        self, clip_id: str, signals: Mapping[str, Signal], *, start_s: float, stop_s: float
    ) -> Segments:
        """Cut ``[start_s, stop_s)``; a clip shorter than two segments is left whole."""
        series = self._series(signals["motion"], start_s=start_s, stop_s=stop_s)
        fewest = max(2, math.ceil(self.min_s / STEP_S - 1e-9))
        edges = [start_s, stop_s]
        if len(series) >= 2 * fewest:
            search = ruptures.KernelCPD(kernel="linear", min_size=fewest).fit(series)
            inner = np.array(search.predict(pen=self.penalty)[:-1], dtype=np.float64)
            times_s = start_s + inner * STEP_S
            edges[1:1] = list(times_s[stop_s - times_s >= self.min_s])
        bounds = np.array(edges)
        return Segments(clip_id=clip_id, start_s=bounds[:-1], stop_s=bounds[1:])

    def _series(self, motion: Signal, *, start_s: float, stop_s: float) -> FloatArray:
        """Return rhythm and heading ``(n, d)``, one row each ``STEP_S``."""
        columns = [motion.channel(name) for name in (*RHYTHM_CHANNELS, "flow_x", "flow_y")]
        _, uniform = to_uniform(
            motion.time_s, np.column_stack(columns), rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s
        )
        if len(uniform) < 2 * RATE_HZ * self.min_s:
            return np.empty((0, 0))
        camera, flow = uniform[:, :2], uniform[:, -2:]
        speed = np.nan_to_num(np.where(np.isnan(camera), flow, camera))
        heading = np.cumsum(speed, axis=0) / RATE_HZ * self.heading_weight
        filled = np.nan_to_num(uniform[:, : len(RHYTHM_CHANNELS)])
        bands = [
            log_band_envelopes(series, EDGES_HZ, rate_hz=RATE_HZ, smooth_s=SMOOTH_S)
            for series in filled.T
        ]
        rhythm = np.concatenate(bands, axis=1)
        spread = rhythm.std(axis=0)
        rhythm = (rhythm - rhythm.mean(axis=0)) / np.where(spread > CONSTANT, spread, 1.0)
        rhythm /= np.sqrt(rhythm.shape[1])
        return np.concatenate([rhythm, heading], axis=1)[::SAMPLES_PER_STEP]
