"""The signal ``pose``: the 33 keypoints of one body, by MediaPipe's pose models.

The models are those of BlazePose (Bazarevsky et al. 2020, arXiv:2006.10204). Running them is the
work of :mod:`offhand.models.body`; this module decides which frames they see. While nobody is in
view only ``detect_hz`` frames a second are searched, as the search is what costs; while a body is
followed, and for a moment after it was lost, every sampled frame is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from offhand.records import ByteArray, Clip, FrameBlock, FrameRequest, Signal, option
from offhand.signals.base import EveryBlock, Mask
from offhand.weights import locate

if TYPE_CHECKING:
    from offhand.models.body import Body

KEYPOINTS = (
    "nose",
    *(f"{side}_eye{part}" for side in ("left", "right") for part in ("_inner", "", "_outer")),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *(
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
        for side in ("left", "right")
    ),
    *(
        f"{side}_{part}"
        for part in ("hip", "knee", "ankle", "heel", "foot_index")
        for side in ("left", "right")
    ),
)
"""Names of the 33 keypoints in the model's order; left and right are those of the body."""

CHANNELS = (
    *(f"{point}_{part}" for point in KEYPOINTS for part in ("x", "y", "z", "visibility")),
    "score",
    "examined",
)
"""x (to the right), y (down) and z (away from the camera, from the middle of the hips) as fractions
of the image's shorter side, so that angles keep their size; visibility and score in 0..1; examined
is 1 where the frame was looked at, 0 where not."""

LONGEST_GAP_S = 1.0
"""Behind a longer gap between frames nobody is followed: the picture may be another one."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Keypoints of the body in view.

    One sample for each sampled frame. Keypoints and score are NaN where no body was found or none
    was looked for. What was not looked at lies less than ``1 / detect_hz`` behind a look that found
    nobody, so the share of the samples with a score is the share of the time with a body in view,
    less what was in view too briefly.

    Attributes
    ----------
    rate_hz
        Sampling rate wanted.
    detect_hz
        Rate at which a body is looked for while none is in view; from ``rate_hz`` up, every sampled
        frame is looked at.
    short_side_px
        Size of the images that the models are given.
    min_detection, min_presence
        Confidence below which a body is not taken up, or no longer followed.
    """

    name: ClassVar[str] = "pose"
    version: ClassVar[int] = 1

    rate_hz: float = option(10.0, "sampling rate wanted, in images per second")
    detect_hz: float = option(2.0, "how often a second a body is looked for while none is in view")
    short_side_px: int = option(360, "shorter side of the images that the models are given")
    min_detection: float = option(
        0.7,
        "confidence, 0 to 1, from which a detected body is taken up; "
        "at the models' own 0.5 walls and planks seen through a fisheye pass for bodies",
    )
    min_presence: float = option(0.5, "confidence, 0 to 1, below which a body is lost")

    def __post_init__(self) -> None:
        for name in ("rate_hz", "detect_hz"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, must be positive")
        if self.short_side_px < 64:
            raise ValueError(f"short_side_px is {self.short_side_px}, must be at least 64")
        for name in ("min_detection", "min_presence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must lie in 0..1")

    @property
    def request(self) -> FrameRequest:
        """Colour frames at the sampling rate."""
        return FrameRequest(rate_hz=self.rate_hz, short_side_px=self.short_side_px, colour="rgb")

    @property
    def weights(self) -> tuple[str, ...]:
        """The detector and the landmark model of MediaPipe's pose task."""
        return ("mediapipe_pose",)

    def start(self, clip: Clip) -> PoseState:
        """Begin a clip.

        Raises
        ------
        WeightsError
            The weights are not on this machine, or damaged.
        SignalError
            The clip's mask image cannot be read.
        """
        from offhand.models.body import PoseLandmarker

        landmarker = PoseLandmarker(
            locate(self.weights[0]),
            min_detection=self.min_detection,
            min_presence=self.min_presence,
        )
        return PoseState(self, clip, landmarker)


class Landmarker(Protocol):
    """What finds the body in one image after another, following it where it can."""

    def __call__(self, image: ByteArray, /) -> Body | None:
        """Return the body in an RGB image ``(height, width, 3)``, or ``None``."""
        ...

    def reset(self) -> None:
        """Forget the body that was followed."""
        ...


class PoseState(EveryBlock):
    """The running computation on one clip; every block of frames becomes a chunk.

    Parameters
    ----------
    options
        The configuration.
    clip
        The clip, for its mask.
    landmarker
        What finds the body.
    """

    purpose = "look for a body in"

    def __init__(self, options: Pose, clip: Clip, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        # half a frame less: with rounded time stamps a look must not slip to the next frame
        self._wait_s = 1 / options.detect_hz - 0.5 / options.rate_hz
        self._mask = Mask(clip)
        self._frame_s = self._look_s = self._found_s = -np.inf

    def measured(self, block: FrameBlock) -> Signal:
        """Take RGB frames ``(n, height, width, 3)``; return their chunk."""
        values = np.full((len(block.time_s), len(CHANNELS)), np.nan)
        images = self._mask.blacken(block.images)
        for row, time_s, image in zip(values, block.time_s, images, strict=True):
            row[-1] = float(self._due(float(time_s)))
            body = self._landmarker(image) if row[-1] else None
            if body is not None:
                self._found_s = float(time_s)
                unit_px = min(image.shape[:2])
                row[:-2] = (body.keypoints / [unit_px, unit_px, unit_px, 1]).reshape(-1)
                row[-2] = body.score
        return Signal(name=Pose.name, time_s=block.time_s, channels=CHANNELS, values=values)

    def _due(self, time_s: float) -> bool:
        """Tell whether to look at the next frame, and remember the look."""
        if time_s - self._frame_s > LONGEST_GAP_S:
            self._landmarker.reset()
            self._look_s = self._found_s = -np.inf
        self._frame_s = time_s
        nobody = time_s - self._found_s > self._wait_s
        if nobody and time_s - self._look_s < self._wait_s:
            return False
        self._look_s = time_s
        return True
