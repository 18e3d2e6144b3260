"""The picture itself, very small: what it shows repeats even where nothing can be tracked.

Sixteen by sixteen grey pixels are too few to recognise anybody and enough to see a stroke come
and go. The signal asks for the same frames as ``motion``, so they are scaled once for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offhand.records import Clip, FrameBlock, FrameRequest, Signal, option
from offhand.signals.areas import AreaMeans
from offhand.signals.base import Mask

SIDE_PX = 16
"""Pixels along each side, whatever the shape of the frame."""

SHORT_SIDE_PX = 160
"""Shorter side of the images that the fields are averaged over; as motion's."""

CHANNELS = tuple(f"pixel_{row}_{column}" for row in range(SIDE_PX) for column in range(SIDE_PX))
"""Grey levels 0..255, row by row."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Whole grey levels of each frame, averaged over the fields of a coarse grid.

    Attributes
    ----------
    rate_hz
        Sampling rate wanted.
    """

    name: ClassVar[str] = "picture"
    version: ClassVar[int] = 4

    rate_hz: float = option(15.0, "sampling rate wanted; as motion's, so that frames are shared")

    def __post_init__(self) -> None:
        if not self.rate_hz > 0:
            raise ValueError(f"rate_hz is {self.rate_hz}, must be positive")

    @property
    def request(self) -> FrameRequest:
        """Grey frames at the sampling rate."""
        return FrameRequest(rate_hz=self.rate_hz, short_side_px=SHORT_SIDE_PX, colour="grey")

    @property
    def weights(self) -> tuple[str, ...]:
        """None: no model is involved."""
        return ()

    def start(self, clip: Clip) -> PictureState:
        """Begin a clip.

        Raises
        ------
        SignalError
            The clip's mask image cannot be read.
        """
        return PictureState(clip)


class PictureState:
    """The running computation on one clip."""

    def __init__(self, clip: Clip) -> None:
        self._mask = Mask(clip)
        self._means: AreaMeans | None = None

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Shrink the next frames."""
        shape = block.images.shape[1:3]
        self._means = self._means or AreaMeans(shape, (SIDE_PX, SIDE_PX))
        share = self._mask.share(*shape) if self._mask else None
        small = [self._means(image if share is None else image * share) for image in block.images]
        values = np.rint(small).astype(np.float64).reshape(len(small), -1)
        yield Signal(name=Picture.name, time_s=block.time_s, channels=CHANNELS, values=values)

    def finish(self) -> Iterator[Signal]:
        """Return an empty chunk where there was no frame."""
        if self._means is None:
            yield Signal(
                name=Picture.name,
                time_s=np.empty(0),
                channels=CHANNELS,
                values=np.empty((0, len(CHANNELS))),
            )
