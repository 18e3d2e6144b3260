"""Windows of a fixed length: the baseline that says nothing about the clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offhand.records import Segments, Signal, option


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Equal windows, as near to the wanted length as tiles the clip.

    Attributes
    ----------
    length_s
        Wanted length of a window.
    """

    name: ClassVar[str] = "window"
    version: ClassVar[int] = 1
    signals: ClassVar[tuple[str, ...]] = ()

    length_s: float = option(5.0, "length of a window in seconds")

    def __post_init__(self) -> None:
        if not self.length_s > 0:
            raise ValueError(f"length_s is {self.length_s}, must be positive")

    def cut(
        self, clip_id: str, signals: Mapping[str, Signal], *, start_s: float, stop_s: float
    ) -> Segments:
        """Cut ``[start_s, stop_s)`` into windows; ``signals`` is not looked at."""
        del signals
        count = max(1, round((stop_s - start_s) / self.length_s))
        edges = np.linspace(start_s, stop_s, count + 1)
        return Segments(clip_id=clip_id, start_s=edges[:-1], stop_s=edges[1:])
