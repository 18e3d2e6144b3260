"""Views of an image, and what is made of the hands in them."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.models.hand import Hand
from offhand.records import ByteArray
from offhand.signals.hands.boxes import Box, by_score, clipped, distinct, overlap
from offhand.signals.hands.detector import HandDetector, squares_of


class StandIn:
    """Finds one hand around the bright pixels; those fewer than ``smallest`` of it escape it."""

    smallest = 0.0

    def __init__(self, log: list[str | tuple[int, ...]]) -> None:
        self.log = log

    def __call__(self, image: ByteArray) -> tuple[Hand, ...]:
        assert image.flags.c_contiguous
        self.log.append(image.shape[:2])
        rows, columns = np.nonzero(image[:, :, 0] > 128)
        if not len(rows) or len(rows) / image[:, :, 0].size < self.smallest:
            return ()
        box = (
            float(columns.min()),
            float(rows.min()),
            float(columns.max() + 1),
            float(rows.max() + 1),
        )
        return (Hand(keypoints=np.zeros((21, 3)), handedness="left", score=0.8, box=box),)

    def reset(self) -> None:
        self.log.append("reset")


def wide(left: int = 100, *, side: int = 8) -> ByteArray:
    image = np.zeros((90, 160, 3), np.uint8)
    image[40 : 40 + side, left : left + side] = 255
    return image


def detector(*, smallest: float = 0.0) -> tuple[HandDetector, list[str | tuple[int, ...]]]:
    log: list[str | tuple[int, ...]] = []

    def make() -> StandIn:
        made = StandIn(log)
        made.smallest = smallest
        return made

    return HandDetector(make), log


def test_a_wide_image_is_seen_whole_and_in_squares_by_turns() -> None:
    detect, log = detector()
    for _ in range(3):
        assert detect(np.zeros((90, 160, 3), np.uint8)) == ()
    assert log == [(90, 160), (90, 90)] * 3


def test_a_hand_too_small_for_the_whole_is_found_in_its_square_and_stays() -> None:
    detect, _ = detector(smallest=0.006)  # 64 pixels are 0.0044 of the whole, 0.0079 of a square
    found = [detect(wide()) for _ in range(4)]
    assert [len(hands) for hands in found] == [0, 1, 1, 1]  # the left square comes first
    (box,) = found[-1]
    assert (box.left, box.top) == pytest.approx((100 / 160, 40 / 90))
    assert (box.right, box.bottom) == pytest.approx((108 / 160, 48 / 90))
    assert box.score == 0.8
    assert box.is_right == 0


def test_one_hand_in_several_views_is_one_hand() -> None:
    detect, _ = detector()
    assert [len(detect(wide())) for _ in range(3)] == [1, 1, 1]


def test_reset_reaches_every_view() -> None:
    detect, log = detector()
    detect(wide())
    detect.reset()
    assert log.count("reset") == 2


@pytest.mark.parametrize(
    ("width", "height", "squares"),
    [
        (160, 90, ((0, 0, 90, 90), (70, 0, 160, 90))),
        (90, 160, ((0, 0, 90, 90), (0, 70, 90, 160))),
        (300, 100, ((0, 0, 100, 100), (100, 0, 200, 100), (200, 0, 300, 100))),
        (100, 100, ()),
        (110, 100, ()),
    ],
)
def test_squares_cover_the_longer_side(
    width: int, height: int, squares: tuple[tuple[int, ...], ...]
) -> None:
    assert squares_of(width, height) == squares


def test_overlap_of_boxes() -> None:
    box = Box(left=0, top=0, right=0.4, bottom=0.4)
    half = Box(left=0.2, top=0, right=0.6, bottom=0.4)
    assert overlap(box, box) == 1
    assert overlap(box, half) == pytest.approx(1 / 3)
    assert overlap(box, Box(left=0.5, top=0.5, right=1, bottom=1)) == 0
    empty = Box(left=0.3, top=0, right=0.3, bottom=0.4)
    assert overlap(empty, empty) == 0


def test_boxes_are_cut_off_at_the_edges() -> None:
    cut = clipped(Box(left=-0.5, top=0.5, right=0.5, bottom=1.5, score=0.7, is_right=1))
    assert cut == Box(left=0, top=0.5, right=0.5, bottom=1, score=0.7, is_right=1)


def test_distinct_boxes_are_two_at_most_and_best_first() -> None:
    boxes = [
        Box(left=x, top=0, right=x + 0.2, bottom=0.2, score=score)
        for x, score in ((0.0, 0.5), (0.3, float("nan")), (0.01, 0.9), (0.6, 0.6), (0.8, 0.1))
    ]
    assert [box.left for box in by_score(boxes)] == [0.01, 0.6, 0.0, 0.8, 0.3]
    assert [box.left for box in distinct(by_score(boxes))] == [0.01, 0.6]
