"""From colour frames to the channels of the signal ``hands``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np

from offhand.errors import SignalError
from offhand.records import (
    ByteArray,
    Clip,
    FloatArray,
    FrameBlock,
    FrameRequest,
    Signal,
    option,
)
from offhand.signals.hands.anchors import AnchorDetector, owlv2_anchors, wilor_anchors
from offhand.signals.hands.boxes import MAX_HANDS, Box
from offhand.signals.hands.detector import HandDetector, Landmarker
from offhand.signals.hands.tracker import follow, reduced
from offhand.weights import locate

EDGES = ("left", "top", "right", "bottom")

CHANNELS = (
    "detector_fired",
    "n_hands",
    *(
        f"hand_{number}_{part}"
        for number in range(1, MAX_HANDS + 1)
        for part in ("score", "is_right", *EDGES)
    ),
    "tracked",
    "n_tracked",
    *(f"track_{number}_{edge}" for number in range(1, MAX_HANDS + 1) for edge in EDGES),
)
"""Fired and tracked are 1 where there is a hand, else 0; ``is_right`` is 1 for a right hand, 0 for
a left one; edges are fractions of the image's width and height. Hands are in falling order of
score; what belongs to a hand that is not there is NaN."""

HANDS_WEIGHTS = "mediapipe_hands"
OWLV2_WEIGHTS = "owlv2_base"

LONGEST_GAP_S = 1.0
"""Behind a longer gap between frames nothing is followed: the picture may be another one."""

BLOCK_S = 10.0
"""Longest stretch that is tracked at once; longer ones are cut into such blocks."""

BLOCK_FRAMES = 240
"""Most frames that are kept for the tracker, so that memory stays flat: 75 MB at 16 to 9."""

SURE_SCORE = 0.9
"""Score from which a hand of MediaPipe starts a tracker. Of the labelled hands that it finds, 86 %
have it; of the boxes that show no hand, 26 %; and one such box would be carried for seconds."""

ANCHOR_EVERY_S = 0.5
"""How often an anchor detector other than the default one is asked; it is slow."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """Hands by a detector, and by a tracker between the frames where a detector saw them.

    MediaPipe's hand models (arXiv:2006.10214) look at every frame of the stretches that are
    examined. Boxes of the anchor detector start CSRT trackers forward and backward.

    Attributes
    ----------
    coverage
        ``sampled`` examines the first ``stretch_s`` of every ``every_s`` seconds of the recording,
        ``every-frame`` all of it.
    stretch_s, every_s
        The sampling, in seconds; of no effect on ``every-frame``.
    anchor
        What anchors the tracker: the hands of MediaPipe; OWLv2 asked for a gloved hand; or WiLoR,
        where the user has installed it (non-commercial; see :mod:`offhand.models.wilor`).
    longest_track_s
        How long a hand is carried without an anchor, in seconds.
    short_side_px
        Size of the images that the models are given.
    min_detection, min_presence
        Confidence below which a palm is not taken up, or a hand is no longer followed.
    """

    name: ClassVar[str] = "hands"
    version: ClassVar[int] = 2

    coverage: Literal["sampled", "every-frame"] = option(
        "sampled", "which frames are examined: those of regular stretches, or every frame"
    )
    stretch_s: float = option(1.0, "length of a sampled stretch in seconds")
    every_s: float = option(6.0, "time from one sampled stretch to the next in seconds")
    anchor: Literal["mediapipe", "owlv2", "wilor"] = option(
        "mediapipe",
        "detector whose boxes start the tracker; wilor is for non-commercial use, to be installed "
        "by the user",
    )
    longest_track_s: float = option(2.0, "how long a hand is carried without an anchor, in seconds")
    short_side_px: int = option(480, "shorter side of the images that the models are given")
    min_detection: float = option(0.5, "confidence, 0 to 1, from which a palm is taken up")
    min_presence: float = option(0.5, "confidence, 0 to 1, below which a hand is lost")

    def __post_init__(self) -> None:
        if self.coverage not in ("sampled", "every-frame"):
            raise ValueError(f"coverage is {self.coverage!r}, must be sampled or every-frame")
        if self.anchor not in ("mediapipe", "owlv2", "wilor"):
            raise ValueError(f"anchor is {self.anchor!r}, must be mediapipe, owlv2 or wilor")
        if not 0 < self.stretch_s <= self.every_s:
            raise ValueError(
                f"stretch_s is {self.stretch_s}, must lie above 0, up to every_s ({self.every_s})"
            )
        if not 0 <= self.longest_track_s <= BLOCK_S:
            raise ValueError(
                f"longest_track_s is {self.longest_track_s}, must lie in 0..{BLOCK_S:g}"
            )
        if self.short_side_px < 64:
            raise ValueError(f"short_side_px is {self.short_side_px}, must be at least 64")
        for name in ("min_detection", "min_presence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must lie in 0..1")

    @property
    def request(self) -> FrameRequest:
        """Every colour frame of the stretches."""
        whole = self.coverage == "every-frame"
        return FrameRequest(
            rate_hz=None,
            short_side_px=self.short_side_px,
            colour="rgb",
            stretch_s=1.0 if whole else self.stretch_s,
            every_s=1.0 if whole else self.every_s,
        )

    @property
    def weights(self) -> tuple[str, ...]:
        """MediaPipe's hand models, and those of the anchor detector; WiLoR's are the user's."""
        return (HANDS_WEIGHTS, OWLV2_WEIGHTS) if self.anchor == "owlv2" else (HANDS_WEIGHTS,)

    def start(self, clip: Clip) -> HandsState:
        """Begin a clip.

        Raises
        ------
        WeightsError
            The weights are not on this machine, or damaged.
        SignalError
            The clip's mask image cannot be read.
        """
        from offhand.models.hand import HandLandmarker

        folder = locate(HANDS_WEIGHTS)

        def landmarker() -> Landmarker:
            return HandLandmarker(
                folder,
                max_hands=MAX_HANDS,
                min_detection=self.min_detection,
                min_presence=self.min_presence,
            )

        anchors: AnchorDetector | None = None
        if self.anchor == "owlv2":
            anchors = owlv2_anchors(OWLV2_WEIGHTS)
        elif self.anchor == "wilor":
            anchors = wilor_anchors()
        return HandsState(self, clip, HandDetector(landmarker), anchors)


class HandsState:
    """The running computation on one clip; a stretch, or a block of it, becomes a chunk.

    Parameters
    ----------
    options
        The configuration.
    clip
        The clip, for its mask.
    detector
        What finds hands in consecutive images.
    anchors
        What anchors the tracker; ``None`` for the hands of the detector.
    """

    def __init__(
        self,
        options: Hands,
        clip: Clip,
        detector: HandDetector,
        anchors: AnchorDetector | None,
    ) -> None:
        self._options = options
        self._request = options.request
        self._detector = detector
        self._anchor_detector = anchors
        self._mask = _read_mask(clip.mask_path)
        self._last_s = -np.inf
        self._anchored_s = -np.inf
        self._time_s: list[float] = []
        self._images: list[ByteArray] = []
        self._hands: list[Sequence[Box]] = []
        self._anchors: list[Sequence[Box]] = []
        self._emitted = False

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Take RGB frames ``(n, height, width, 3)``; yield a chunk when a stretch has ended."""
        for time_s, image in zip(block.time_s.tolist(), block.images, strict=True):
            begins = self._begins_stretch(time_s)
            if self._time_s and (begins or self._is_full(time_s)):
                yield self._chunk()
            if begins:
                self._detector.reset()
                self._anchored_s = -np.inf
            self._last_s = time_s
            self._add(time_s, self._masked(image))

    def finish(self) -> Iterator[Signal]:
        """Yield the last chunk; one without samples where no frame lay in a stretch."""
        if self._time_s or not self._emitted:
            yield self._chunk()

    def _begins_stretch(self, time_s: float) -> bool:
        """Tell whether a frame does not follow on the one before."""
        if time_s - self._last_s > LONGEST_GAP_S:
            return True
        every_s = self._request.every_s
        return not self._request.is_whole and time_s // every_s != self._last_s // every_s

    def _is_full(self, time_s: float) -> bool:
        """Tell whether the frames that wait for the tracker are as many as may be."""
        return len(self._time_s) >= BLOCK_FRAMES or time_s - self._time_s[0] >= BLOCK_S

    def _add(self, time_s: float, image: ByteArray) -> None:
        """Look for hands in a frame, and keep it for the tracker."""
        hands = self._detector(image)
        anchors: Sequence[Box] = hands
        if self._anchor_detector is not None:
            anchors = ()
            if time_s - self._anchored_s >= ANCHOR_EVERY_S:
                anchors = self._anchor_detector(image)
                self._anchored_s = time_s
        self._time_s.append(time_s)
        self._images.append(reduced(image))
        self._hands.append(hands)
        self._anchors.append(anchors)

    def _chunk(self) -> Signal:
        """Track through the frames that wait, and return their samples."""
        time_s = np.array(self._time_s, np.float64)
        tracks = follow(
            self._images,
            time_s,
            self._anchors,
            least_score=SURE_SCORE if self._anchor_detector is None else 0.0,
            longest_s=self._options.longest_track_s,
        )
        values = np.full((len(time_s), len(CHANNELS)), np.nan)
        for row, hands, tracked in zip(values, self._hands, tracks, strict=True):
            _fill(row, hands, tracked)
        self._time_s, self._images, self._hands, self._anchors = [], [], [], []
        self._emitted = True
        options = self._options
        examined = "every frame"
        if not self._request.is_whole:
            examined = f"{options.stretch_s:g} s of every {options.every_s:g} s"
        return Signal(
            name=Hands.name,
            time_s=time_s,
            channels=CHANNELS,
            values=values,
            notes={"anchor": options.anchor, "examined": examined},
        )

    def _masked(self, image: ByteArray) -> ByteArray:
        """Return the image with black where the user's mask is black."""
        if self._mask is None:
            return image
        height, width = image.shape[:2]
        if self._mask.shape != (height, width):
            resized = cv2.resize(self._mask, (width, height), interpolation=cv2.INTER_AREA)
            self._mask = np.asarray(resized, np.uint8)
        return np.where(self._mask[:, :, None] > 127, image, np.uint8(0))


def _fill(row: FloatArray, hands: Sequence[Box], tracked: Sequence[Box]) -> None:
    """Write the hands of one frame into its row of :data:`CHANNELS`."""
    named = {
        "detector_fired": float(bool(hands)),
        "n_hands": float(len(hands)),
        "tracked": float(bool(tracked)),
        "n_tracked": float(len(tracked)),
    }
    for number, hand in enumerate(hands, start=1):
        for part in ("score", "is_right", *EDGES):
            named[f"hand_{number}_{part}"] = getattr(hand, part)
    for number, box in enumerate(tracked, start=1):
        for edge in EDGES:
            named[f"track_{number}_{edge}"] = getattr(box, edge)
    for channel, value in named.items():
        row[CHANNELS.index(channel)] = value


def _read_mask(path: str | None) -> ByteArray | None:
    """Read a mask image as grey, or return ``None`` where no mask is wanted."""
    if path is None:
        return None
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SignalError(f"{path}: the mask cannot be read as an image (PNG or JPEG)")
    return np.asarray(mask, np.uint8)
