"""Choosing frames by their time stamps."""

from __future__ import annotations

SHARE = 0.74
"""Share of the wanted spacing that must have passed: a little below 3/4, as 20 and 60 frames/s lie
just there for a rate of 15, and rounded time stamps would fall to either side of it in turn."""


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
