"""Hands in consecutive images, also small ones: the whole image, and in turn its squares.

The palm detector sees an image at 192 x 192 pixels, so a hand that fills a twentieth of a wide
image is lost to it. A square cut from a wide image shows the same hand up to 1.8 times as large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from offhand.records import ByteArray
from offhand.signals.hands.boxes import MAX_HANDS, Box, by_score, clipped, distinct

if TYPE_CHECKING:
    from offhand.models.hand import Hand

SQUARE_FROM = 1.2
"""Ratio of the sides from which squares enlarge enough to be worth their time."""

View = tuple[int, int, int, int]
"""Part of an image in pixels: left, top, right, bottom."""


class Landmarker(Protocol):
    """What finds hands in one image after another, following them where it can."""

    def __call__(self, image: ByteArray, /) -> tuple[Hand, ...]:
        """Return the hands in an RGB image ``(height, width, 3)``."""
        ...

    def reset(self) -> None:
        """Forget the hands that were followed."""
        ...


class HandDetector:
    """Up to two hands an image, from several views of it.

    The whole image is looked at each time. While it shows fewer than two hands, one of the squares
    is looked at as well: the same one again while it shows a hand, else the next one. Each view
    follows its own hands.

    Parameters
    ----------
    landmarker
        Makes what finds hands in a view.
    """

    def __init__(self, landmarker: Callable[[], Landmarker]) -> None:
        self._make = landmarker
        self._views: dict[View, Landmarker] = {}
        self._turn = 0

    def reset(self) -> None:
        """Forget the hands of the image before, as after a gap."""
        for view in self._views.values():
            view.reset()
        self._turn = 0

    def __call__(self, image: ByteArray) -> tuple[Box, ...]:
        """Return the hands in the next RGB image ``(height, width, 3)``, best score first."""
        height, width = image.shape[:2]
        found = self._look(image, (0, 0, width, height))
        squares = squares_of(width, height)
        if squares and len(found) < MAX_HANDS:
            more = self._look(image, squares[self._turn % len(squares)])
            self._turn += not more
            found += more
        return distinct(by_score(found))

    def _look(self, image: ByteArray, view: View) -> list[Box]:
        """Return the hands in one view, in fractions of the whole image."""
        if view not in self._views:
            self._views[view] = self._make()
        left, top, right, bottom = view
        height, width = image.shape[:2]
        hands = self._views[view](np.ascontiguousarray(image[top:bottom, left:right]))
        return [
            clipped(
                Box(
                    left=(hand.box[0] + left) / width,
                    top=(hand.box[1] + top) / height,
                    right=(hand.box[2] + left) / width,
                    bottom=(hand.box[3] + top) / height,
                    score=hand.score,
                    is_right=float(hand.handedness == "right"),
                )
            )
            for hand in hands
        ]


def squares_of(width: int, height: int) -> tuple[View, ...]:
    """Return the fewest squares that cover an image along its longer side; none if nearly square.

    They overlap, as a hand that is cut by an edge is seen by neither.
    """
    side, length = min(width, height), max(width, height)
    if length < SQUARE_FROM * side:
        return ()
    count = max(2, int(np.ceil(length / side)))
    starts = np.linspace(0, length - side, count).round().astype(int).tolist()
    if width >= height:
        return tuple((start, 0, start + side, side) for start in starts)
    return tuple((0, start, side, start + side) for start in starts)
