"""The script of a synthetic clip: which activity when, and every repetition. It is the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

PERIODS_S = {
    "hammering": 0.7,
    "spreading": 1.5,
    "sawing": 1.0,
    "shovelling": 2.6,
    "walking": 0.55,
    "looking": math.nan,
}
"""Usual cycle time of each activity, in seconds; NaN for the one that does not repeat."""

SIZE_PX = (320, 240)
"""Width and height of a clip unless the caller says otherwise."""

RATE = Fraction(15)
"""Frames per second of a clip unless the caller says otherwise."""

_BLOCK_S = (5.0, 10.0)
_LAST_S = 7.0
_LEAST_CYCLES = 3
_APPROACH_S = (0.5, 1.0)
_SETTLE_S = 0.35
_PERIOD_JITTER = 0.05


@dataclass(frozen=True, kw_only=True)
class Block:
    """One activity, carried out without a break.

    Attributes
    ----------
    activity
        A key of ``PERIODS_S``.
    start_s, stop_s
        The interval ``[start_s, stop_s)`` of the clip.
    cycle_s
        Ends of the cycles, increasing: the first one's beginning, then the completion of each.
        Empty where the activity does not repeat.
    amplitude
        Size of the motion relative to the activity's usual one.
    """

    activity: str
    start_s: float
    stop_s: float
    cycle_s: tuple[float, ...] = ()
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        if self.activity not in PERIODS_S:
            raise ValueError(f"no activity {self.activity!r}; there are {', '.join(PERIODS_S)}")
        if not 0 <= self.start_s < self.stop_s:
            raise ValueError(f"a block cannot span [{self.start_s}, {self.stop_s}) s")
        if len(self.cycle_s) == 1:
            raise ValueError("cycle_s has one entry; a cycle has a beginning and an end")
        edges = (self.start_s, *self.cycle_s, self.stop_s)
        if any(a > b for a, b in pairwise(edges)) or any(a == b for a, b in pairwise(self.cycle_s)):
            raise ValueError("cycle_s must increase and lie inside the block")

    @property
    def repetition_s(self) -> tuple[float, ...]:
        """Completion time of each repetition, in seconds."""
        return self.cycle_s[1:]

    @property
    def period_s(self) -> float:
        """Mean length of a repetition in seconds, NaN where there is none."""
        if not self.cycle_s:
            return math.nan
        return (self.cycle_s[-1] - self.cycle_s[0]) / (len(self.cycle_s) - 1)


@dataclass(frozen=True, kw_only=True)
class Script:
    """What happens in a synthetic clip, and how its picture is laid out.

    Attributes
    ----------
    clip
        Name of the clip.
    blocks
        The activities; they tile the clip from time zero.
    size_px
        Width and height of a frame.
    rate
        Frames per second.
    seed
        Decides what the clip looks like and everything else that is random in it.
    """

    clip: str
    blocks: tuple[Block, ...]
    size_px: tuple[int, int] = SIZE_PX
    rate: Fraction = RATE
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.clip:
            raise ValueError("clip is empty")
        if not self.blocks:
            raise ValueError("a script needs at least one block")
        if min(self.size_px) < 32:
            raise ValueError(f"size_px is {self.size_px}, each side must be at least 32")
        if self.rate <= 0:
            raise ValueError(f"rate is {self.rate}, must be positive")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}, must be at least 0")
        gap = any(a.stop_s != b.start_s for a, b in pairwise(self.blocks))
        if gap or self.blocks[0].start_s != 0:
            raise ValueError("the blocks must tile the clip from time zero")

    @property
    def duration_s(self) -> float:
        """Length of the clip in seconds."""
        return self.blocks[-1].stop_s

    @property
    def n_frames(self) -> int:
        """Number of frames of the clip at its constant rate."""
        return math.ceil(Fraction(self.duration_s).limit_denominator(10**6) * self.rate)

    def frame_times_s(self) -> Iterator[float]:
        """Yield the presentation time of each frame at the constant rate."""
        for index in range(self.n_frames):
            yield index * self.rate.denominator / self.rate.numerator


def write_script(
    seed: int,
    *,
    clip: str = "synthetic",
    duration_s: float = 60.0,
    size_px: tuple[int, int] = SIZE_PX,
    rate: Fraction = RATE,
    activities: Sequence[str] = tuple(PERIODS_S),
) -> Script:
    """Write a random chain of activities that tiles a clip.

    Every activity comes up once, in random order, before one comes up again; neighbours differ.
    A block lasts about 5 to 10 s and holds at least three repetitions; the last one lasts until the
    clip's end. A clip has its own tempo; each repetition's length is jittered by 5 %. A block
    begins with an approach of 0.5 to 1 s.

    Parameters
    ----------
    seed
        At least 0; the same seed gives the same script.
    clip
        Name of the clip.
    duration_s
        Length of the clip in seconds, at least 5.
    size_px
        Width and height of a frame, each at least 32.
    rate
        Frames per second.
    activities
        Keys of ``PERIODS_S`` to choose from. A single one fills the clip with one block.

    Raises
    ------
    ValueError
        An unknown activity, none at all or one named twice, or a value out of its range.
    """
    if not 5.0 <= duration_s < math.inf:
        raise ValueError(f"duration_s is {duration_s}, must be at least 5 and finite")
    unknown = [name for name in activities if name not in PERIODS_S]
    if unknown or not activities or len(set(activities)) != len(activities):
        raise ValueError(
            f"activities are {list(activities)}, must be different ones of {', '.join(PERIODS_S)}"
        )
    if seed < 0:
        raise ValueError(f"seed is {seed}, must be at least 0")
    rng = np.random.default_rng([seed, 1])
    tempo = rng.uniform(0.88, 1.14)
    chain = _chain(activities, rng)
    blocks: list[Block] = []
    start_s = 0.0
    last = False
    while not last:
        activity = next(chain)
        stop_s = start_s + rng.uniform(*_BLOCK_S)
        if not math.isnan(PERIODS_S[activity]):
            least_s = _APPROACH_S[1] + (_LEAST_CYCLES + 0.5) * PERIODS_S[activity] * tempo
            stop_s = max(stop_s, start_s + least_s)
        last = duration_s - stop_s < _LAST_S or len(activities) == 1
        block = _block(activity, start_s, duration_s if last else stop_s, tempo, rng, last=last)
        blocks.append(block)
        start_s = block.stop_s
    return Script(clip=clip, blocks=tuple(blocks), size_px=size_px, rate=rate, seed=seed)


def _chain(activities: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    """Yield activities without end, shuffled round by round, neighbours different."""
    previous = None
    while True:
        deck = [activities[i] for i in rng.permutation(len(activities))]
        if deck[0] == previous and len(deck) > 1:
            deck.append(deck.pop(0))
        yield from deck
        previous = deck[-1]


def _block(
    activity: str,
    start_s: float,
    stop_s: float,
    tempo: float,
    rng: np.random.Generator,
    *,
    last: bool,
) -> Block:
    """Fill a block with as many cycles as fit; all but the last block stop soon after them."""
    amplitude = float(np.clip(rng.normal(1.0, 0.16), 0.6, 1.4))
    period_s = PERIODS_S[activity] * tempo * rng.uniform(0.95, 1.05)
    approach_s = rng.uniform(*_APPROACH_S)
    if math.isnan(period_s):
        return Block(activity=activity, start_s=start_s, stop_s=stop_s, amplitude=amplitude)
    cycle_s = [start_s + approach_s]
    while True:
        jitter = float(np.clip(rng.normal(1.0, _PERIOD_JITTER), 0.85, 1.15))
        end_s = cycle_s[-1] + period_s * jitter
        if end_s + _SETTLE_S > stop_s:
            break
        cycle_s.append(end_s)
    if not last:
        stop_s = cycle_s[-1] + _SETTLE_S
    return Block(
        activity=activity,
        start_s=start_s,
        stop_s=stop_s,
        cycle_s=tuple(cycle_s),
        amplitude=amplitude,
    )


def truth(script: Script) -> dict[str, Any]:
    """Return the script as plain data, ready for JSON, in the format of the rendered footage.

    Returns
    -------
    dict
        ``clip``, ``fps``, ``frames`` and ``blocks``; of each block ``activity``, ``start_s``,
        ``end_s``, ``period_s_mean`` (``None`` without repetitions), ``reps`` (completion times in
        seconds) and ``rep_count``. Times are rounded to a microsecond.
    """
    rate = script.rate
    return {
        "clip": script.clip,
        "fps": rate.numerator if rate.denominator == 1 else float(rate),
        "frames": script.n_frames,
        "blocks": [
            {
                "activity": block.activity,
                "start_s": round(block.start_s, 6),
                "end_s": round(block.stop_s, 6),
                "period_s_mean": round(block.period_s, 6) if block.cycle_s else None,
                "reps": [round(time_s, 6) for time_s in block.repetition_s],
                "rep_count": len(block.repetition_s),
            }
            for block in script.blocks
        ],
    }
