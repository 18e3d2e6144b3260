"""Writing video: true timestamps, an open codec, and no half-written files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import av
import av.error
import numpy as np

from offhand.errors import VideoError
from offhand.records import ByteArray

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_ENCODERS = {
    "vp9": (
        "libvpx-vp9",
        {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "30", "b": "0"},
    ),
    "av1": ("libsvtav1", {"preset": "9", "crf": "35"}),
}
"""Encoders under permissive licences, set for speed at a quality that keeps fine texture."""

_FORMATS = {".mp4": "mp4", ".webm": "webm"}
_TIME_BASE = Fraction(1, 90_000)


def write_video(
    path: str | Path,
    frames: Iterable[tuple[float, ByteArray]],
    *,
    rate: Fraction,
    codec: Literal["vp9", "av1"] = "vp9",
) -> None:
    """Encode frames into a file that appears under its name only once it is complete.

    Parameters
    ----------
    path
        The file: ``.mp4`` keeps times to 1/90000 s, ``.webm`` to a millisecond. Replaced if it
        exists; left as it is if anything fails.
    frames
        Presentation times in seconds (not negative, increasing, evenly spaced or not) and images,
        uint8 RGB ``(height, width, 3)``, all of one size. Read once, one at a time. Readers count
        from the first frame: begin at 0, or the times come back shifted.
    rate
        Nominal frames per second: what the encoder is told, and how long the last frame lasts.
    codec
        ``vp9`` or ``av1``.

    Raises
    ------
    ValueError
        No frame, an image of another shape or type, times that do not increase, an ending other
        than ``.mp4`` or ``.webm``, an unknown codec, or a rate that is not positive.
    VideoError
        The file cannot be written, or the encoder refuses the frames.
    """
    file = Path(path)
    if file.suffix.lower() not in _FORMATS:
        raise ValueError(f"{file}: the ending must be one of {', '.join(_FORMATS)}")
    if codec not in _ENCODERS:
        raise ValueError(f"codec is {codec!r}, must be one of {', '.join(_ENCODERS)}")
    if rate <= 0:
        raise ValueError(f"rate is {rate}, must be positive")
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    checked = _checked(frames)
    try:
        first = next(checked, None)
        if first is None:
            raise ValueError(f"{file}: there is no frame to write")
        height, width = first[1].shape[:2]
        with _told_of(file):
            container = av.open(str(partial), "w", format=_FORMATS[file.suffix.lower()])
        try:
            with _told_of(file):
                stream = _add_stream(container, codec, rate, width, height)
            for pts, image in chain([first], checked):
                with _told_of(file):
                    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                    frame.pts, frame.time_base = pts, _TIME_BASE
                    frame.duration = round(1 / (rate * _TIME_BASE))
                    container.mux(stream.encode(frame))
            with _told_of(file):
                container.mux(stream.encode(None))
        finally:
            with _told_of(file):
                container.close()
        with _told_of(file):
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Name the file in errors of the encoder and the disk, but not in those of the frames."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{file}: cannot be written ({error.strerror or error})") from error


def _add_stream(
    container: OutputContainer, codec: str, rate: Fraction, width: int, height: int
) -> VideoStream:
    encoder, options = _ENCODERS[codec]
    stream = cast("VideoStream", container.add_stream(encoder, rate=rate, options=dict(options)))
    stream.width, stream.height = width, height
    stream.pix_fmt = "yuv420p"
    stream.time_base = _TIME_BASE
    stream.codec_context.time_base = _TIME_BASE
    return stream


def _checked(frames: Iterable[tuple[float, ByteArray]]) -> Iterator[tuple[int, ByteArray]]:
    """Yield times in units of the time base with their images, once both are known to be valid."""
    last, last_s, shape = -1, float("-inf"), None
    for time_s, image in frames:
        if not 0 <= time_s < float("inf"):
            raise ValueError(f"a frame's time is {time_s} s, must be finite and not negative")
        pts = round(time_s / _TIME_BASE)
        if pts <= last:
            raise ValueError(f"a frame at {time_s} s comes after {last_s} s; times must increase")
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f"a frame is {image.dtype} {image.shape}, must be uint8 (height, width, 3)"
            )
        if shape not in (None, image.shape):
            raise ValueError(f"a frame has shape {image.shape}, the first one has {shape}")
        last, last_s, shape = pts, time_s, image.shape
        yield pts, image
