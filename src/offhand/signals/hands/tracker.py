"""Carrying hands between the images where a detector saw them, by OpenCV's CSRT tracker.

CSRT: Lukezic et al. 2017, doi:10.1109/CVPR.2017.515. Trackers start at the detector's boxes
(anchors) and run forward and backward until they drift, so a hand is also known before its first
anchor and between two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from offhand.records import ByteArray, FloatArray
from offhand.signals.hands.boxes import (
    MAX_HANDS,
    SAME_HAND,
    Box,
    by_score,
    clipped,
    distinct,
    overlap,
)

TRACK_SHORT_PX = 240
"""Shorter side of the images that are tracked in. CSRT takes about 18 ms an image whatever their
size, as it scales what it follows; a smaller template halves that, but loses the hand's size."""

SMALLEST_PX = 6
"""A box with a shorter side holds too little to follow."""

LEAST_LIKENESS = 0.6
"""Below, the box no longer shows what the anchor showed; 1 is the same distribution of colours."""

LEAST_INSIDE = 0.6
"""Share of the box that must lie in the image."""

LARGEST_GROWTH = 2.5
"""Factor by which a box's area may differ from its anchor's, up or down."""

BINS = (6, 12, 12)
"""Bins of lightness and of the two colour axes in a histogram of colours (CIELAB)."""

Histogram = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A tracked box in one image.

    Attributes
    ----------
    index
        Of the image.
    box
        The box; its score is the likeness to the anchor, 0..1.
    """

    index: int
    box: Box


def reduced(image: ByteArray) -> ByteArray:
    """Return an RGB image ``(height, width, 3)`` as the tracker wants it: small, and BGR."""
    scale = min(1.0, TRACK_SHORT_PX / min(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8)


def follow(
    images: Sequence[ByteArray],
    time_s: FloatArray,
    anchors: Sequence[Sequence[Box]],
    *,
    least_score: float,
    longest_s: float,
) -> list[tuple[Box, ...]]:
    """Carry anchors through a stretch of consecutive images.

    A tracker runs from each sure anchor that the next (or previous) image lacks. It ends where an
    anchor confirms it, where it drifts (appearance, size, edge of the image), after ``longest_s``,
    or where the anchors contradict it: of what contradicted anchors leave in doubt, the half nearer
    to its own anchor is kept.

    Parameters
    ----------
    images
        BGR, as :func:`reduced` gives them, all of one size.
    time_s
        Their times, ``(n,)``.
    anchors
        The boxes that the detector saw in each image.
    least_score
        Score from which an anchor is sure enough to start a tracker; one without a score is.
    longest_s
        How long a hand is carried without an anchor.

    Returns
    -------
    list of tuple of Box
        For each image its hands: the anchors, then carried boxes by their likeness; two at most.
    """
    if not len(images) == len(time_s) == len(anchors):
        raise ValueError(
            f"{len(images)} images, {len(time_s)} times and {len(anchors)} lists of anchors"
        )
    carried: list[list[Box]] = [[] for _ in images]
    for order in (range(len(images)), range(len(images) - 1, -1, -1)):
        for start in _gaps(anchors, order, least_score):
            for step in _run(images, time_s, anchors, order, start, longest_s=longest_s):
                carried[step.index].append(step.box)
    return [
        distinct([*seen, *by_score(boxes)]) for seen, boxes in zip(anchors, carried, strict=True)
    ]


def likeness(first: Histogram, second: Histogram) -> float:
    """Return how alike two histograms are, 0..1: one less their Bhattacharyya distance."""
    return 1.0 - float(cv2.compareHist(first, second, cv2.HISTCMP_BHATTACHARYYA))


def colours(image: ByteArray, box: Box) -> Histogram:
    """Return the histogram of colours in a box of a BGR image; zeros where nothing is inside."""
    height, width = image.shape[:2]
    rows = slice(round(box.top * height), round(box.bottom * height))
    columns = slice(round(box.left * width), round(box.right * width))
    patch = image[rows, columns]
    if not patch.size:
        return np.zeros(BINS, np.float32)
    lab = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_BGR2Lab)
    ranges = [0, 256, 64, 192, 64, 192]
    counts = cv2.calcHist([lab], [0, 1, 2], None, list(BINS), ranges)
    return np.asarray(counts / max(1.0, float(counts.sum())), np.float32)


def _gaps(
    anchors: Sequence[Sequence[Box]], order: range, least_score: float
) -> Iterator[tuple[int, Box]]:
    """Yield the places in an order behind which a sure anchor is missing, with the anchor.

    A detector's score falls before it loses a hand, so an anchor is also sure where it goes on with
    one that is.
    """
    sure: list[Box] = []
    for place, index in enumerate(order[:-1]):
        here = anchors[index]
        sure = [box for box in here if not box.score < least_score or _seen(box, sure)]
        ahead = anchors[order[place + 1]]
        if len(ahead) < MAX_HANDS:
            yield from ((place, box) for box in sure if not _seen(box, ahead))


def _run(
    images: Sequence[ByteArray],
    time_s: FloatArray,
    anchors: Sequence[Sequence[Box]],
    order: range,
    start: tuple[int, Box],
    *,
    longest_s: float,
) -> list[Step]:
    """Track one anchor from its place in an order of images, and return what can be trusted."""
    place, anchor = start
    first = order[place]
    tracker = _Tracker(images[first], anchor)
    steps: list[Step] = []
    for index in order[place + 1 :]:
        if abs(time_s[index] - time_s[first]) > longest_s:
            break
        box = tracker.update(images[index])
        if box is None:
            break
        if _seen(box, anchors[index]):
            break
        if _contradicted(box, anchors[index]):
            return steps[: len(steps) // 2]
        steps.append(Step(index=index, box=box))
    return steps


def _seen(box: Box, anchors: Sequence[Box]) -> bool:
    """Tell whether an anchor shows the hand in a box."""
    return any(overlap(box, anchor) >= SAME_HAND for anchor in anchors)


def _contradicted(box: Box, anchors: Sequence[Box]) -> bool:
    """Tell whether the anchors of an image rule out a box that none of them confirms.

    They do if both hands are known to be elsewhere, or if one is so near that it must be this one.
    """
    return len(anchors) >= MAX_HANDS or any(overlap(box, anchor) > 0 for anchor in anchors)


class _Tracker:
    """CSRT from one anchor, with the means to tell that it drifted."""

    def __init__(self, image: ByteArray, anchor: Box) -> None:
        self._anchor = clipped(anchor)
        self._like = colours(image, self._anchor)
        height, width = image.shape[:2]
        left, top = round(self._anchor.left * width), round(self._anchor.top * height)
        right, bottom = round(self._anchor.right * width), round(self._anchor.bottom * height)
        self._tracker = None
        if min(right - left, bottom - top) >= SMALLEST_PX:
            self._tracker = cv2.TrackerCSRT.create()
            self._tracker.init(image, (left, top, right - left, bottom - top))

    def update(self, image: ByteArray) -> Box | None:
        """Return where the hand is in the next image, or ``None`` once it is lost."""
        if self._tracker is None:
            return None
        found, (left, top, across, down) = self._tracker.update(image)
        if not found:
            return None
        height, width = image.shape[:2]
        whole = Box(
            left=left / width,
            top=top / height,
            right=(left + across) / width,
            bottom=(top + down) / height,
        )
        box = clipped(whole)
        growth = whole.area / self._anchor.area
        if box.area < LEAST_INSIDE * whole.area:
            return None
        if not 1 / LARGEST_GROWTH <= growth <= LARGEST_GROWTH:
            return None
        like = likeness(self._like, colours(image, box))
        return replace(box, score=like) if like >= LEAST_LIKENESS else None
