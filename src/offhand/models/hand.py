"""Palms and hands with 21 keypoints: MediaPipe's palm detector and hand landmark network.

Networks and method: arXiv:2006.10214 and the model card *MediaPipe Hands*; the numbers are the
options published with MediaPipe's hand landmarker (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Literal

import numpy as np

from offhand.models import regions, ssd
from offhand.models.images import check_image, check_share
from offhand.models.regions import Region
from offhand.models.tflite import Network
from offhand.records import ByteArray, FloatArray

PALM_FILE = "palm_detection_full.tflite"
HAND_FILE = "hand_landmark_full.tflite"

PALM_PX = 192
"""Side of the palm detector's input."""

PALM_STRIDES = (8, 16, 16, 16)
"""Pixels between its anchors, for each layer."""

PALM_KEYPOINTS = 7
"""Wrist, knuckles of index, middle, ring and little finger, two of the thumb."""

PALM_TURN = (90 - pi / 2) % (2 * pi)
"""Radians, clockwise to the eye, by which the region of a palm is turned: 26.6 degrees. MediaPipe's
hand task gives 90, meant in degrees, to an option in radians."""

HAND_PX = 224
"""Side of the landmark network's input."""

DEPTH = 0.4
"""What the network's z is divided by to have the unit of its x and y."""

SAME_HAND = 0.5
"""Intersection over union from which a palm is a hand that is followed already."""

KNUCKLES = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Keypoints that place the region in the next image: all but the outer finger joints."""


@dataclass(frozen=True, kw_only=True)
class Palm:
    """A palm as the detector sees it.

    Attributes
    ----------
    score
        Confidence in 0..1.
    box
        Around the palm without the fingers: x0, y0, x1, y1 in pixels; may leave the image.
    keypoints
        ``(7, 2)`` x and y in pixels.
    """

    score: float
    box: tuple[float, float, float, float]
    keypoints: FloatArray


@dataclass(frozen=True, kw_only=True)
class Hand:
    """A hand with its keypoints.

    Attributes
    ----------
    keypoints
        ``(21, 3)``: x and y in pixels of the image, z in the same unit relative to the wrist,
        negative towards the camera. Wrist, then four from base to tip for thumb, index,
        middle, ring and little finger.
    handedness
        The anatomical hand, for a picture that is not mirrored.
    score
        Probability that a hand is there, 0..1.
    box
        Around the keypoints: x0, y0, x1, y1 in pixels; may leave the image.
    """

    keypoints: FloatArray
    handedness: Literal["left", "right"]
    score: float
    box: tuple[float, float, float, float]


class PalmDetector:
    """All palms in one image, without memory of the image before.

    Parameters
    ----------
    folder
        Holds ``palm_detection_full.tflite``.
    min_detection
        Palms of a lower score are dropped, 0..1.
    threads
        Threads of the runtime.

    Raises
    ------
    WeightsMissing, WeightsError
        As in :class:`offhand.models.tflite.Network`.
    """

    def __init__(self, folder: Path, *, min_detection: float = 0.5, threads: int = 1) -> None:
        self._min_score = check_share("min_detection", min_detection)
        self._anchors = ssd.anchors(PALM_PX, PALM_STRIDES)
        count = len(self._anchors)
        self._network = Network(
            folder / PALM_FILE,
            inputs=(PALM_PX, PALM_PX, 3),
            outputs=[(count, 4 + 2 * PALM_KEYPOINTS), (count, 1)],
            threads=threads,
        )

    def __call__(self, image: ByteArray) -> tuple[Palm, ...]:
        """Return the palms in an RGB image ``(height, width, 3)``, best first."""
        check_image(image)
        whole = regions.letterbox(image.shape[0], image.shape[1])
        regressors, logits = self._network(
            regions.crop(image, whole, PALM_PX, beyond="black") / 255.0
        )
        found = ssd.suppress(
            ssd.decode(
                regressors, logits, self._anchors, input_px=PALM_PX, min_score=self._min_score
            )
        )
        return tuple(
            Palm(
                score=float(score),
                box=_box(regions.to_image(box.reshape(2, 2), whole)),
                keypoints=regions.to_image(keypoints, whole),
            )
            for score, box, keypoints in zip(
                found.scores, found.boxes, found.keypoints, strict=True
            )
        )


class HandLandmarker:
    """Hands in the consecutive images of a video.

    A hand found in the image before is looked for around its keypoints; palms are detected
    only while fewer hands than ``max_hands`` are followed. There is no smoothing over time.

    Parameters
    ----------
    folder
        Holds ``palm_detection_full.tflite`` and ``hand_landmark_full.tflite``.
    max_hands
        Most hands to report.
    min_detection
        Score that a palm needs, 0..1.
    min_presence
        Score above which a hand is reported and followed, 0..1.
    threads
        Threads of the runtime.

    Raises
    ------
    WeightsMissing, WeightsError
        As in :class:`offhand.models.tflite.Network`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_hands: int = 2,
        min_detection: float = 0.5,
        min_presence: float = 0.5,
        threads: int = 1,
    ) -> None:
        if max_hands < 1:
            raise ValueError(f"max_hands is {max_hands}, must be at least 1")
        self._max_hands = max_hands
        self._min_presence = check_share("min_presence", min_presence)
        self._palms = PalmDetector(folder, min_detection=min_detection, threads=threads)
        self._network = Network(
            folder / HAND_FILE,
            inputs=(HAND_PX, HAND_PX, 3),
            outputs=[(63,), (1,), (1,), (63,)],
            threads=threads,
        )
        self._followed: list[Region] = []
        self._detected = False

    @property
    def detected(self) -> bool:
        """Whether the palm detector ran on the last image and found a palm."""
        return self._detected

    def reset(self) -> None:
        """Forget the hands of the image before, as after a cut."""
        self._followed = []
        self._detected = False

    def __call__(self, image: ByteArray) -> tuple[Hand, ...]:
        """Return the hands in the next RGB image ``(height, width, 3)``, followed ones first."""
        check_image(image)
        searched = list(self._followed)
        self._detected = False
        if len(searched) < self._max_hands:
            palms = self._palms(image)
            self._detected = bool(palms)
            for palm in palms[: self._max_hands]:
                region = palm_region(palm)
                if not _known(region, searched):
                    searched.append(region)
        hands: list[Hand] = []
        for region in searched[: self._max_hands]:
            hand = self._look(image, region)
            if hand.score > self._min_presence and not any(same(hand, known) for known in hands):
                hands.append(hand)
        self._followed = [hand_region(hand.keypoints[:, :2]) for hand in hands]
        return tuple(hands)

    def _look(self, image: ByteArray, region: Region) -> Hand:
        """Run the landmark network on a region."""
        values, presence, handedness, _ = self._network(
            regions.crop(image, region, HAND_PX, beyond="edge") / 255.0
        )
        points = values.reshape(21, 3) / HAND_PX
        flat = regions.to_image(points[:, :2], region)
        depth = points[:, 2:] / DEPTH * region.side
        return Hand(
            keypoints=np.concatenate([flat, depth], axis=1),
            handedness="right" if handedness[0] >= 0.5 else "left",
            score=float(presence[0]),
            box=_box(np.stack([flat.min(axis=0), flat.max(axis=0)])),
        )


def palm_region(palm: Palm) -> Region:
    """Return where to look for the hand of a palm.

    It is the region of MediaPipe's hand task: wrist down and middle finger's knuckle up, and then
    turned by :data:`PALM_TURN`, its shift towards the fingers too.
    """
    x0, y0, x1, y1 = palm.box
    return regions.grown(
        np.array([(x0 + x1) / 2, (y0 + y1) / 2]),
        x1 - x0,
        y1 - y0,
        regions.upright(palm.keypoints[0], palm.keypoints[2]) + PALM_TURN,
        scale=2.6,
        shift=-0.5,
    )


def hand_region(keypoints: FloatArray) -> Region:
    """Return where to look in the next image for a hand with keypoints ``(21, 2)``."""
    towards = (keypoints[5] + keypoints[13]) / 4 + keypoints[9] / 2
    angle = regions.upright(keypoints[0], towards)
    centre, width, height = regions.around(keypoints[list(KNUCKLES)], angle)
    return regions.grown(centre, width, height, angle, scale=2.0, shift=-0.1)


def same(hand: Hand, other: Hand) -> bool:
    """Return whether two results show one hand.

    They do if at least ten keypoints lie within a fifth of the palm's size of each other and
    the boxes overlap by more than a fifth.
    """
    palm_px = max(_palm_px(hand), _palm_px(other))
    apart_px = np.linalg.norm(hand.keypoints[:, :2] - other.keypoints[:, :2], axis=1)
    overlap = ssd.overlaps(np.array(hand.box), np.array([other.box]))[0]
    return bool((apart_px < 0.2 * palm_px).sum() >= 10 and overlap > 0.2)


def _palm_px(hand: Hand) -> float:
    """Return the longest side of the triangle of wrist and outer knuckles."""
    corners = hand.keypoints[[0, 5, 17], :2]
    return float(np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max())


def _known(region: Region, others: Sequence[Region]) -> bool:
    """Return whether a region overlaps one of the others, their rotation set aside."""
    if not others:
        return False
    boxes = np.array([other.box for other in others])
    return bool((ssd.overlaps(region.box, boxes) > SAME_HAND).any())


def _box(corners: FloatArray) -> tuple[float, float, float, float]:
    """Return corners ``(2, 2)`` as x0, y0, x1, y1."""
    x0, y0, x1, y1 = (float(value) for value in corners.reshape(-1))
    return x0, y0, x1, y1
