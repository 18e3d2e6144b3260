"""Which tools are in the picture: one score a prompt and sampled frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from offhand.models.imagenet import prompt_scores, unsupported
from offhand.records import ByteArray, Clip, FrameBlock, FrameRequest, Signal, option
from offhand.signals.base import AUTO, EveryBlock, Mask
from offhand.weights import locate

PROMPTS = (
    "mason trowel",
    "mortar bucket",
    "concrete block",
    "brick",
    "rebar",
    "rubber mallet",
    "hammer",
    "hand saw",
    "power drill",
    "angle grinder",
    "shovel",
    "wheelbarrow",
    "spirit level",
    "tape measure",
    "ladder",
    "wooden plank",
    "gloved hand",
    "safety vest",
    "hard hat",
)
"""What a construction worker's hands are near to."""

EMBEDDED = "efficientnet_lite0"

CLASSIFIER_SIDE_PX, DETECTOR_SIDE_PX = 256, 960
"""Shorter side of the images that either kind of model is given."""

Scorer = Callable[[ByteArray, tuple[str, ...]], npt.NDArray[np.float32]]
"""From images ``(n, height, width, 3)`` and prompts to scores ``(n, prompts)``, NaN for unknown."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Scores of prompts in single frames: one channel a prompt, of that name.

    OWLv2 (Minderer et al. 2023, arXiv:2306.09683) looks for any text; a score is that of the best
    box. The embedded default has a closed vocabulary: the probability, over the whole picture, of
    the ImageNet class that shows the thing (EfficientNet-Lite0, arXiv:1905.11946). Prompts without
    a class are NaN and listed in the note ``unsupported``. It looks at the picture once: scores of
    its parts (tiles, the work zone), joined by mean or maximum, rank rendered frames worse.

    Attributes
    ----------
    prompts
        What to look for.
    rate_hz
        Sampling rate.
    model
        Name of weights, or the folder of an OWLv2 model.
    """

    name: ClassVar[str] = "tools"
    version: ClassVar[int] = 2
    models: ClassVar[tuple[str, ...]] = ("owlv2_base", EMBEDDED)

    prompts: tuple[str, ...] = option(PROMPTS, "what to look for, in short texts")
    rate_hz: float = option(2.0, "sampling rate wanted, in frames per second")
    model: str = option(
        AUTO,
        "weights: owlv2_base, efficientnet_lite0, the folder of an OWLv2 model, or auto: the "
        "first of these that is on this machine",
    )

    def __post_init__(self) -> None:
        if not self.rate_hz > 0:
            raise ValueError(f"rate_hz is {self.rate_hz}, must be positive")
        if not self.model:
            raise ValueError("model is empty")
        if not self.prompts or not all(prompt.strip() for prompt in self.prompts):
            raise ValueError(
                f"prompts are {self.prompts}, must be at least one, none of them empty"
            )
        if len(set(self.prompts)) < len(self.prompts):
            raise ValueError(f"prompts are {self.prompts}, must differ")

    @property
    def request(self) -> FrameRequest:
        """RGB frames at the sampling rate, as large as the model looks at them."""
        side_px = CLASSIFIER_SIDE_PX if self.weights == (EMBEDDED,) else DETECTOR_SIDE_PX
        return FrameRequest(rate_hz=self.rate_hz, short_side_px=side_px, colour="rgb")

    @property
    def weights(self) -> tuple[str, ...]:
        """The model's; those of the embedded default while the choice is open."""
        return (self.models[-1] if self.model == AUTO else self.model,)

    def start(self, clip: Clip) -> ToolsState:
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
        score = _classifier(folder) if self.model == EMBEDDED else _detector(folder)
        return ToolsState(self, score, Mask(clip))


class ToolsState(EveryBlock):
    """The running computation on one clip; every block of frames becomes a chunk.

    Parameters
    ----------
    options
        What is looked for, and the model's name.
    score
        What scores frames.
    mask
        What of the frames is blackened.
    """

    purpose = "look for tools in"

    def __init__(self, options: Tools, score: Scorer, mask: Mask) -> None:
        self._options = options
        self._score = score
        self._mask = mask
        self._notes = {"model": Path(options.model).name}
        if options.model == EMBEDDED and (left := unsupported(options.prompts)):
            self._notes["unsupported"] = ", ".join(left)

    def measured(self, block: FrameBlock) -> Signal:
        """Score frames ``(n, height, width, 3)``; return their chunk."""
        prompts = self._options.prompts
        values = self._score(self._mask.blacken(block.images), prompts)
        return Signal(
            name=Tools.name,
            time_s=block.time_s,
            channels=prompts,
            values=values.astype(np.float64),
            notes=self._notes,
        )


@lru_cache(maxsize=1)
def _classifier(folder: str) -> Scorer:
    """Load the embedded default, or return the one that this process has loaded."""
    from offhand.models.efficientnet import EfficientNet

    model = EfficientNet(Path(folder))
    return lambda images, prompts: prompt_scores(model.classify(images), prompts)


@lru_cache(maxsize=1)
def _detector(folder: str) -> Scorer:
    """Load a detector, or return the one that this process has loaded."""
    from offhand.models.owlv2 import Owlv2

    return Owlv2(Path(folder)).score
