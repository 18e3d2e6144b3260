"""Where the camera and the tool are at any time of a script: continuous functions of time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from offhand.synthetic.script import Block, Script


class CameraPose(NamedTuple):
    """What the camera looks at: a point of the world in frame heights, roll, and zoom factor."""

    x: float
    y: float
    roll_deg: float
    zoom: float


class ToolPose(NamedTuple):
    """Tool head relative to the frame's centre in frame heights, rotation, and size factor."""

    x: float
    y: float
    angle_deg: float
    scale: float


_Offset = tuple[float, float, float, float]
_STILL: _Offset = (0.0, 0.0, 0.0, 0.0)
_LOOKING_EDGE_S = 0.7
_MAX_ZOOM_LOG = 0.2


class Motion:
    """The movements of one script.

    Parameters
    ----------
    script
        The activities; its seed draws stations, gaze shifts and head noise.
    """

    def __init__(self, script: Script) -> None:
        rng = np.random.default_rng([script.seed, 2])
        self._blocks = script.blocks
        self._starts_s = [block.start_s for block in script.blocks]
        self._noise_hz = rng.uniform(0.15, 2.2, (4, 6))
        self._noise_phase = rng.uniform(0, 2 * math.pi, (4, 6))
        scale = np.array([0.010, 0.008, 0.45, 0.006])[:, None] * rng.uniform(0.7, 1.3)
        self._noise_size = scale * rng.uniform(0.3, 0.8, (4, 6)) / np.sqrt(self._noise_hz * 2)
        self._stations: list[tuple[float, float]] = [(0.0, 0.0)]
        for index in range(1, len(self._blocks)):
            angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.6)
            x, y = self._end_of(index - 1)
            self._stations.append((x + far * math.cos(angle), y + far * math.sin(angle)))
        self._gazes = [_gaze_shifts(block, rng) for block in self._blocks]

    def camera(self, time_s: float) -> CameraPose:
        """Return the camera's pose at ``time_s`` seconds."""
        index = self.block_index(time_s)
        block = self._blocks[index]
        if block.activity == "looking":
            offset = _gaze(self._gazes[index], time_s)
        else:
            offset = _CAMERA[block.activity](block, *_cycle(block, time_s), time_s)
        size = block.amplitude * _presence(block, time_s)
        x, y = self._base(index, time_s)
        phases = 2 * math.pi * self._noise_hz * time_s + self._noise_phase
        noise = (self._noise_size * np.sin(phases)).sum(axis=1)
        zoom_log = min(size * offset[3] + float(noise[3]), _MAX_ZOOM_LOG)
        return CameraPose(
            x + size * offset[0] + float(noise[0]),
            y + size * offset[1] + float(noise[1]),
            size * offset[2] + float(noise[2]),
            math.exp(max(zoom_log, -_MAX_ZOOM_LOG)),
        )

    def tool(self, time_s: float) -> tuple[str, ToolPose]:
        """Return the activity at ``time_s`` and its tool's pose; between blocks it leaves below."""
        block = self._blocks[self.block_index(time_s)]
        move = _TOOL.get(block.activity)
        offset = _STILL if move is None else move(block, *_cycle(block, time_s), time_s)
        presence = _presence(block, time_s)
        size = block.amplitude * presence
        return block.activity, ToolPose(
            size * offset[0],
            0.08 + size * offset[1] + 0.75 * (1 - presence),
            size * offset[2],
            math.exp(size * offset[3]),
        )

    def block_index(self, time_s: float) -> int:
        """Return the number of the block that holds ``time_s``."""
        return max(0, bisect_right(self._starts_s, time_s) - 1)

    def _end_of(self, index: int) -> tuple[float, float]:
        """Return where the camera's station has travelled to when a block ends."""
        block, (x, y) = self._blocks[index], self._stations[index]
        return x, y + _travel(block, block.stop_s)

    def _base(self, index: int, time_s: float) -> tuple[float, float]:
        """Return the station, reached smoothly during the block's approach."""
        block, (x, y) = self._blocks[index], self._stations[index]
        if index > 0:
            rise = _smooth((time_s - block.start_s) / (_work_s(block)[0] - block.start_s))
            from_x, from_y = self._end_of(index - 1)
            x, y = from_x + (x - from_x) * rise, from_y + (y - from_y) * rise
        return x, y + _travel(block, time_s)


def _smooth(share: float) -> float:
    """Rise from 0 to 1 without a jerk at either end."""
    share = min(max(share, 0.0), 1.0)
    return share * share * share * (10 - 15 * share + 6 * share * share)


def _work_s(block: Block) -> tuple[float, float]:
    """Return when the approach ends and when the settling begins."""
    if block.cycle_s:
        return block.cycle_s[0], block.cycle_s[-1]
    edge_s = min(_LOOKING_EDGE_S, (block.stop_s - block.start_s) / 3)
    return block.start_s + edge_s, block.stop_s - edge_s


def _presence(block: Block, time_s: float) -> float:
    """Return how much of the activity's motion there is: 0 at the block's ends, 1 inside."""
    from_s, to_s = _work_s(block)
    rise = _smooth((time_s - block.start_s) / max(from_s - block.start_s, 1e-9))
    fall = _smooth((block.stop_s - time_s) / max(block.stop_s - to_s, 1e-9))
    return min(rise, fall)


def _cycle(block: Block, time_s: float) -> tuple[int, float]:
    """Return the number of completed cycles and the phase in [0, 1) of the current one."""
    count = bisect_right(block.cycle_s, time_s) - 1
    if count < 0:
        return 0, 0.0
    if count >= len(block.cycle_s) - 1:
        return len(block.cycle_s) - 1, 0.0
    begin_s, end_s = block.cycle_s[count], block.cycle_s[count + 1]
    return count, (time_s - begin_s) / (end_s - begin_s)


def _between(phase: float, keys: tuple[tuple[float, float], ...]) -> float:
    """Move smoothly between key values ``(phase, value)``; the first phase is 0, the last 1."""
    for (from_phase, from_value), (to_phase, to_value) in pairwise(keys):
        if phase <= to_phase:
            share = (phase - from_phase) / (to_phase - from_phase)
            return from_value + (to_value - from_value) * _smooth(share)
    return keys[-1][1]


def _lift(phase: float) -> float:
    """Raise, hold, strike ever faster: 0 at the strike, 1 with the hammer up."""
    if phase < 0.62:
        return _smooth(phase / 0.55)
    return 1 - math.pow((phase - 0.62) / 0.38, 2.5)


def _hammering_tool(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    lift = _lift(phase)
    return (0.03 * lift, -0.30 * lift, 34 * lift, 0.22 * lift)


def _hammering_camera(block: Block, count: int, phase: float, time_s: float) -> _Offset:
    since_s = time_s - block.cycle_s[count] if count else 0.0
    recoil = math.exp(-since_s / 0.11) * math.sin(2 * math.pi * 4.5 * since_s)
    lift = _lift(phase)
    return (0.0, -0.022 * lift + 0.045 * recoil, 0.5 * recoil, 0.012 * lift + 0.02 * recoil)


def _spreading_tool(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    side = math.sin(2 * math.pi * phase)
    return (0.30 * side, 0.05 * math.cos(4 * math.pi * phase), 16 * side, 0.0)


def _spreading_camera(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    side = math.sin(2 * math.pi * (phase - 0.12))
    return (0.085 * side, 0.0, 1.2 * side, 0.0)


def _sawing_tool(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    push = -math.cos(2 * math.pi * phase)
    return (-0.13 * push, -0.13 * push, 2 * push, -0.08 * push)


def _sawing_camera(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    push = -math.cos(2 * math.pi * (phase - 0.04))
    return (-0.018 * push, -0.026 * push, 1.5 * push, 0.014 * push)


_SWING = ((0.0, 1.0), (0.28, 0.0), (0.62, 0.0), (1.0, 1.0))
_THRUST = ((0.0, 0.0), (0.24, 0.0), (0.40, 1.0), (0.62, -0.35), (1.0, 0.0))


def _shovelling_tool(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    swing, thrust = _between(phase, _SWING), _between(phase, _THRUST)
    return (-0.34 * swing + 0.05, -0.20 * thrust - 0.12 * swing, -38 * swing, -0.15 * thrust)


def _shovelling_camera(_block: Block, _count: int, phase: float, _time_s: float) -> _Offset:
    swing, thrust = _between(phase, _SWING), _between(phase, _THRUST)
    return (-0.34 * swing, 0.07 * thrust - 0.05 * swing, -4.5 * swing, 0.06 * thrust)


def _walking_tool(_block: Block, count: int, phase: float, _time_s: float) -> _Offset:
    sway = math.sin(math.pi * (count % 2 + phase))
    return (0.10 * sway, -0.02 * math.cos(2 * math.pi * phase), 6 * sway, 0.0)


def _walking_camera(_block: Block, count: int, phase: float, _time_s: float) -> _Offset:
    sway = math.sin(math.pi * (count % 2 + phase))
    bob = -math.cos(2 * math.pi * phase) - 0.3 * math.cos(4 * math.pi * phase)
    return (0.030 * sway, 0.026 * bob, 1.3 * sway, 0.004 * bob)


def _travel(block: Block, time_s: float) -> float:
    """Return how far the walker has come, in frame heights: the ground runs towards the viewer."""
    if block.activity != "walking":
        return 0.0
    (from_s, to_s), ramp_s = _work_s(block), 0.6
    speed = 0.55 * block.amplitude
    length_s = max(to_s - from_s, 2 * ramp_s)
    spent_s = min(max(time_s - from_s, 0.0), length_s)
    if spent_s < ramp_s:
        even_s = spent_s**2 / (2 * ramp_s)
    elif spent_s > length_s - ramp_s:
        even_s = length_s - ramp_s - (length_s - spent_s) ** 2 / (2 * ramp_s)
    else:
        even_s = spent_s - ramp_s / 2
    return -speed * even_s


_Shift = tuple[float, float, _Offset]


def _gaze_shifts(block: Block, rng: np.random.Generator) -> list[_Shift]:
    """Draw the gaze shifts of a looking block: when each starts, how long it takes, and to where.

    The pauses have no rhythm: their lengths are spread evenly over a factor of seven.
    """
    shifts: list[_Shift] = []
    if block.activity != "looking":
        return shifts
    time_s = block.start_s + 0.2
    while time_s < block.stop_s:
        x, y = rng.normal(0, 0.30), rng.normal(0, 0.14)
        target = (float(x), float(y), float(rng.normal(0, 3.0)), float(rng.normal(0, 0.05)))
        shifts.append((time_s, rng.uniform(0.35, 0.9), target))
        time_s += shifts[-1][1] + 0.25 * 7 ** rng.uniform()
    return shifts


def _gaze(shifts: list[_Shift], time_s: float) -> _Offset:
    """Return where the gaze is: on its way from one target to the next."""
    here = np.zeros(4)
    for start_s, length_s, target in shifts:
        if time_s < start_s:
            break
        here += (np.array(target) - here) * _smooth((time_s - start_s) / length_s)
    return (float(here[0]), float(here[1]), float(here[2]), float(here[3]))


_Move = Callable[[Block, int, float, float], _Offset]

_CAMERA: dict[str, _Move] = {
    "hammering": _hammering_camera,
    "spreading": _spreading_camera,
    "sawing": _sawing_camera,
    "shovelling": _shovelling_camera,
    "walking": _walking_camera,
}
_TOOL: dict[str, _Move] = {
    "hammering": _hammering_tool,
    "spreading": _spreading_tool,
    "sawing": _sawing_tool,
    "shovelling": _shovelling_tool,
    "walking": _walking_tool,
}
