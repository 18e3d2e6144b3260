"""The same recording otherwise: fewer frames, another speed, cropped, mirrored, scaled, worn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from offhand.records import ByteArray, Clip, FrameRequest
from offhand.video.decode import FrameReader
from offhand.video.encode import write_video

Frames = list[tuple[float, ByteArray]]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One change of a recording; ``slower`` is by how much its period grows."""

    name: str
    change: Callable[[Frames], Frames]
    slower: float = 1.0


def read_frames(path: Path) -> Frames:
    """Return all frames of a short video, even in width and height."""
    request = FrameRequest(rate_hz=None, short_side_px=100_000, colour="rgb")
    frames: Frames = []
    for _, block in FrameReader(Clip(clip_id="clip", path=str(path)), [request]):
        for time_s, image in zip(block.time_s, block.images, strict=True):
            height, width = (side // 2 * 2 for side in image.shape[:2])
            frames.append((float(time_s), np.ascontiguousarray(image[:height, :width])))
    return frames


def write_frames(path: Path, frames: Frames) -> None:
    """Write a variant."""
    first_s = frames[0][0]
    step_s = float(np.median(np.diff([time_s for time_s, _ in frames])))
    rate = Fraction(1 / step_s).limit_denominator(1001)
    write_video(path, ((time_s - first_s, image) for time_s, image in frames), rate=rate)


def thinned(rate_hz: float) -> Callable[[Frames], Frames]:
    """Keep the frame nearest to each tick of a lower rate."""

    def change(frames: Frames) -> Frames:
        times = np.array([time_s for time_s, _ in frames])
        ticks = np.arange(times[0], times[-1], 1 / rate_hz)
        kept = np.unique(np.abs(times[:, None] - ticks[None, :]).argmin(axis=0))
        return [frames[index] for index in kept]

    return change


def timed(factor: float) -> Callable[[Frames], Frames]:
    """Stretch the time stamps."""
    return lambda frames: [(time_s * factor, image) for time_s, image in frames]


def each(function: Callable[[ByteArray], ByteArray]) -> Callable[[Frames], Frames]:
    """Change every picture."""
    return lambda frames: [
        (time_s, np.ascontiguousarray(function(image))) for time_s, image in frames
    ]


def cropped(image: ByteArray) -> ByteArray:
    """Cut a tenth off every side."""
    height, width = image.shape[:2]
    top, left = height // 10, width // 10
    return image[top : top + 2 * ((height - 2 * top) // 2), left : left + 2 * (width * 2 // 5)]


def scaled(lines: int) -> Callable[[ByteArray], ByteArray]:
    """Scale to a number of lines."""

    def change(image: ByteArray) -> ByteArray:
        width = round(image.shape[1] * lines / image.shape[0] / 2) * 2
        return np.asarray(cv2.resize(image, (width, lines), interpolation=cv2.INTER_AREA), np.uint8)

    return change


def worn(image: ByteArray) -> ByteArray:
    """Compress hard: JPEG at quality 12."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 12])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def variants(frame_rate: float) -> Iterator[Variant]:
    """Yield the variants of a recording."""
    for rate_hz in (24.0, 15.0, 10.0):
        if rate_hz < 0.9 * frame_rate:
            yield Variant(name=f"{rate_hz:g} frames/s", change=thinned(rate_hz))
    yield Variant(name="half speed", change=timed(2.0), slower=2.0)
    yield Variant(name="double speed", change=timed(0.5), slower=0.5)
    yield Variant(name="cropped", change=each(cropped))
    yield Variant(name="mirrored", change=each(lambda image: image[:, ::-1]))
    yield Variant(name="compressed hard", change=each(worn))
    yield Variant(name="180 lines", change=each(scaled(180)))
    yield Variant(name="1080 lines", change=each(scaled(1080)))
