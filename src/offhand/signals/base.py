"""The contract of a signal, and finding the installed ones.

A signal is found through the entry-point group ``offhand.signals``. Its extractor is a frozen
keyword-only dataclass whose fields are its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import ClassVar, Protocol

import numpy as np

from offhand.records import Clip, FrameBlock, FrameRequest, Signal


class SignalState(Protocol):
    """The running computation of one signal on one clip; its memory must not grow."""

    def update(self, block: FrameBlock) -> Iterable[Signal]:
        """Take the next frames; return the chunks that are finished, if any."""
        ...

    def finish(self) -> Iterable[Signal]:
        """Return the remaining chunks. At least one chunk must have come by then."""
        ...


class SignalExtractor(Protocol):
    """One kind of measurement and its configuration."""

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    def request(self) -> FrameRequest:
        """The frames it needs."""
        ...

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the model weights it needs, as in :mod:`offhand.weights`; often none."""
        ...

    def start(self, clip: Clip) -> SignalState:
        """Begin a clip."""
        ...


def installed() -> dict[str, type[SignalExtractor]]:
    """Return the extractor class of every installed signal, in order of name."""
    found = sorted(entry_points(group="offhand.signals"), key=lambda point: point.name)
    return {point.name: point.load() for point in found}


def join(chunks: Iterable[Signal]) -> Signal:
    """Join the consecutive chunks of one signal; later notes win over earlier ones."""
    parts = list(chunks)
    if not parts:
        raise ValueError("no chunk to join")
    notes: dict[str, str] = {}
    for part in parts:
        notes.update(part.notes)
    return Signal(
        name=parts[0].name,
        time_s=np.concatenate([part.time_s for part in parts]),
        channels=parts[0].channels,
        values=np.concatenate([part.values for part in parts]),
        notes=notes,
    )
