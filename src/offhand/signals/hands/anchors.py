"""What may tell the tracker where hands are, beside MediaPipe's own hands.

An anchor detector returns boxes for one RGB image; it need not know the images before. Neither of
the two below was run with its real weights when this was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from offhand.records import ByteArray
from offhand.signals.hands.boxes import Box, by_score, clipped, distinct
from offhand.weights import locate

PROMPT = "gloved hand"
"""What OWLv2 is asked for."""

LEAST_SCORE = 0.2
"""OWLv2's score from which a box counts; to be set anew on footage with labels."""


class AnchorDetector(Protocol):
    """What finds hands in single images."""

    def __call__(self, image: ByteArray, /) -> Sequence[Box]:
        """Return the hands in an RGB image ``(height, width, 3)``, two at most."""
        ...


def owlv2_anchors(weights: str) -> AnchorDetector:
    """Load OWLv2 (arXiv:2306.09683) and let it look for gloved hands.

    Parameters
    ----------
    weights
        Name of the weights.

    Raises
    ------
    WeightsMissing
        The weights, or the packages that run them, are not on this machine.
    WeightsError
        The weights are damaged, or of another model.
    """
    from offhand.models.owlv2 import Owlv2

    model = Owlv2(locate(weights))

    def detect(image: ByteArray) -> tuple[Box, ...]:
        found = model.detect(image[None], (PROMPT,), threshold=LEAST_SCORE)[0]
        return distinct(by_score(_box(image, edges, score=score) for _, score, edges in found))

    return detect


def wilor_anchors() -> AnchorDetector:
    """Load WiLoR (arXiv:2409.12259) where the user has installed it.

    Raises
    ------
    WeightsMissing
        The package or its weights are not on this machine.
    """
    from offhand.models.wilor import Wilor

    model = Wilor()

    def detect(image: ByteArray) -> tuple[Box, ...]:
        return distinct(
            _box(image, hand.box, is_right=float(hand.handedness == "right"))
            for hand in model(image)
        )

    return detect


def _box(image: ByteArray, edges_px: tuple[float, float, float, float], **known: float) -> Box:
    """Return a box in pixels as one in fractions of the image, cut off at its edges."""
    height, width = image.shape[:2]
    left, top, right, bottom = edges_px
    return clipped(
        Box(
            left=left / width,
            top=top / height,
            right=right / width,
            bottom=bottom / height,
            **known,
        )
    )
