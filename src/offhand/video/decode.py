"""One sequential decode of a clip that serves every signal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import av.error
import numpy as np
from av.video.reformatter import VideoReformatter

from offhand.errors import VideoError
from offhand.records import ByteArray, Clip, ClipInfo, FrameBlock, FrameRequest
from offhand.video.container import (
    frames_from,
    header_duration_s,
    header_rate,
    open_video,
    origin_s,
)
from offhand.video.sampling import RateLimit, RepeatFinder

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    _Timed: TypeAlias = tuple[float, VideoFrame]

DECODE_VERSION = 1
"""Raised whenever the same file gives other frames or times."""

BLOCK_FRAMES = 32
"""Frames a block holds at most."""

BURST_FRAMES = 8
"""Frames that are decoded before they are looked at, one after the other."""

LONGEST_GAP_S = 1.0
"""A longer time without a frame is reported, unless frames are always that rare."""

LONGEST_UNSOUND = 300
"""After so many frames without a key frame since a damage, what decodes is used all the same."""

_THUMB = FrameRequest(rate_hz=None, short_side_px=64, colour="grey")
"""Form in which consecutive frames are compared."""


class FrameReader:
    """Decode a clip once, from start to end, and hand each frame to the requests that want it.

    Iterating yields ``(index of the request, block)``. Damaged stretches are skipped and counted.
    A request with a sampling rate gets no frame that merely repeats the one before.
    After the iteration, ``info`` describes what was decoded.

    Parameters
    ----------
    clip
        What to read. Frames outside ``[clip.from_s, clip.to_s)`` are left out.
    requests
        The forms in which frames are wanted.
    threads
        Decoder threads; 0 to keep every core busy.
    on_progress
        Called now and then with the share of the clip that is decoded, in 0..1, if the header
        tells its length.

    Raises
    ------
    VideoError
        While iterating: the file cannot be opened, or not one frame of it decodes.
    """

    def __init__(
        self,
        clip: Clip,
        requests: Sequence[FrameRequest],
        *,
        threads: int = 0,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        self.clip = clip
        self.info = ClipInfo()
        self._threads = threads
        self._requests = tuple(requests)
        self._on_progress = on_progress
        self._lost = 0
        self._gaps: list[tuple[float, float]] = []

    def __iter__(self) -> Iterator[tuple[int, FrameBlock]]:
        first_s = last_s = previous_s = math.nan
        count = 0
        with open_video(self.clip.path, threads=self._threads) as (container, stream):
            rate = header_rate(stream)
            step_s = float(1 / rate) if rate else 0.04
            header_s = header_duration_s(container, stream)
            expected_s = (self.clip.to_s or header_s or 0.0) - self.clip.from_s
            aspect = float(stream.sample_aspect_ratio or 1)
            queues = [_Queue(request, aspect) for request in self._requests]
            repeats = RepeatFinder()
            thumb = FrameScaler(_THUMB, interpolation="POINT")
            for time_s, frame in _in_bursts(self._frames(container, stream, step_s)):
                if count == 0:
                    self._describe(container, stream, frame)
                    first_s = time_s
                self._note_gap(last_s, time_s, usual_s=(last_s - first_s) / max(1, count - 1))
                count += 1
                previous_s, last_s = last_s, time_s
                repeat = repeats.repeats(thumb(frame)) if queues else False
                for index, queue in enumerate(queues):
                    if queue.push(time_s, frame, repeat=repeat):
                        yield index, queue.take()
                if self._on_progress and expected_s and count % BLOCK_FRAMES == 0:
                    self._on_progress((time_s - self.clip.from_s) / expected_s)
            if count == 0:
                raise VideoError(self._why_no_frame())
            for index, queue in enumerate(queues):
                if queue:
                    yield index, queue.take()
            if count > 1:
                measured = (count - 1) / (last_s - first_s)
                near = rate is not None and abs(measured / float(rate) - 1) < 0.005
                frame_rate = float(rate) if near and rate is not None else measured
                end_s = last_s + (min(last_s - previous_s, 1 / frame_rate) or step_s)
            else:
                frame_rate, end_s = math.nan, last_s + step_s
            problems = self._problems(end_s, header_s)
            self.info = replace(
                self.info,
                n_frames=count,
                frame_rate=frame_rate,
                duration_s=end_s,
                status="partial" if problems else "ok",
                error="; ".join(problems),
            )

    def _frames(
        self, container: InputContainer, stream: VideoStream, step_s: float
    ) -> Iterator[tuple[float, VideoFrame]]:
        """Yield the usable frames inside the clip's range with strictly increasing times."""
        start_s = origin_s(container, stream)
        decode = partial(self._decoded, container, stream)
        from_s, last_s = self.clip.from_s, math.nan
        frames = (
            frames_from(container, decode, at_s=from_s, start_s=start_s) if from_s else decode()
        )
        for frame in frames:
            if frame.time is not None:
                time_s = frame.time - start_s
            elif math.isnan(last_s):
                time_s = from_s
            else:
                time_s = last_s + step_s
            if time_s <= last_s:
                self._lost += 1
                continue
            last_s = time_s
            if time_s < from_s - 1e-6:
                continue
            if self.clip.to_s is not None and time_s >= self.clip.to_s:
                return
            yield time_s, frame

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Yield every sound frame: around damage, none before the next key frame.

        What builds on damaged frames is made up by the decoder, and in another way with another
        number of threads.
        """
        self._lost = 0
        packets = container.demux(stream)
        left, damaged = 0, -math.inf  # frames to pass over, time stamp of the latest damage
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.EOFError):
                return
            except (av.error.FFmpegError, OSError):  # OSError: the disk
                self._lost += 1
                return
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._lost += 1
                left, damaged = LONGEST_UNSOUND, _pts(packet)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    left, damaged = LONGEST_UNSOUND, _pts(frame)
                elif not left or (frame.key_frame and _pts(frame) >= damaged):
                    left = 0
                    yield frame
                    continue
                left -= 1
                self._lost += 1

    def _describe(self, container: InputContainer, stream: VideoStream, frame: VideoFrame) -> None:
        rotation = _clockwise_deg(frame)
        width, height = frame.width, frame.height
        if rotation in (90, 270):
            width, height = height, width
        metadata = {**container.metadata, **stream.metadata}
        self.info = ClipInfo(
            width=width,
            height=height,
            codec=stream.codec_context.name,
            rotation_deg=rotation,
            start_time=_clock(metadata.get("creation_time", "")),
        )

    def _problems(self, end_s: float, header_s: float | None) -> list[str]:
        problems = []
        if self._lost:
            problems.append(f"{self._lost} damaged frames or packets were skipped")
        if self._gaps:
            from_s, to_s = self._gaps[0]
            more = f", and {len(self._gaps) - 1} more such gaps" if len(self._gaps) > 1 else ""
            problems.append(f"no picture from {from_s:.1f} s to {to_s:.1f} s{more}")
        if header_s is not None:
            missing_s = min(header_s, self.clip.to_s or header_s) - end_s
            if missing_s > max(1.0, 0.02 * header_s):
                problems.append(
                    f"pictures end at {end_s:.1f} s, the header promises {header_s:.1f} s "
                    "(truncated file?); what decodes was used"
                )
        return problems

    def _note_gap(self, from_s: float, to_s: float, *, usual_s: float) -> None:
        """Remember a gap between frames: a damaged container is resumed far behind, silently."""
        if usual_s > 0 and to_s - from_s > max(LONGEST_GAP_S, 5 * usual_s):
            self._gaps.append((from_s, to_s))

    def _why_no_frame(self) -> str:
        path, clip = self.clip.path, self.clip
        if self._lost:
            return f"{path}: not one frame decodes ({self._lost} damaged)"
        if clip.from_s > 0 or clip.to_s is not None:
            to = "its end" if clip.to_s is None else f"{clip.to_s:g} s"
            return f"{path}: no frame between {clip.from_s:g} s and {to}"
        return f"{path}: the video stream holds no frame"


def _pts(timed: Packet[VideoStream] | VideoFrame) -> float:
    """Return a time stamp in the stream's own unit; one that is missing comes before all others."""
    return -math.inf if timed.pts is None else timed.pts


def _in_bursts(frames: Iterator[_Timed]) -> Iterator[_Timed]:
    """Yield frames after decoding some more: code and tables stay in the processor's caches.

    Decoders on the same cores drive out of them whatever is used once a frame.
    """
    while burst := list(islice(frames, BURST_FRAMES)):
        yield from burst


class _Queue:
    """Frames of one request on their way to a block."""

    def __init__(self, request: FrameRequest, aspect: float) -> None:
        self._request = request
        self._sampled = request.rate_hz is not None
        self._limit = RateLimit(request.rate_hz)
        self._scaler = FrameScaler(request, aspect=aspect)
        self._times: list[float] = []
        self._images: list[ByteArray] = []

    def __bool__(self) -> bool:
        return bool(self._times)

    def push(self, time_s: float, frame: VideoFrame, *, repeat: bool) -> bool:
        """Keep a frame if the request wants it; tell whether a block is full."""
        if (repeat and self._sampled) or not self._request.wants(time_s):
            return False
        if not self._limit.takes(time_s):
            return False
        self._times.append(time_s)
        self._images.append(self._scaler(frame))
        return len(self._times) >= BLOCK_FRAMES

    def take(self) -> FrameBlock:
        """Return the frames kept so far as a block, and forget them."""
        block = FrameBlock(time_s=np.array(self._times), images=np.stack(self._images))
        self._times, self._images = [], []
        return block


class FrameScaler:
    """Turn decoded frames into small upright images of one size.

    Scaling averages over areas, so that thin structures do not flicker. A frame whose size differs
    from the first one's (a stream may change its resolution) is scaled to the first one's size.

    Parameters
    ----------
    request
        Size and colour; its rate is not looked at.
    aspect
        Width of a stored pixel divided by its height.
    interpolation
        ``AREA``, or ``POINT`` where speed matters and the looks do not.
    """

    def __init__(
        self, request: FrameRequest, *, aspect: float = 1.0, interpolation: str = "AREA"
    ) -> None:
        self._request = request
        self._interpolation = interpolation
        self._aspect = aspect
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None

    def __call__(self, frame: VideoFrame) -> ByteArray:
        """Return the frame as uint8 ``(height, width)`` or ``(height, width, 3)``."""
        rotation = _clockwise_deg(frame)
        if self._size is None:
            self._size = self._upright_size(frame, rotation)
        width, height = self._size if rotation in (0, 180) else self._size[::-1]
        small = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="gray" if self._request.colour == "grey" else "rgb24",
            interpolation=self._interpolation,
            threads=1,  # more cost more than they save, and the cores are busy decoding
        )
        image = np.asarray(small.to_ndarray(), dtype=np.uint8)
        return np.rot90(image, k=-rotation // 90) if rotation else image

    def _upright_size(self, frame: VideoFrame, rotation: int) -> tuple[int, int]:
        width, height = frame.width * self._aspect, float(frame.height)
        if rotation in (90, 270):
            width, height = height, width
        scale = min(1.0, self._request.short_side_px / min(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


def _clock(text: str) -> str:
    """Return a recording clock in ISO 8601 as it stands, nothing for any other text."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text


def _clockwise_deg(frame: VideoFrame) -> int:
    """Return the clockwise rotation that shows a frame upright: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) * 90 % 360
