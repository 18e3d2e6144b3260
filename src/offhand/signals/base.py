"""The contract of a signal, and finding the installed ones.

A signal is found through the entry-point group ``offhand.signals``. Its extractor is a frozen
keyword-only dataclass whose fields are its configuration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import ClassVar, Protocol

import cv2
import numpy as np

from offhand.errors import SignalError
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, FrameRequest, Signal

AUTO = "auto"
"""Value of the option ``model`` that leaves the choice to what is on the machine: the first of the
class attribute ``models`` (names of weights, the best first, the embedded default last)."""


class SignalState(Protocol):
    """The running computation of one signal on one clip; its memory must not grow."""

    def update(self, block: FrameBlock) -> Iterable[Signal]:
        """Take the next frames; return the chunks that are finished, if any."""
        ...

    def finish(self) -> Iterable[Signal]:
        """Return the remaining chunks. At least one chunk must have come by then."""
        ...


class EveryBlock(ABC):
    """A state in which every block of frames becomes a chunk.

    Attributes
    ----------
    purpose
        What frames are for, as in "no frame to embed".
    """

    purpose: ClassVar[str]
    _emitted = False

    @abstractmethod
    def measured(self, block: FrameBlock) -> Signal:
        """Return the chunk of a block."""

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Yield the chunk of a block."""
        chunk = self.measured(block)
        self._emitted = True
        yield chunk

    def finish(self) -> Iterator[Signal]:
        """Yield nothing; SignalError where there was no frame."""
        if not self._emitted:
            raise SignalError(f"no frame to {self.purpose}")
        yield from ()


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


Host = Callable[[SignalExtractor, Clip], SignalState]
"""Begins a clip in the place of :meth:`SignalExtractor.start`: in this process, or where a model is
held for several processes. The chunks of its states are those of the extractor's own."""


class Mask:
    """The user's mask of a clip: its black pixels are left out of every signal.

    Parameters
    ----------
    clip
        The clip, which need not have a mask.

    Raises
    ------
    SignalError
        The mask cannot be read as an image.
    """

    def __init__(self, clip: Clip) -> None:
        self._grey: ByteArray | None = None
        if clip.mask_path is not None:
            grey = cv2.imread(clip.mask_path, cv2.IMREAD_GRAYSCALE)
            if grey is None:
                raise SignalError(
                    f"{clip.mask_path}: the mask cannot be read as an image (PNG or JPEG)"
                )
            self._grey = np.asarray(grey, dtype=np.uint8)

    def __bool__(self) -> bool:
        return self._grey is not None

    def share(self, height: int, width: int) -> FloatArray:
        """Return how much of each pixel ``(height, width)`` is left, 0..1; ones without a mask."""
        if self._grey is None:
            return np.ones((height, width))
        small = cv2.resize(self._grey, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float64) / 255.0

    def blacken(self, images: ByteArray) -> ByteArray:
        """Return images ``(n, height, width, 3)`` with black where the mask is black."""
        if self._grey is None:
            return images
        kept = self.share(*images.shape[1:3]) > 0.5
        return np.where(kept[None, :, :, None], images, np.uint8(0))


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
