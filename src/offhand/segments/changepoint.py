"""Change points of where the worker faces and of how the picture moves.

Two kinds of evidence are joined. People turn to another work station when they change their task:
the integrated camera motion (heading) is nearly constant inside a task and steps between tasks.
And tasks differ in rhythm: the strength of camera and residual motion in bands of tempo changes.
A boundary inside a turn is moved to where the turn begins: turning away ends a task.
The joined series is cut by penalised least squares with exact optimal partitioning (PELT; Killick
et al. 2012, doi:10.1080/01621459.2012.737745), as implemented in ruptures (arXiv:1801.00826).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy

from offhand.records import FloatArray, Segments, Signal, option
from offhand.rhythm.resample import to_uniform
from offhand.rhythm.spectrum import log_band_envelopes

RATE_HZ = 16.0
SAMPLES_PER_STEP = 4
STEP_S = SAMPLES_PER_STEP / RATE_HZ
EDGES_HZ = np.array([0.12, 0.3, 0.6, 1.1, 1.8, 3.0, 6.5])
SMOOTH_S = 0.8
TURN_WINDOW_S = 0.25  # camera speed is averaged over
TURN_REACH_S = 1.0  # a turn peaks this near to the boundary, and begins this near to its peak
TURN_FLOOR = 0.3  # of the peak speed: below, the turn has not begun
TURN_LEAST = 2.0  # times the spread of the heading on both sides: below, nothing has turned
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
    from_turn
        Whether a boundary inside a turn is moved to where the turn begins.
    """

    name: ClassVar[str] = "changepoint"
    version: ClassVar[int] = 3
    signals: ClassVar[tuple[str, ...]] = ("motion",)

    min_s: float = option(2.0, "shortest segment in seconds")
    penalty: float = option(24.0, "cost of a boundary: higher gives fewer, longer segments")
    heading_weight: float = option(
        10.0, "weight of where the camera points against how it moves; 0 leaves it out"
    )
    from_turn: bool = option(
        True, "whether a task begins where the camera begins to turn to it, not amid the turn"
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
        motion = _uniform(signals["motion"], start_s=start_s, stop_s=stop_s)
        series = self._series(motion)
        fewest = max(2, math.ceil(self.min_s / STEP_S - 1e-9))
        edges, changes = [start_s], [start_s]
        if len(series) >= 2 * fewest:
            import ruptures  # takes a while to import

            search = ruptures.KernelCPD(kernel="linear", min_size=fewest).fit(series)
            velocity = _velocity(motion)
            heading = np.cumsum(velocity, axis=0) / RATE_HZ
            for inner in search.predict(pen=self.penalty)[:-1]:
                time_s = change_s = start_s + inner * STEP_S
                begun = _turn_begin(velocity, heading, inner * SAMPLES_PER_STEP)
                begun_s = start_s + begun / RATE_HZ
                if self.from_turn and begun_s - edges[-1] >= self.min_s:
                    time_s = begun_s
                if stop_s - time_s >= self.min_s:
                    edges.append(time_s)
                    changes.append(change_s)
        bounds = np.array([*edges, stop_s])
        return Segments(
            clip_id=clip_id,
            start_s=bounds[:-1],
            stop_s=bounds[1:],
            change_s=np.array(changes) if self.from_turn else None,
        )

    def _series(self, motion: FloatArray) -> FloatArray:
        """Return rhythm and heading ``(n, d)``, one row each ``STEP_S``."""
        if len(motion) < 2 * RATE_HZ * self.min_s:
            return np.empty((0, 0))
        heading = np.cumsum(_velocity(motion), axis=0) / RATE_HZ * self.heading_weight
        filled = np.nan_to_num(motion[:, : len(RHYTHM_CHANNELS)])
        rhythm = np.concatenate([_tempi(series) for series in filled.T], axis=1)
        rhythm /= np.sqrt(rhythm.shape[1])
        return np.concatenate([rhythm, heading[::SAMPLES_PER_STEP]], axis=1)


def _uniform(motion: Signal, *, start_s: float, stop_s: float) -> FloatArray:
    """Return the rhythm channels and the flow ``(n, 7)`` at ``RATE_HZ``."""
    columns = [motion.channel(name) for name in (*RHYTHM_CHANNELS, "flow_x", "flow_y")]
    _, uniform = to_uniform(
        motion.time_s, np.column_stack(columns), rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s
    )
    return uniform


def _tempi(series: FloatArray) -> FloatArray:
    """Return how strongly a series moves in each band of tempo, standardised, a row a step."""
    bands = log_band_envelopes(series, EDGES_HZ, rate_hz=RATE_HZ, smooth_s=SMOOTH_S)
    spread = bands.std(axis=0)
    relative = bands[::SAMPLES_PER_STEP] - bands.mean(axis=0)
    return np.asarray(relative / np.where(spread > CONSTANT, spread, 1.0))


def _velocity(motion: FloatArray) -> FloatArray:
    """Return the camera's velocity ``(n, 2)``, that of the flow where no camera was fitted."""
    camera, flow = motion[:, :2], motion[:, -2:]
    return np.nan_to_num(np.where(np.isnan(camera), flow, camera))


def _has_turned(heading: FloatArray, sample: int) -> bool:
    """Tell whether the camera points elsewhere after a boundary than before it."""
    reach = round(TURN_REACH_S * RATE_HZ)
    before = heading[max(0, sample - 3 * reach) : max(1, sample - reach)]
    after = heading[min(len(heading) - 1, sample + reach) : sample + 3 * reach]
    middle = np.median(before, axis=0), np.median(after, axis=0)
    spread = [
        np.linalg.norm(part - at, axis=1).mean()
        for part, at in zip((before, after), middle, strict=True)
    ]
    return bool(np.linalg.norm(middle[1] - middle[0]) > TURN_LEAST * max(spread))


def _turn_begin(velocity: FloatArray, heading: FloatArray, sample: int) -> int:
    """Return the sample at which the turn around a boundary begins, the boundary without one."""
    if not _has_turned(heading, sample):
        return sample
    reach, window = round(TURN_REACH_S * RATE_HZ), round(TURN_WINDOW_S * RATE_HZ)
    first = max(0, sample - 2 * reach)
    near = scipy.ndimage.uniform_filter1d(
        velocity[first : sample + reach], window, axis=0, mode="nearest"
    )
    speed = np.linalg.norm(near, axis=1)
    earliest = min(reach, sample - first)
    peak = earliest + int(speed[earliest:].argmax())
    before = speed[max(0, peak - reach) : peak]
    slow = np.flatnonzero(before <= TURN_FLOOR * speed[peak])
    begin = peak - len(before) + (int(slow[-1]) + 1 if len(slow) else 0)
    return min(sample, first + begin)
