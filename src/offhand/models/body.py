"""A body with 33 keypoints: MediaPipe's pose detector and pose landmark network.

Networks and method: BlazePose, arXiv:2006.10204, and the model card *BlazePose GHUM 3D*; the
numbers are the options published with MediaPipe's pose landmarker (Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offhand.models import regions, ssd
from offhand.models.images import check_image, check_share
from offhand.models.regions import Region
from offhand.models.tflite import Network
from offhand.records import ByteArray, FloatArray

DETECTION_FILE = "pose_detection.tflite"
LANDMARK_FILE = "pose_landmark_full.tflite"

DETECTION_PX = 224
"""Side of the detector's input."""

DETECTION_STRIDES = (8, 16, 32, 32, 32)
"""Pixels between its anchors, for each layer."""

DETECTION_KEYPOINTS = 4
"""Middle of the hips, top of the circle around the body; the same for the upper body."""

LANDMARK_PX = 256
"""Side of the landmark network's input."""

POINTS = 39
"""Points of the landmark network: the body's 33, then the two that place the next region."""

HEATMAP_PX = 64
"""Side of the network's heatmaps, one for each point."""

REACH_PX = 3
"""How far around a point its heatmap is averaged."""

MIN_PEAK = 0.5
"""What a heatmap must reach there to move the point."""

MARGIN = 1.25
"""Factor from the circle around a body to the region that is looked at."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A body with its keypoints.

    Attributes
    ----------
    keypoints
        ``(33, 4)``: x and y in pixels of the image; z in the same unit relative to the
        middle of the hips, negative towards the camera; the probability 0..1 that the point
        is visible. In BlazePose's order: face, shoulders, elbows, wrists, fingers, hips,
        knees, ankles, feet; left before right.
    score
        Probability that a body is there, 0..1.
    """

    keypoints: FloatArray
    score: float


class PoseLandmarker:
    """The body in the consecutive images of a video.

    A body found in the image before is looked for around its keypoints; the detector runs
    only while none is followed. There is no smoothing over time, unlike in MediaPipe's task.

    Parameters
    ----------
    folder
        Holds ``pose_detection.tflite`` and ``pose_landmark_full.tflite``.
    min_detection
        Score that a detection needs, 0..1.
    min_presence
        Score above which a body is reported and followed, 0..1.
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
        min_detection: float = 0.5,
        min_presence: float = 0.5,
        threads: int = 1,
    ) -> None:
        self._min_detection = check_share("min_detection", min_detection)
        self._min_presence = check_share("min_presence", min_presence)
        self._anchors = ssd.anchors(DETECTION_PX, DETECTION_STRIDES)
        count = len(self._anchors)
        self._detector = Network(
            folder / DETECTION_FILE,
            inputs=(DETECTION_PX, DETECTION_PX, 3),
            outputs=[(count, 4 + 2 * DETECTION_KEYPOINTS), (count, 1)],
            threads=threads,
        )
        self._network = Network(
            folder / LANDMARK_FILE,
            inputs=(LANDMARK_PX, LANDMARK_PX, 3),
            outputs=[
                (5 * POINTS,),
                (1,),
                (LANDMARK_PX, LANDMARK_PX, 1),
                (HEATMAP_PX, HEATMAP_PX, POINTS),
                (3 * POINTS,),
            ],
            threads=threads,
        )
        self._followed: Region | None = None

    def reset(self) -> None:
        """Forget the body of the image before, as after a cut."""
        self._followed = None

    def __call__(self, image: ByteArray) -> Body | None:
        """Return the body in the next RGB image ``(height, width, 3)``, or None."""
        check_image(image)
        region = self._followed or self._detect(image)
        self._followed = None
        if region is None:
            return None
        values, presence, _, heatmaps, _ = self._network(
            regions.crop(image, region, LANDMARK_PX, beyond="edge") / 255.0
        )
        score = float(presence[0])
        if not score > self._min_presence:
            return None
        points = values.reshape(POINTS, 5)
        flat = regions.to_image(refined(points[:, :2] / LANDMARK_PX, heatmaps), region)
        self._followed = regions.aligned(flat[33], flat[34], scale=MARGIN)
        depth = points[:33, 2:3] / LANDMARK_PX * region.side
        visible = ssd.sigmoid(points[:33, 3:4])
        return Body(keypoints=np.concatenate([flat[:33], depth, visible], axis=1), score=score)

    def _detect(self, image: ByteArray) -> Region | None:
        """Return the region of the best body in an image, or None."""
        whole = regions.letterbox(image.shape[0], image.shape[1])
        pixels = regions.crop(image, whole, DETECTION_PX, beyond="black") / 127.5 - 1.0
        regressors, logits = self._detector(pixels)
        found = ssd.suppress(
            ssd.decode(
                regressors,
                logits,
                self._anchors,
                input_px=DETECTION_PX,
                min_score=self._min_detection,
            )
        )
        if not len(found.scores):
            return None
        hips, top = regions.to_image(found.keypoints[0, :2], whole)
        return regions.aligned(hips, top, scale=MARGIN)


def refined(points: FloatArray, heatmaps: FloatArray) -> FloatArray:
    """Return points moved to the centre of gravity of their heatmaps near them.

    Parameters
    ----------
    points
        ``(n, 2)`` x and y in 0..1 of the region.
    heatmaps
        ``(side, side, n)`` before the sigmoid. A point outside of them, or whose heatmap is
        low around it, stays.
    """
    side = heatmaps.shape[0]
    moved = points.copy()
    cells = np.trunc(points * side).astype(np.int64)
    for index in np.flatnonzero(((cells >= 0) & (cells < side)).all(axis=1)):
        low = np.maximum(cells[index] - REACH_PX, 0)
        high = np.minimum(cells[index] + REACH_PX + 1, side)
        heat = ssd.sigmoid(heatmaps[low[1] : high[1], low[0] : high[0], index])
        if heat.max() >= MIN_PEAK:
            columns, rows = np.arange(low[0], high[0]), np.arange(low[1], high[1])
            centre = heat.sum(axis=0) @ columns, heat.sum(axis=1) @ rows
            moved[index] = np.array(centre) / heat.sum() / side
    return moved
