"""Single pictures of chosen moments, and short loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import av.error
import cv2
import numpy as np

from offhand.errors import VideoError
from offhand.records import ByteArray, FrameRequest
from offhand.video.container import frames_from, open_video, origin_s
from offhand.video.decode import FrameScaler

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

JPEG_QUALITY = 78
WEBP_QUALITY = 40
NEAR_S = 2.0
"""Up to here ahead, decoding on is cheaper than seeking."""


def pictures(path: str, times_s: Sequence[float], *, short_side_px: int) -> list[ByteArray | None]:
    """Return the RGB images ``(height, width, 3)`` on screen at given times.

    Parameters
    ----------
    path
        The video file.
    times_s
        Moments of the recording, in any order.
    short_side_px
        Size of the pictures.

    Returns
    -------
    list
        An image for each moment, ``None`` where none decodes.

    Raises
    ------
    VideoError
        The file cannot be opened.
    """
    found: list[ByteArray | None] = [None] * len(times_s)
    request = FrameRequest(rate_hz=None, short_side_px=short_side_px, colour="rgb")
    # one thread: what decoders make up around damage depends on how threads take turns
    with open_video(path, threads=1) as (container, stream):
        scaler = FrameScaler(request, aspect=float(stream.sample_aspect_ratio or 1))
        start_s = origin_s(container, stream)
        ordered = sorted(range(len(times_s)), key=times_s.__getitem__)
        shown = _shown_at(container, stream, start_s, [times_s[index] for index in ordered])
        for index, frame in zip(ordered, shown, strict=True):
            if frame is not None:
                found[index] = scaler(frame).copy()
    return found


def cheap_moments(path: str, spans_s: Sequence[tuple[float, float, float]]) -> list[float]:
    """Return moments whose pictures decode by themselves, where there are some.

    A picture between key frames asks for all frames since the last one, hundreds in some files.

    Parameters
    ----------
    path
        The video file.
    spans_s
        Earliest, wanted, and latest moment of the recording.

    Returns
    -------
    list
        For each span the last key frame up to the wanted moment, else the first one after it; the
        wanted moment where neither lies in the span.

    Raises
    ------
    VideoError
        The file cannot be opened.
    """
    with open_video(path, threads=1) as (container, stream):
        start_s = origin_s(container, stream)

        def moment(earliest_s: float, wanted_s: float, latest_s: float) -> float:
            for backward in (True, False):
                time_s = _key_frame_s(container, stream, start_s, wanted_s, backward=backward)
                if time_s is not None and earliest_s <= time_s <= latest_s:
                    return time_s
            return wanted_s

        return [moment(*span) for span in spans_s]


def to_webp(images: Sequence[np.ndarray], *, rate_hz: float) -> bytes:
    """Return RGB images ``(height, width, 3)`` as an endless animated WebP file.

    Those of another size than the first are left out; what hardly differs may be joined.

    Raises
    ------
    VideoError
        They cannot be coded.
    """
    alike = [image for image in images if image.shape == images[0].shape]
    loop = cv2.Animation()
    loop.frames = [np.ascontiguousarray(image[:, :, ::-1]) for image in alike]
    loop.durations = [round(1000 / rate_hz)] * len(alike)
    done, coded = cv2.imencodeanimation(".webp", loop, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    if not done:
        raise VideoError("a preview could not be coded as WebP")
    return bytes(coded)


def to_jpeg(image: np.ndarray) -> bytes:
    """Return an RGB image ``(height, width, 3)`` as a JPEG file; VideoError if that fails."""
    done, coded = cv2.imencode(
        ".jpg", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not done:
        raise VideoError("a thumbnail could not be coded as JPEG")
    return bytes(coded)


def _shown_at(
    container: InputContainer, stream: VideoStream, start_s: float, times_s: Sequence[float]
) -> Iterator[VideoFrame | None]:
    """Yield the frame on screen at each of the increasing times."""
    frames: Iterator[VideoFrame] = iter(())
    now: VideoFrame | None = None
    ahead: VideoFrame | None = None
    for wanted_s in times_s:
        if now is None or wanted_s - _time(now, start_s) > NEAR_S:
            decode = partial(_frames, container, stream)
            frames = frames_from(container, decode, at_s=wanted_s, start_s=start_s)
            now = ahead = None
        while ahead is None or _time(ahead, start_s) <= wanted_s:
            now, ahead = ahead or now, next(frames, None)
            if ahead is None:
                break
        yield now or ahead


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield the frames from here on that have a time and decode."""
    while True:
        try:
            for frame in container.decode(stream):
                if frame.time is not None:
                    yield frame
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue


def _key_frame_s(
    container: InputContainer,
    stream: VideoStream,
    start_s: float,
    at_s: float,
    *,
    backward: bool,
) -> float | None:
    """Return the time of the key frame before a moment, or after it; ``None`` if it has none."""
    try:
        container.seek(int((start_s + at_s) * 1e6), backward=backward)
        packet = next(container.demux(stream))
    except (av.error.FFmpegError, StopIteration):
        return None
    if packet.pts is None or packet.time_base is None or not packet.is_keyframe:
        return None
    return float(packet.pts * packet.time_base) - start_s


def _time(frame: VideoFrame, start_s: float) -> float:
    return float(frame.time or 0.0) - start_s
