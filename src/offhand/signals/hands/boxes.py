"""Boxes around hands, in fractions of the image's width and height."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_HANDS = 2
"""Hands of one worker; more boxes are never kept."""

SAME_HAND = 0.3
"""Intersection over union from which two boxes show one hand."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """One hand in one image.

    Attributes
    ----------
    left, top, right, bottom
        Edges as fractions of the image's width (left, right) and height (top, bottom).
    score
        How sure its source is, 0..1; NaN where the source does not tell.
    is_right
        1 for a right hand, 0 for a left one, NaN where not known.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float = math.nan
    is_right: float = math.nan

    @property
    def area(self) -> float:
        """Share of the image, 0 for a box without an inside."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)


def overlap(first: Box, second: Box) -> float:
    """Return intersection over union of two boxes, 0..1."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(0.0, width) * max(0.0, height)
    union = first.area + second.area - shared
    return shared / union if union > 0 else 0.0


def clipped(box: Box) -> Box:
    """Return the part of a box that lies in the image."""
    return replace(
        box,
        left=min(max(box.left, 0.0), 1.0),
        top=min(max(box.top, 0.0), 1.0),
        right=min(max(box.right, 0.0), 1.0),
        bottom=min(max(box.bottom, 0.0), 1.0),
    )


def distinct(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Return the first boxes that show different hands, :data:`MAX_HANDS` at most, in order."""
    kept: list[Box] = []
    for box in boxes:
        if len(kept) < MAX_HANDS and all(overlap(box, other) < SAME_HAND for other in kept):
            kept.append(box)
    return tuple(kept)


def by_score(boxes: Iterable[Box]) -> list[Box]:
    """Return boxes in falling order of score; those without one come last, in their order."""
    return sorted(boxes, key=lambda box: math.inf if math.isnan(box.score) else -box.score)
