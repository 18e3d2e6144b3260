"""Opening a video file: clear errors, and what the header claims."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av
import av.error

from offhand.errors import VideoError
from offhand.files.archive import contents
from offhand.files.names import ARCHIVE, suffix
from offhand.files.reading import opened

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SUFFIXES = frozenset(
    ".3gp .avi .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()
)
"""File name endings that a folder is searched for."""

_NO_OTHER_FILE = {"protocol_whitelist": "none"}
"""FFmpeg reads what it is handed; a playlist inside must not make it open anything else."""

_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
"""Form in which Matroska notes the duration of a stream."""

SPARE_THREADS = 6
"""Decoder threads beyond one a core: frames wait for each other, and for who uses them."""

MOST_THREADS = 16
"""Each holds frames, and FFmpeg itself takes no more where it chooses."""

RUN_UPS_S = (0.0, 3.0, 30.0, float("inf"))
"""How long before a moment decoding starts, tried in turn until its frame is reached."""


@contextmanager
def open_video(path: str, *, threads: int = 0) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the first video stream of a file for decoding.

    Parameters
    ----------
    path
        A video file: a path, a URL, or ``archive.tar::member``.
    threads
        Decoder threads; 0 to keep every core busy.

    Raises
    ------
    VideoError
        The file is missing, empty, not a video, damaged beyond opening, or has no video stream; or
        it could not be read to its end, which is told when it is closed.
    """
    with ExitStack() as stack:
        try:
            _refuse_archive(path)
            content = stack.enter_context(opened(path))
            if content.seek(0, os.SEEK_END) == 0:
                raise VideoError(f"{path}: the file is empty")
            content.seek(0)
            stack.enter_context(_told_of_failures(path, content))
            container = av.open(
                content, "r", options=dict(_NO_OTHER_FILE), metadata_errors="replace"
            )
            stack.enter_context(container)
        except av.error.FFmpegError as error:
            raise VideoError(f"{path}: not a readable video ({error.strerror})") from error
        except FileNotFoundError as error:
            raise VideoError(f"{path}: {error.strerror}") from error
        except OSError as error:
            raise VideoError(f"{path}: cannot be read ({error.strerror or error})") from error
        streams = [s for s in container.streams.video if not _is_cover(s)]
        if not streams:
            raise VideoError(f"{path}: the file holds no video stream")
        stream = streams[0]
        if stream.codec_context is None:
            raise VideoError(f"{path}: no decoder for its video stream")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads or min(
            (os.cpu_count() or 1) + SPARE_THREADS, MOST_THREADS
        )
        yield container, stream


def _refuse_archive(path: str) -> None:
    """Raise VideoError for an archive: it is listed as a clip only to tell why it gives none."""
    if suffix(path) != ARCHIVE:
        return
    there = contents(path)
    if there.damage:
        raise VideoError(
            f"{path}: the archive is {there.damage}; "
            f"{len(there.members)} files were found in it before"
        )
    if not any(suffix(name) in SUFFIXES for name in there.members):
        raise VideoError(f"{path}: the archive holds no video")
    raise VideoError(f"{path}: an archive; name a video in it: {path}::NAME")


@contextmanager
def _told_of_failures(path: str, content: object) -> Iterator[None]:
    """Raise VideoError at the end if reading failed: FFmpeg may take it for the end of the file."""
    try:
        yield
    except Exception as error:
        if _failure(content) is None:
            raise
        raise VideoError(f"{path}: cannot be read ({_failure(content)})") from error
    if _failure(content) is not None:
        raise VideoError(f"{path}: cannot be read to its end ({_failure(content)})")


def _failure(content: object) -> str | None:
    error = getattr(content, "failure", None)
    return None if error is None else str(error.strerror or error)


def _is_cover(stream: VideoStream) -> bool:
    """Tell whether a stream is a still picture attached to an audio file."""
    return bool(stream.disposition & stream.disposition.attached_pic)


def origin_s(container: InputContainer, stream: VideoStream) -> float:
    """Return the presentation time, in seconds, at which a player shows 0:00."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return 0.0


def frames_from(
    container: InputContainer,
    decode: Callable[[], Iterator[VideoFrame]],
    *,
    at_s: float,
    start_s: float,
) -> Iterator[VideoFrame]:
    """Seek, and return frames of which the first is shown at a moment or before it.

    Where a file has no index, a seek may end between key frames, or the first frames after it may
    need earlier ones: then what decodes begins too late, and a longer run-up is taken.

    Parameters
    ----------
    container
        The open file.
    decode
        Starts decoding where the container stands; its frames have times.
    at_s
        The moment, in seconds of the recording.
    start_s
        From :func:`origin_s`.
    """
    for run_up_s in RUN_UPS_S:
        try:
            container.seek(int((start_s + max(0.0, at_s - run_up_s)) * 1e6), backward=True)
        except av.error.FFmpegError:
            continue  # no index to seek by
        frames = decode()
        first = next((frame for frame in frames if not frame.is_corrupt), None)
        if first is not None and (at_s <= run_up_s or (first.time or 0.0) - start_s <= at_s):
            return chain([first], frames)
    return decode()


def header_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Return the duration that the header claims for the pictures, ``None`` if it claims none."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    matroska = "matroska" in container.format.name
    if matroska and (clock := _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))):
        hours, minutes, seconds = map(float, clock.groups())
        end_s = hours * 3600 + minutes * 60 + seconds
    elif container.duration is not None and not container.streams.audio:
        end_s = float(container.duration / av.time_base)
    else:
        return None
    return end_s - origin_s(container, stream) if matroska else end_s


def header_rate(stream: VideoStream) -> Fraction | None:
    """Return the frame rate that the header claims, ``None`` if it claims none."""
    rate = stream.average_rate or stream.base_rate
    return Fraction(rate) if rate else None
