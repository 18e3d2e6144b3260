from __future__ import annotations

import shutil
from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhand.errors import WeightsError
from offhand.models import hand as module
from offhand.models.hand import (
    HAND_FILE,
    PALM_FILE,
    Hand,
    HandLandmarker,
    Palm,
    PalmDetector,
    hand_region,
    palm_region,
    same,
)
from offhand.models.regions import to_region
from offhand.records import ByteArray, FloatArray
from offhand.weights import locate, missing

IMAGE = np.zeros((60, 80, 3), np.uint8)

SKETCH = np.array(
    [
        [0, 0], [-3, -2], [-5, -4], [-6, -6], [-7, -7],
        [-3, -9], [-3, -12], [-3, -14], [-3, -16],
        [0, -10], [0, -13], [0, -16], [0, -18],
        [2, -9], [2, -12], [2, -14], [2, -16],
        [4, -8], [4, -10], [4, -11], [4, -12],
    ],
    float,
)  # fmt: skip
"""A hand's keypoints, wrist first, fingers up."""


def turned(points: FloatArray, angle: float) -> FloatArray:
    matrix = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    return np.asarray(points @ matrix.T)


def hand_at(x: float, y: float, *, score: float = 0.9, scale: float = 1.0) -> Hand:
    points = SKETCH * scale + (x, y)
    low, high = points.min(axis=0), points.max(axis=0)
    return Hand(
        keypoints=np.concatenate([points, np.zeros((21, 1))], axis=1),
        handedness="left",
        score=score,
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
    )


def palm_at(x: float, y: float, *, angle: float = 0.0, size: float = 10.0) -> Palm:
    keypoints = np.zeros((7, 2))
    keypoints[0] = (x, y + size / 2)
    keypoints[2] = (x + size * sin(angle), y + size / 2 - size * cos(angle))
    half = size / 2
    return Palm(score=0.8, box=(x - half, y - half, x + half, y + half), keypoints=keypoints)


class Palms:
    """Stands for the palm detector."""

    def __init__(self, *palms: Palm) -> None:
        self.palms, self.calls = palms, 0

    def __call__(self, image: ByteArray) -> tuple[Palm, ...]:
        self.calls += 1
        return self.palms


@pytest.fixture
def landmarker(monkeypatch: pytest.MonkeyPatch) -> HandLandmarker:
    """A landmarker without networks, which finds a hand in every region."""
    monkeypatch.setattr(module, "Network", lambda *args, **options: None)
    made: Any = HandLandmarker(Path())
    made._palms = Palms()
    made._look = lambda image, region: hand_at(region.x, region.y + 8)
    result: HandLandmarker = made
    return result


@pytest.mark.parametrize("degrees", [-150, -40, 0, 25, 90, 179])
def test_the_region_of_a_palm_is_turned_as_in_the_reference(degrees: float) -> None:
    palm = palm_at(100, 80, angle=radians(degrees))
    region = palm_region(palm)
    assert region.side == pytest.approx(26)
    # seen from the region, the fingers lean to the left by what it is turned too far
    wrist, knuckle = to_region(palm.keypoints[[0, 2]], region)
    leaning = 10 / 26 * np.array([-sin(radians(26.62)), -cos(radians(26.62))])
    np.testing.assert_allclose(knuckle - wrist, leaning, atol=1e-4)
    # half a palm along the region's own axis
    centre = np.array([region.x - 100, region.y - 80])
    expected = 5 * np.array([sin(radians(degrees + 26.62)), -cos(radians(degrees + 26.62))])
    np.testing.assert_allclose(centre, expected, atol=1e-3)


@pytest.mark.parametrize("degrees", [0, 60, -120])
def test_the_next_region_turns_with_the_hand(degrees: float) -> None:
    upright, region = hand_region(SKETCH), hand_region(turned(SKETCH, radians(degrees)))
    assert region.side == pytest.approx(upright.side)
    moved = turned(np.array([[upright.x, upright.y]]), radians(degrees))[0]
    np.testing.assert_allclose((region.x, region.y), moved, atol=1e-9)
    change = (region.angle - upright.angle - radians(degrees) + np.pi) % (2 * np.pi) - np.pi
    assert change == pytest.approx(0, abs=1e-9)


def test_the_next_region_holds_the_whole_hand_and_ignores_the_outer_joints() -> None:
    region = hand_region(SKETCH)
    inside = to_region(SKETCH, region)
    assert ((inside > 0) & (inside < 1)).all()
    curled = SKETCH.copy()
    curled[[4, 7, 8, 11, 12, 15, 16, 19, 20]] = 0
    assert hand_region(curled) == region


def test_same_hand() -> None:
    hand = hand_at(50, 50)
    assert same(hand, hand)
    assert same(hand, hand_at(51, 50))
    assert not same(hand, hand_at(53, 50))
    few = hand.keypoints.copy()
    few[:12, 0] += 50
    assert not same(hand, replace(hand, keypoints=few))
    assert not same(hand, replace(hand, box=(90, 90, 99, 99)))


def test_a_hand_is_followed_without_another_detection_once_there_are_enough(
    landmarker: Any,
) -> None:
    landmarker._palms = Palms(palm_at(20, 20), palm_at(60, 20))
    assert len(landmarker(IMAGE)) == 2
    assert landmarker.detected
    assert landmarker._palms.calls == 1
    assert len(landmarker(IMAGE)) == 2
    assert landmarker._palms.calls == 1
    assert not landmarker.detected
    landmarker.reset()
    landmarker(IMAGE)
    assert landmarker._palms.calls == 2


def test_a_palm_of_a_followed_hand_is_not_looked_at_twice(landmarker: Any) -> None:
    landmarker._palms = Palms(palm_at(20, 20))
    looked: list[Any] = []
    found = hand_at(20, 25)
    landmarker._look = lambda image, region: looked.append(region) or found
    landmarker(IMAGE)
    (followed,) = landmarker._followed
    landmarker._palms = Palms(palm_at(followed.x, followed.y + 5))
    landmarker(IMAGE)
    assert looked[1:] == [followed]


def test_a_hand_seen_in_two_regions_is_reported_once(landmarker: Any) -> None:
    landmarker._palms = Palms(palm_at(20, 20), palm_at(60, 20))
    landmarker._look = lambda image, region: hand_at(40, 30)
    assert len(landmarker(IMAGE)) == 1


def test_a_weak_hand_is_neither_reported_nor_followed(landmarker: Any) -> None:
    landmarker._palms = Palms(palm_at(20, 20))
    landmarker._look = lambda image, region: hand_at(20, 20, score=0.5)
    assert landmarker(IMAGE) == ()
    assert landmarker.detected
    landmarker(IMAGE)
    assert landmarker._palms.calls == 2


def test_no_more_hands_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Network", lambda *args, **options: None)
    made: Any = HandLandmarker(Path(), max_hands=1)
    made._palms = Palms(palm_at(20, 20), palm_at(60, 20))
    made._look = lambda image, region: hand_at(region.x, region.y)
    assert len(made(IMAGE)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_hands": 0}, "max_hands is 0"),
        ({"min_presence": 1.5}, r"min_presence is 1\.5"),
        ({"min_detection": -1}, "min_detection is -1"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HandLandmarker(tmp_path, **options)


@pytest.fixture(scope="module")
def weights() -> Path:
    if reason := missing("mediapipe_hands"):
        pytest.skip(reason)
    return locate("mediapipe_hands")


@pytest.mark.weights
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_image_shows_no_hand(weights: Path, grey: int) -> None:
    image = np.full((240, 320, 3), grey, np.uint8)
    assert PalmDetector(weights)(image) == ()
    assert HandLandmarker(weights)(image) == ()


@pytest.mark.weights
def test_the_same_images_give_the_same_bytes(weights: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 120, 160, 3), dtype=np.uint8)
    options = {"min_detection": 0.0, "min_presence": 0.0}
    first, second = HandLandmarker(weights, **options), HandLandmarker(weights, **options)
    for image in images:
        found, again = first(image), second(image)
        assert found
        for hand, other in zip(found, again, strict=True):
            assert (hand.score, hand.handedness, hand.box) == (
                other.score, other.handedness, other.box,
            )  # fmt: skip
            np.testing.assert_array_equal(hand.keypoints, other.keypoints)
            assert np.isfinite(hand.keypoints).all()


@pytest.mark.weights
def test_another_model_in_its_place_is_an_error(weights: Path, tmp_path: Path) -> None:
    shutil.copy(weights / PALM_FILE, tmp_path / PALM_FILE)
    shutil.copy(weights / PALM_FILE, tmp_path / HAND_FILE)
    with pytest.raises(WeightsError, match=f"{HAND_FILE}.*another network"):
        HandLandmarker(tmp_path)


@pytest.mark.weights
def test_a_grey_image_is_refused(weights: Path) -> None:
    with pytest.raises(ValueError, match="must be"):
        PalmDetector(weights)(np.zeros((40, 40), np.uint8))
