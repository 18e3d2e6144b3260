"""The tracker of the signal hands, on textured squares that move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from offhand.records import ByteArray, FloatArray
from offhand.signals.hands.boxes import Box, overlap
from offhand.signals.hands.tracker import LARGEST_GROWTH, TRACK_SHORT_PX, follow, reduced

SIZE_PX = (120, 160)
SIDE_PX = 30
N = 16

Path = Callable[[int], tuple[int, int]]


def noise(seed: int, shape: tuple[int, int], *, colour: tuple[int, int, int]) -> ByteArray:
    grain = np.random.default_rng(seed).normal(0, 40, (*shape, 1))
    smooth = cv2.GaussianBlur(grain, (0, 0), 1.5)[:, :, None] * 2
    return np.clip(np.array(colour) + smooth, 0, 255).astype(np.uint8)


def scene(path: Path | None, *, n: int = N, covered: Sequence[int] = ()) -> list[ByteArray]:
    """A skin-coloured square on a green ground; ``covered`` frames show blue in its place."""
    hand = noise(1, (SIDE_PX, SIDE_PX), colour=(120, 150, 210))
    cover = noise(2, SIZE_PX, colour=(200, 60, 30))
    images = []
    for index in range(n):
        image = noise(0, SIZE_PX, colour=(60, 130, 60))
        if index in covered:
            image = cover
        elif path is not None:
            left, top = path(index)
            width = min(SIDE_PX, SIZE_PX[1] - left)
            if width > 0:
                image[top : top + SIDE_PX, left : left + width] = hand[:, :width]
        images.append(image)
    return images


def box_at(path: Path, index: int, *, score: float = 1.0) -> Box:
    left, top = path(index)
    height, width = SIZE_PX
    return Box(
        left=left / width,
        top=top / height,
        right=(left + SIDE_PX) / width,
        bottom=(top + SIDE_PX) / height,
        score=score,
    )


def seen(path: Path, *where: int, n: int = N, score: float = 1.0) -> list[tuple[Box, ...]]:
    return [(box_at(path, index, score=score),) if index in where else () for index in range(n)]


def times(n: int = N) -> FloatArray:
    return np.arange(n) / 30


def track(
    images: Sequence[ByteArray],
    anchors: Sequence[Sequence[Box]],
    *,
    least_score: float = 0.9,
    longest_s: float = 2.0,
) -> list[tuple[Box, ...]]:
    return follow(images, times(len(images)), anchors, least_score=least_score, longest_s=longest_s)


def across(index: int) -> tuple[int, int]:
    return 20 + 3 * index, 40


def still(index: int) -> tuple[int, int]:
    return 60, 40


def test_a_square_is_followed_forward_and_backward_from_one_anchor() -> None:
    found = track(scene(across), seen(across, N // 2))
    assert [len(boxes) for boxes in found] == [1] * N
    for index, (box,) in enumerate(found):
        assert overlap(box, box_at(across, index)) > 0.6


def test_nothing_is_tracked_without_an_anchor() -> None:
    assert track(scene(across), [()] * N) == [()] * N


def test_tracking_stops_where_the_square_is_covered() -> None:
    found = track(scene(across, covered=range(8, N)), seen(across, 0))
    assert [len(boxes) for boxes in found] == [1] * 8 + [0] * (N - 8)


def test_tracking_stops_where_the_square_vanishes() -> None:
    images = scene(still)[:6] + scene(None)[6:]
    found = track(images, seen(still, 0))
    assert [len(boxes) for boxes in found[:6]] == [1] * 6
    assert not any(found[8:])


def test_tracking_stops_where_the_square_leaves_the_image() -> None:
    def leaving(index: int) -> tuple[int, int]:
        return 90 + 5 * index, 40

    found = track(scene(leaving), seen(leaving, 0))
    inside = [(SIZE_PX[1] - leaving(index)[0]) / SIDE_PX for index in range(N)]
    assert all(boxes for boxes, share in zip(found, inside, strict=True) if share >= 1)
    assert not any(boxes for boxes, share in zip(found, inside, strict=True) if share <= 0.5)


def test_boxes_lie_inside_the_image() -> None:
    def leaving(index: int) -> tuple[int, int]:
        return 100 + 4 * index, 40

    for boxes in track(scene(leaving), seen(leaving, 0)):
        for box in boxes:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1


def test_tracking_stops_where_the_square_has_grown_too_large() -> None:
    hand = scene(still)[0][40 : 40 + SIDE_PX, 60 : 60 + SIDE_PX]
    images = []
    for index, image in enumerate(scene(None, n=30)):
        side = min(round(SIDE_PX * 1.04**index), 90)
        top, left = 60 - side // 2, 80 - side // 2
        image[top : top + side, left : left + side] = cv2.resize(hand, (side, side))
        images.append(image)
    anchor = Box(left=65 / 160, top=45 / 120, right=95 / 160, bottom=75 / 120, score=1.0)
    found = track(images, [(anchor,), *[()] * 29])
    areas = [boxes[0].area / anchor.area for boxes in found if boxes]
    assert 8 <= len(areas) < 30
    assert max(areas) <= LARGEST_GROWTH


def test_an_anchor_is_carried_no_longer_than_told() -> None:
    found = track(scene(still), seen(still, 0), longest_s=4.5 / 30)
    assert [len(boxes) for boxes in found] == [1] * 5 + [0] * (N - 5)


def test_an_unsure_anchor_starts_no_tracker_unless_it_continues_a_sure_one() -> None:
    unsure = seen(still, 3, score=0.5)
    assert [len(boxes) for boxes in track(scene(still), unsure)] == [0] * 3 + [1] + [0] * (N - 4)
    unsure[2] = (box_at(still, 2, score=0.95),)
    assert all(track(scene(still), unsure))
    assert all(track(scene(still), seen(still, 3, score=0.5), least_score=0.4))


def test_an_anchor_without_a_score_is_sure() -> None:
    assert all(track(scene(still), seen(still, 3, score=float("nan"))))


def test_contradicted_tracks_keep_the_half_nearer_to_their_anchor() -> None:
    def elsewhere(index: int) -> tuple[int, int]:
        return 70, 55  # overlaps the square, but not by 0.3

    anchors = seen(still, 0)
    anchors[9] = (box_at(elsewhere, 9, score=0.0),)
    found = track(scene(still), anchors)
    where = [index for index in range(9) if found[index]]
    assert where == [0, 1, 2, 3, 4]  # the anchor, and half of the eight frames in doubt


def test_two_anchors_elsewhere_contradict_a_track() -> None:
    far = [Box(left=0, top=y, right=0.1, bottom=y + 0.1, score=0.0) for y in (0.0, 0.8)]
    anchors = seen(still, 0)
    anchors[9] = tuple(far)
    found = track(scene(still), anchors)
    assert [index for index in range(9) if found[index]] == [0, 1, 2, 3, 4]
    assert found[9] == tuple(far)


def test_at_most_two_hands_and_anchors_first() -> None:
    anchors = [*seen(still, 0)]
    other = Box(left=0.05, top=0.05, right=0.2, bottom=0.3, score=0.0)
    anchors[1] = (other,)
    found = track(scene(still), anchors)
    assert found[1][0] == other
    assert overlap(found[1][1], box_at(still, 1)) > 0.6
    assert max(len(boxes) for boxes in found) == 2


def test_a_speck_and_a_box_outside_are_not_followed() -> None:
    speck = Box(left=0.5, top=0.5, right=0.52, bottom=0.52, score=1.0)
    outside = Box(left=1.2, top=0.5, right=1.4, bottom=0.7, score=1.0)
    for box in (speck, outside):
        found = track(scene(still), [(box,), *[()] * (N - 1)])
        assert not any(found[1:])


def test_the_same_images_give_the_same_boxes() -> None:
    first, second = (track(scene(across), seen(across, 5)) for _ in range(2))
    assert first == second


def test_no_images_and_lengths_that_differ() -> None:
    assert track([], []) == []
    with pytest.raises(ValueError, match="2 images, 2 times and 1 lists"):
        track(scene(still, n=2), [()])


def test_images_are_made_small_and_bgr() -> None:
    image = np.zeros((480, 853, 3), np.uint8)
    image[:, :, 0] = 250
    small = reduced(image)
    assert small.shape == (TRACK_SHORT_PX, 426, 3)
    assert small[0, 0].tolist() == [0, 0, 250]
    tiny = np.zeros((20, 30, 3), np.uint8)
    assert reduced(tiny).shape == (20, 30, 3)
