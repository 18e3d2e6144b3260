"""Counting in a whole clip: stretch by stretch, joined where a bout goes on over a boundary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from offhand.records import LevelArray, LongSignal, Segments, Signal, option
from offhand.rhythm.repetitions import Repetitions, count_repetitions
from offhand.rhythm.resample import MARGIN_S, to_uniform
from offhand.rhythm.seed import SeedCount, seed_count
from offhand.rhythm.selfsimilarity import in_levels, self_similarity, thinned
from offhand.rhythm.witnesses import RATE_HZ, contrast, from_signals

SIGNALS, OPTIONAL_SIGNALS = ("motion", "picture"), ("pose",)
"""The signals that counting reads, and those it reads where they were measured."""

WATCHING = 0.6
"""Speed of the camera, relative to all motion, below which it stands and watches the worker."""

JOINED_PERIODS = 1.5
"""Gap, in periods, that two bouts of like period may leave at a boundary and still be one."""

LIKE_PERIOD = 0.15
"""By how much their periods may differ."""

LONGEST_STRETCH_S = 300.0
"""A longer stretch is counted in parts, so that memory does not grow with the clip."""

SURE = 0.9
"""Confidence that a bout needs that is seen only when the two sides of a boundary are joined."""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How repetitions are counted.

    Attributes
    ----------
    min_confidence
        Below, a count is refused.
    seed_tolerance
        By how much the two periods of the seed's rule may differ.
    """

    name: ClassVar[str] = "repetitions"
    version: ClassVar[int] = 4

    min_confidence: float = option(
        0.5, "confidence below which a count is refused, 0 to 1: higher gives fewer, surer counts"
    )
    seed_tolerance: float = option(
        0.3, "by how much, relative to the longer, the two periods of the seed's rule may differ"
    )

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence is {self.min_confidence}, must lie in 0..1")
        if not 0 <= self.seed_tolerance < 1:
            raise ValueError(
                f"seed_tolerance is {self.seed_tolerance}, must lie from 0 up to below 1"
            )


@dataclass(frozen=True, kw_only=True)
class SegmentRhythm:
    """What is known of the repetitions in one segment.

    Attributes
    ----------
    seed
        What the rule that the project began with says.
    similarity
        ``(m, m)`` self-similarity of its pictures, in hundredths.
    step_s
        Time from one row of it to the next.
    """

    seed: SeedCount
    similarity: LevelArray
    step_s: float


@dataclass(frozen=True, kw_only=True)
class ClipCount:
    """The repetitions of a clip.

    Attributes
    ----------
    bouts
        In order of time, in seconds of the recording; refused ones too.
    """

    bouts: tuple[Repetitions, ...]

    @property
    def total(self) -> int | None:
        """Number of repetitions in the accepted bouts, ``None`` where there is none."""
        counts = [bout.count for bout in self.bouts if bout.accepted]
        return sum(counts) if counts else None


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """A part of a clip that was counted as a whole."""

    start_s: float
    stop_s: float
    bouts: list[Repetitions]


def count_clip(
    signals: Mapping[str, LongSignal], stretches: Segments, *, options: Counting | None = None
) -> ClipCount:
    """Count the repetitions of a clip.

    Parameters
    ----------
    signals
        ``motion`` and ``picture``; ``pose`` where it was measured.
    stretches
        Where bouts are looked for inside, and joined over a boundary where the same movement goes
        on.
    options
        ``None`` for defaults.
    """
    options = options or Counting()
    rising = is_watched(signals["motion"])
    steps = np.diff(np.concatenate([part.time_s for part in signals["motion"].parts()]))
    frame_rate = 1 / float(np.median(steps)) if len(steps) else np.nan

    def counted(start_s: float, stop_s: float) -> list[Repetitions]:
        found = count_repetitions(
            from_signals(_near(signals, start_s, stop_s), start_s=start_s, stop_s=stop_s),
            frame_rate=frame_rate,
            rising=rising,
            min_confidence=options.min_confidence,
        )
        return [bout.shifted(start_s) for bout in found]

    done: list[_Stretch] = []
    for start_s, stop_s in _parts(stretches):
        stretch = _Stretch(start_s=start_s, stop_s=stop_s, bouts=counted(start_s, stop_s))
        while done and _may_go_on(done[-1], stretch):
            before = done[-1]
            together = counted(before.start_s, stretch.stop_s)
            if not _is_better(together, before, stretch):
                break
            done.pop()
            stretch = _Stretch(start_s=before.start_s, stop_s=stretch.stop_s, bouts=together)
        done.append(stretch)
    return ClipCount(bouts=tuple(bout for stretch in done for bout in stretch.bouts))


def segment_rhythms(
    signals: Mapping[str, LongSignal], segments: Segments, *, options: Counting | None = None
) -> Iterator[SegmentRhythm]:
    """Yield what is known of the repetitions in each segment, one after the other.

    Parameters
    ----------
    signals
        ``motion`` and ``picture``.
    segments
        What the clip was cut into.
    options
        ``None`` for defaults.
    """
    tolerance = (options or Counting()).seed_tolerance
    for start, stop in zip(segments.start_s.tolist(), segments.stop_s.tolist(), strict=True):
        yield _segment(signals, start_s=start, stop_s=stop, tolerance=tolerance)


def is_watched(motion: LongSignal) -> bool:
    """Tell whether the camera stands and watches the worker, rather than being worn."""
    of_camera = of_all = 0.0
    for part in motion.parts():
        camera, all_motion = part.channel("camera_speed"), part.channel("flow_speed")
        known = ~np.isnan(camera) & ~np.isnan(all_motion)
        of_camera += float(camera[known].sum())
        of_all += float(all_motion[known].sum())
    return of_camera < WATCHING * of_all


def _parts(segments: Segments) -> list[tuple[float, float]]:
    """Return the segments, longer ones in equal parts."""
    parts = []
    for start_s, stop_s in zip(segments.start_s.tolist(), segments.stop_s.tolist(), strict=True):
        number = int(np.ceil((stop_s - start_s) / LONGEST_STRETCH_S))
        edges = np.linspace(start_s, stop_s, max(1, number) + 1).tolist()
        parts += list(pairwise(edges))
    return parts


def _may_go_on(before: _Stretch, after: _Stretch) -> bool:
    """Tell whether a bout may go on over the boundary between two stretches.

    It may where bouts of like period meet there, and where nothing is counted on either side: a
    boundary amid slow repetitions leaves too few of them in each part.
    """
    if after.stop_s - before.start_s > LONGEST_STRETCH_S:
        return False
    if not _trusted(before.bouts) and not _trusted(after.bouts):
        return True
    one, other = before.bouts[-1], after.bouts[0]
    longer = max(one.period_s, other.period_s)
    return bool(
        abs(one.period_s - other.period_s) <= LIKE_PERIOD * longer
        and other.start_s - one.stop_s <= JOINED_PERIODS * longer
    )


def _is_better(together: list[Repetitions], before: _Stretch, after: _Stretch) -> bool:
    """Tell whether more is counted together, in a bout across the boundary."""
    apart = _trusted(before.bouts) + _trusted(after.bouts)
    across = [
        bout.confidence
        for bout in together
        if bout.accepted and bout.start_s < after.start_s < bout.stop_s
    ]
    return bool(across) and _trusted(together) > apart and (apart > 0 or max(across) >= SURE)


def _trusted(bouts: list[Repetitions]) -> int:
    """Return the number of repetitions in the accepted bouts."""
    return sum(bout.count for bout in bouts if bout.accepted)


def _near(signals: Mapping[str, LongSignal], start_s: float, stop_s: float) -> dict[str, Signal]:
    """Return what resampling a stretch looks at."""
    span = start_s - MARGIN_S, stop_s + MARGIN_S
    return {name: signal.between(*span) for name, signal in signals.items()}


def _segment(
    signals: Mapping[str, LongSignal], *, start_s: float, stop_s: float, tolerance: float
) -> SegmentRhythm:
    """Apply the seed's rule; the pictures of a long segment are thinned part by part."""
    parts = max(1, int(np.ceil((stop_s - start_s) / LONGEST_STRETCH_S)))
    samples = int(np.ceil((stop_s - start_s) * RATE_HZ / parts))
    contrasts, speeds = [], []
    for part in range(parts):
        span = {
            "rate_hz": RATE_HZ,
            "start_s": start_s + part * samples / RATE_HZ,
            "stop_s": min(stop_s, start_s + (part + 1) * samples / RATE_HZ),
        }
        near = _near(signals, span["start_s"], span["stop_s"])
        motion, picture = near["motion"], near["picture"]
        _, pictures = to_uniform(picture.time_s, picture.values, **span)
        _, speed = to_uniform(motion.time_s, motion.channel("flow_speed")[:, None], **span)
        contrasts.append(contrast(pictures)[-part * samples % parts :: parts])
        speeds.append(speed[:, 0])
    few = np.concatenate(contrasts)
    fewer, step = thinned(few)
    return SegmentRhythm(
        seed=seed_count(
            few, np.concatenate(speeds), rate_hz=RATE_HZ, step=parts, tolerance=tolerance
        ),
        similarity=in_levels(self_similarity(fewer)),
        step_s=step * parts / RATE_HZ,
    )
