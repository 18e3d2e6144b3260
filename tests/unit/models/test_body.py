from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhand.errors import WeightsError
from offhand.models import body as module
from offhand.models.body import (
    DETECTION_FILE,
    DETECTION_PX,
    LANDMARK_FILE,
    LANDMARK_PX,
    PoseLandmarker,
    refined,
)
from offhand.models.regions import Region, to_image
from offhand.records import FloatArray
from offhand.weights import locate, missing

IMAGE = np.zeros((90, 120, 3), np.uint8)


def plain_refined(points: FloatArray, heatmaps: FloatArray) -> list[list[float]]:
    """Move points with loops over cells."""
    side = len(heatmaps)
    moved = []
    for index, (x, y) in enumerate(points):
        column, row = int(x * side), int(y * side)  # towards 0, as the published code does
        moved.append([x, y])
        if not (0 <= column < side and 0 <= row < side):
            continue
        total = across = down = peak = 0.0
        for j in range(max(0, row - 3), min(side, row + 4)):
            for i in range(max(0, column - 3), min(side, column + 4)):
                heat = 1 / (1 + math.exp(-heatmaps[j, i, index]))
                peak = max(peak, heat)
                total, across, down = total + heat, across + heat * i, down + heat * j
        if peak >= 0.5:
            moved[-1] = [across / total / side, down / total / side]
    return moved


def test_refined_is_the_plain_loop() -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(-0.2, 1.2, (60, 2))
    heatmaps = draw.normal(-5, 2.6, (16, 16, 60))
    found = refined(points, heatmaps)
    np.testing.assert_allclose(found, plain_refined(points, heatmaps))
    stayed = (found == points).all(axis=1)
    assert 10 < stayed.sum() < 50


def test_a_point_moves_to_its_peak() -> None:
    heatmaps = np.full((64, 64, 1), -50.0)
    heatmaps[20, 31] = 8.0
    np.testing.assert_allclose(refined(np.array([[0.5, 0.32]]), heatmaps), [[31 / 64, 20 / 64]])
    far = np.array([[0.9, 0.9]])
    np.testing.assert_array_equal(refined(far, heatmaps), far)


class Networks:
    """Stands for both networks: a body whose circle is always at the same place of the region."""

    def __init__(self) -> None:
        self.looks = self.detections = 0
        self.presence, self.logit = 0.9, 3.0
        self.hips, self.top = (0.5, 0.6), (0.55, 0.2)

    def make(self, path: Path, **options: Any) -> Any:
        return self.detect if path.name == DETECTION_FILE else self.look

    def detect(self, pixels: FloatArray) -> tuple[FloatArray, FloatArray]:
        self.detections += 1
        assert pixels.shape == (DETECTION_PX, DETECTION_PX, 3)
        assert pixels.min() == -1
        regressors, logits = np.zeros((2254, 12)), np.full((2254, 1), -9.0)
        logits[0] = self.logit
        at = np.array([0.5, 0.5]) / 28 * DETECTION_PX  # its anchor
        regressors[0, 2:4] = 50
        regressors[0, 4:6] = np.array([100, 120]) - at
        regressors[0, 6:8] = np.array([100, 60]) - at
        return regressors, logits

    def look(self, pixels: FloatArray) -> tuple[FloatArray, ...]:
        self.looks += 1
        assert pixels.shape == (LANDMARK_PX, LANDMARK_PX, 3)
        points = np.zeros((39, 5))
        points[:, :3] = (64, 128, -32)
        points[:33, 3] = np.linspace(-4, 4, 33)
        points[33, :2], points[34, :2] = np.multiply([self.hips, self.top], LANDMARK_PX)
        heatmaps = np.full((64, 64, 39), -50.0)
        none = np.zeros(1)
        return points.reshape(-1), np.array([self.presence]), none, heatmaps, none


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    made = Networks()
    monkeypatch.setattr(module, "Network", made.make)
    return made


def test_a_detection_places_the_region_and_the_keypoints(networks: Networks) -> None:
    body = PoseLandmarker(Path())(IMAGE)
    assert body is not None
    # letterboxed to 120 x 120 around (60, 45), then 224 x 224: hips (100, 120), 60 below the top
    scale = 120 / 224
    region = Region(x=100 * scale, y=120 * scale - 15, side=1.25 * 120 * scale, angle=0.0)
    np.testing.assert_allclose(
        body.keypoints[:, :2], np.repeat(to_image(np.array([[0.25, 0.5]]), region), 33, axis=0)
    )
    np.testing.assert_allclose(body.keypoints[:, 2], -region.side / 8)
    expected = [1 / (1 + math.exp(-logit)) for logit in np.linspace(-4, 4, 33)]
    np.testing.assert_allclose(body.keypoints[:, 3], expected)
    assert body.score == 0.9


def test_a_body_is_followed_by_its_own_points(networks: Networks) -> None:
    landmarker: Any = PoseLandmarker(Path())
    landmarker(IMAGE)
    first = landmarker._followed
    landmarker(IMAGE)
    assert (networks.detections, networks.looks) == (1, 2)
    hips, top = to_image(np.array([networks.hips, networks.top]), first)
    assert (landmarker._followed.x, landmarker._followed.y) == pytest.approx(tuple(hips))
    assert landmarker._followed.side == pytest.approx(2.5 * np.linalg.norm(top - hips))
    landmarker.reset()
    landmarker(IMAGE)
    assert networks.detections == 2


def test_a_lost_body_is_looked_for_in_the_next_image(networks: Networks) -> None:
    landmarker = PoseLandmarker(Path())
    assert landmarker(IMAGE) is not None
    networks.presence = 0.5
    assert landmarker(IMAGE) is None
    assert networks.detections == 1
    networks.presence = 0.6
    assert landmarker(IMAGE) is not None
    assert networks.detections == 2


def test_nothing_detected_is_not_looked_at(networks: Networks) -> None:
    networks.logit = -0.1
    assert PoseLandmarker(Path())(IMAGE) is None
    assert networks.looks == 0
    assert PoseLandmarker(Path(), min_detection=0.4)(IMAGE) is not None


@pytest.mark.parametrize("name", ["min_detection", "min_presence"])
def test_options_are_checked(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 2"):
        PoseLandmarker(tmp_path, **{name: 2})


@pytest.fixture(scope="module")
def weights() -> Path:
    if reason := missing("mediapipe_pose"):
        pytest.skip(reason)
    return locate("mediapipe_pose")


@pytest.mark.weights
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_image_shows_nobody(weights: Path, grey: int) -> None:
    assert PoseLandmarker(weights)(np.full((240, 320, 3), grey, np.uint8)) is None


@pytest.mark.weights
def test_the_same_images_give_the_same_bytes(weights: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 120, 160, 3), dtype=np.uint8)
    first = PoseLandmarker(weights, min_detection=0.0, min_presence=0.0)
    second = PoseLandmarker(weights, min_detection=0.0, min_presence=0.0)
    for image in images:
        body, other = first(image), second(image)
        assert body is not None
        assert other is not None
        assert body.score == other.score
        np.testing.assert_array_equal(body.keypoints, other.keypoints)


@pytest.mark.weights
def test_the_palm_detector_in_its_place_is_an_error(weights: Path, tmp_path: Path) -> None:
    if reason := missing("mediapipe_hands"):
        pytest.skip(reason)
    palms = locate("mediapipe_hands") / "palm_detection_full.tflite"
    shutil.copy(palms, tmp_path / DETECTION_FILE)
    shutil.copy(weights / LANDMARK_FILE, tmp_path / LANDMARK_FILE)
    with pytest.raises(WeightsError, match=f"{DETECTION_FILE}.*another network"):
        PoseLandmarker(tmp_path)
