"""The labels by eye, and how boxes are compared with them."""

from __future__ import annotations

import pytest

from benchmarks.hands.labels import Label, compare, read_labels
from offhand.signals.hands.boxes import Box


def label(left: float, *, whole: bool = True) -> Label:
    box = Box(left=left, top=0, right=left + 0.2, bottom=0.2)
    return Label(box=box, whole=whole, sharp=True, gloved=False)


def test_the_labels_are_boxes_in_many_frames() -> None:
    labels = read_labels()
    assert sum(len(frames) for frames in labels.values()) >= 150
    for frames in labels.values():
        assert list(frames) == sorted(frames)
        for hands in frames.values():
            for hand in hands:
                assert 0 <= hand.box.left < hand.box.right <= 1
                assert 0 <= hand.box.top < hand.box.bottom <= 1


def test_each_box_finds_one_hand() -> None:
    hands = {0.0: [label(0.0), label(0.5, whole=False)], 1.0: [label(0.2)]}
    boxes = {0.0: [hands[0.0][0].box, label(0.02).box], 1.0001: []}
    found = compare(boxes, hands)
    assert (found.hands, found.found, found.boxes) == (3, 1, 2)
    assert (found.whole, found.found_whole) == (2, 1)
    assert (found.frames, found.fired, found.frames_whole, found.fired_whole) == (2, 1, 2, 1)
    some = compare(boxes, hands, counts=lambda hand: not hand.whole)
    assert (some.hands, some.found, some.boxes, some.whole) == (1, 0, 2, 0)


def test_a_labelled_frame_that_was_not_examined_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sample at 1"):
        compare({0.0: []}, {1.0: [label(0.0)]})
