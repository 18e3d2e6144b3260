"""Choosing frames: by their time stamps, and by whether they show anything new."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import cv2

from offhand.records import ByteArray

SHARE = 0.74
"""Share of the wanted spacing that must have passed: a little below 3/4, as 20 and 60 frames/s lie
just there for a rate of 15, and rounded time stamps would fall to either side of it in turn."""

REPEAT_SHARE = 0.15
"""A picture that changes by less than this share of the usual change repeats the one before."""

N_CHANGES = 8
"""Latest changes from which the usual one is known, so that a real stillness soon counts."""

MOVING_LEVELS = 1.0
"""Usual change, in grey levels, from which the scene moves; less is the coding's noise."""


class RateLimit:
    """Choose frames so that a rate is not exceeded, evenly where the source is even.

    A frame is taken when about 3/4 of the wanted spacing has passed since the last one taken.
    So a constant source is thinned by a whole number (30 to 15, 25 to 12.5 frames/s), never in an
    alternating pattern, and a source at most a third above the rate is left alone.

    Parameters
    ----------
    rate_hz
        Wanted rate; ``None`` takes every frame.
    """

    def __init__(self, rate_hz: float | None) -> None:
        self._spacing_s = 0.0 if rate_hz is None else SHARE / rate_hz
        self._last_s = float("-inf")

    def takes(self, time_s: float) -> bool:
        """Tell whether to take the frame at ``time_s``; times must increase from call to call."""
        if time_s - self._last_s < self._spacing_s:
            return False
        self._last_s = time_s
        return True


class RepeatFinder:
    """Find pictures that repeat the one before them while the scene moves.

    A conversion to a higher frame rate (24 or 25 to 30 frames/s) repeats pictures, and so does a
    camera that cannot keep up. Their time stamps are those of other moments: speeds measured from
    them jump between zero and double. In a recording that really stands still nothing is a repeat.
    """

    def __init__(self) -> None:
        self._before: ByteArray | None = None
        self._changes: deque[float] = deque(maxlen=N_CHANGES)

    def repeats(self, picture: ByteArray) -> bool:
        """Tell whether the next picture, small and grey ``(height, width)``, is a repeat."""
        before, self._before = self._before, picture
        if before is None:
            return False
        change = cv2.norm(picture, before, cv2.NORM_L1) / picture.size
        self._changes.append(change)
        usual = _upper_quartile(self._changes)
        return usual > MOVING_LEVELS and change < REPEAT_SHARE * usual


def _upper_quartile(values: Iterable[float]) -> float:
    """Return the 75 % quantile, interpolated; NumPy's takes longer than scaling a frame."""
    ordered = sorted(values)
    place = 0.75 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
