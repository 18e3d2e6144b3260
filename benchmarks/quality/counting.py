"""What was counted in a clip, and by the seed's rule, in the form that is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from offhand.evaluation.counting import Bout
from offhand.records import LongSignal, Segments
from offhand.rhythm.counting import segment_rhythms
from offhand.rhythm.repetitions import Repetitions


def ours(bouts: Sequence[Repetitions], *, least_confidence: float = 0.0) -> list[Bout]:
    """Return the accepted bouts."""
    return [
        Bout(
            start_s=bout.start_s,
            stop_s=bout.stop_s,
            rep_times_s=bout.rep_times_s,
            confidence=bout.confidence,
        )
        for bout in bouts
        if bout.accepted and bout.confidence >= least_confidence
    ]


def seeds(signals: Mapping[str, LongSignal], segments: Segments) -> list[Bout]:
    """Return what the seed's rule counts: whole segments, repetitions spread evenly."""
    found, rhythms = [], segment_rhythms(signals, segments)
    for one, start, stop in zip(rhythms, segments.start_s, segments.stop_s, strict=True):
        if one.seed.accepted:
            times = start + (np.arange(one.seed.count) + 0.5) * (stop - start) / one.seed.count
            found.append(
                Bout(start_s=float(start), stop_s=float(stop), rep_times_s=times, confidence=1.0)
            )
    return found
