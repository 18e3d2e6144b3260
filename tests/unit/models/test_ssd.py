from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.models.body import DETECTION_PX, DETECTION_STRIDES
from offhand.models.hand import PALM_PX, PALM_STRIDES
from offhand.models.ssd import Detections, anchors, decode, overlaps, sigmoid, suppress
from offhand.records import FloatArray


def plain_anchors(input_px: int, strides: tuple[int, ...]) -> list[tuple[float, float]]:
    """One layer after another as in the published calculator, layers of one stride merged."""
    centres = []
    layer = 0
    while layer < len(strides):
        last = layer
        sizes = 0
        while last < len(strides) and strides[last] == strides[layer]:
            sizes += 2
            last += 1
        cells = math.ceil(input_px / strides[layer])
        for row in range(cells):
            for column in range(cells):
                centres += [((column + 0.5) / cells, (row + 0.5) / cells)] * sizes
        layer = last
    return centres


def plain_suppress(found: Detections, least: float) -> list[tuple[float, FloatArray, FloatArray]]:
    """Blend with loops."""
    left = sorted(range(len(found.scores)), key=lambda index: -found.scores[index])
    objects = []
    while left:
        best = left[0]
        group = [index for index in left if plain_overlap(found, best, index) > least] or [best]
        total = sum(found.scores[index] for index in group)
        box, points = np.zeros(4), np.zeros(found.keypoints.shape[1:])
        for index in group:
            box += found.scores[index] / total * found.boxes[index]
            points += found.scores[index] / total * found.keypoints[index]
        objects.append((float(found.scores[best]), box, points))
        left = [index for index in left if index not in group]
    return objects


def plain_overlap(found: Detections, first: int, second: int) -> float:
    a, b = found.boxes[first], found.boxes[second]
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return float(width * height / union) if union > 0 else 0.0


def some(count: int, seed: int) -> Detections:
    draw = np.random.default_rng(seed)
    corner = draw.uniform(0, 1, (count, 2))
    return Detections(
        scores=draw.uniform(0.5, 1, count),
        boxes=np.concatenate([corner, corner + draw.uniform(0.3, 0.6, (count, 2))], axis=1),
        keypoints=draw.uniform(0, 1, (count, 3, 2)),
    )


@pytest.mark.parametrize(
    ("input_px", "strides", "count"),
    [
        (PALM_PX, PALM_STRIDES, 2016),
        (DETECTION_PX, DETECTION_STRIDES, 2254),
        (50, (8, 16, 16, 8), 2 * 49 + 4 * 16 + 2 * 49),
    ],
)
def test_anchors_are_those_of_the_plain_twin(
    input_px: int, strides: tuple[int, ...], count: int
) -> None:
    found = anchors(input_px, strides)
    assert found.shape == (count, 2)
    np.testing.assert_allclose(found, plain_anchors(input_px, strides))


def test_decode_is_the_plain_loop() -> None:
    draw = np.random.default_rng(1)
    regressors, logits = draw.normal(10, 40, (60, 10)), draw.normal(0, 3, (60, 1))
    centres = draw.uniform(0, 1, (60, 2))
    found = decode(regressors, logits, centres, input_px=200, min_score=0.4)
    expected = []
    for row, logit, (x, y) in zip(regressors, logits[:, 0], centres, strict=True):
        score = 1 / (1 + math.exp(-logit))
        if score < 0.4 or row[2] < 0 or row[3] < 0:
            continue
        across, down, width, height = row[:4] / 200
        box = [x + across - width / 2, y + down - height / 2]
        box += [x + across + width / 2, y + down + height / 2]
        points = [[x + row[i] / 200, y + row[i + 1] / 200] for i in (4, 6, 8)]
        expected.append((score, box, points))
    expected.sort(key=lambda item: -item[0])
    assert 5 < len(expected) < 40
    np.testing.assert_allclose(found.scores, [item[0] for item in expected])
    np.testing.assert_allclose(found.boxes, [item[1] for item in expected])
    np.testing.assert_allclose(found.keypoints, [item[2] for item in expected])


def test_nothing_found_keeps_its_shape() -> None:
    found = suppress(
        decode(np.ones((4, 18)), np.full((4, 1), -9.0), np.ones((4, 2)), input_px=9, min_score=0.5)
    )
    assert found.scores.shape == (0,)
    assert found.boxes.shape == (0, 4)
    assert found.keypoints.shape == (0, 7, 2)


def test_sigmoid_does_not_overflow() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-1e9, 0.0, 1e9])), [0, 0.5, 1], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("least", [0.1, 0.3, 0.6])
def test_suppress_is_the_plain_loop(seed: int, least: float) -> None:
    candidates = some(40, seed)
    expected = plain_suppress(candidates, least)
    found = suppress(candidates, min_overlap=least)
    assert 1 < len(expected) < 40
    np.testing.assert_allclose(found.scores, [item[0] for item in expected])
    np.testing.assert_allclose(found.boxes, [item[1] for item in expected])
    np.testing.assert_allclose(found.keypoints, [item[2] for item in expected])


def test_two_candidates_of_one_object_are_blended_by_score() -> None:
    candidates = Detections(
        scores=np.array([0.3, 0.9]),
        boxes=np.array([[1.0, 0.0, 11.0, 10.0], [0.0, 0.0, 10.0, 10.0]]),
        keypoints=np.array([[[4.0, 4.0]], [[0.0, 0.0]]]),
    )
    found = suppress(candidates)
    np.testing.assert_allclose(found.scores, [0.9])
    np.testing.assert_allclose(found.boxes, [[0.25, 0, 10.25, 10]])
    np.testing.assert_allclose(found.keypoints, [[[1, 1]]])


def test_boxes_without_area_end() -> None:
    flat = Detections(
        scores=np.array([0.9, 0.8]), boxes=np.zeros((2, 4)), keypoints=np.zeros((2, 1, 2))
    )
    np.testing.assert_allclose(suppress(flat).scores, [0.9, 0.8])


def test_overlaps_by_hand() -> None:
    box = np.array([0.0, 0.0, 2.0, 2.0])
    others = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [2, 0, 4, 2], [5, 5, 6, 6], [1, 1, 1, 1]])
    np.testing.assert_allclose(overlaps(box, others), [1, 1 / 3, 0, 0, 0])
