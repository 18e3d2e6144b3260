"""The contract of a segmentation. All modalities share one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from offhand.records import Segments, Signal


class Segmenter(Protocol):
    """One way to cut a clip: a frozen dataclass whose fields are its configuration."""

    name: ClassVar[str]
    version: ClassVar[int]
    signals: ClassVar[tuple[str, ...]]

    def cut(
        self, clip_id: str, signals: Mapping[str, Signal], *, start_s: float, stop_s: float
    ) -> Segments:
        """Cut ``[start_s, stop_s)`` of a clip into segments that tile it."""
        ...
