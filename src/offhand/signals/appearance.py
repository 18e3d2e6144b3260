"""What the picture looks like: one embedding a sampled frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from offhand.records import ByteArray, Clip, FrameBlock, FrameRequest, Signal, option
from offhand.signals.base import AUTO, EveryBlock, Mask
from offhand.weights import locate

EMBEDDED = "efficientnet_lite0"


class Embedder(Protocol):
    """A model that embeds images."""

    def embed(self, images: ByteArray) -> npt.NDArray[np.float32]:
        """Return embeddings ``(n, d)`` of images ``(n, height, width, 3)``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """Embeddings of single frames.

    The channels are ``e0000`` upwards: 1280 of EfficientNet-Lite0 (Tan and Le 2019,
    arXiv:1905.11946), 384 of DINOv2's small model (Oquab et al. 2023, arXiv:2304.07193).

    Attributes
    ----------
    rate_hz
        Sampling rate.
    model
        Name of weights, or the folder of a DINOv2 model.
    """

    name: ClassVar[str] = "appearance"
    version: ClassVar[int] = 2
    models: ClassVar[tuple[str, ...]] = ("dinov2_small", EMBEDDED)

    rate_hz: float = option(4.0, "sampling rate wanted, in frames per second")
    model: str = option(
        AUTO,
        "weights: dinov2_small, efficientnet_lite0, the folder of a DINOv2 model, or auto: the "
        "first of these that is on this machine",
    )

    def __post_init__(self) -> None:
        if not self.rate_hz > 0:
            raise ValueError(f"rate_hz is {self.rate_hz}, must be positive")
        if not self.model:
            raise ValueError("model is empty")

    @property
    def request(self) -> FrameRequest:
        """RGB frames at the sampling rate, large enough for either model."""
        return FrameRequest(rate_hz=self.rate_hz, short_side_px=256, colour="rgb")

    @property
    def weights(self) -> tuple[str, ...]:
        """The model's; those of the embedded default while the choice is open."""
        return (self.models[-1] if self.model == AUTO else self.model,)

    def start(self, clip: Clip) -> AppearanceState:
        """Begin a clip; the model is loaded once per process.

        Raises
        ------
        ValueError
            The model is still left open.
        WeightsMissing
            The weights, or the packages that run them, are not on this machine.
        WeightsError
            The weights are damaged, or of another model.
        SignalError
            The clip's mask image cannot be read.
        """
        if self.model == AUTO:
            raise ValueError(f"model is {AUTO!r}, must be chosen before a clip: {self.models}")
        folder = str(locate(self.model))
        embedder = _embedded(folder) if self.model == EMBEDDED else _dinov2(folder)
        return AppearanceState(embedder, Mask(clip), note=Path(self.model).name)


class AppearanceState(EveryBlock):
    """The running computation on one clip; every block of frames becomes a chunk.

    Parameters
    ----------
    model
        What embeds the frames.
    mask
        What of the frames is blackened.
    note
        Its name.
    """

    purpose = "embed"

    def __init__(self, model: Embedder, mask: Mask, *, note: str) -> None:
        self._model = model
        self._mask = mask
        self._note = note

    def measured(self, block: FrameBlock) -> Signal:
        """Embed frames ``(n, height, width, 3)``; return their chunk."""
        values = self._model.embed(self._mask.blacken(block.images)).astype(np.float64)
        return Signal(
            name=Appearance.name,
            time_s=block.time_s,
            channels=tuple(f"e{index:04d}" for index in range(values.shape[1])),
            values=values,
            notes={"model": self._note},
        )


@lru_cache(maxsize=1)
def _embedded(folder: str) -> Embedder:
    """Load the embedded default, or return the one that this process has loaded."""
    from offhand.models.efficientnet import EfficientNet

    return EfficientNet(Path(folder))


@lru_cache(maxsize=1)
def _dinov2(folder: str) -> Embedder:
    """Load a DINOv2 model, or return the one that this process has loaded."""
    from offhand.models.dinov2 import Dinov2

    return Dinov2(Path(folder))
