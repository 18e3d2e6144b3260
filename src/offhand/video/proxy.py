"""Copies of clips that every browser plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from offhand.records import ByteArray, Clip, FrameRequest
from offhand.video.container import header_rate, open_video
from offhand.video.decode import FrameReader
from offhand.video.encode import write_video

SHORT_SIDE_PX = 480
USUAL_RATE = Fraction(30)


def write_proxy(path: str, out: Path, *, on_progress: Callable[[float], None]) -> None:
    """Write a clip anew as VP9 in WebM, upright and small, with the times of its frames.

    Parameters
    ----------
    path
        The clip.
    out
        The copy, ending in ``.webm``; it appears once it is complete.
    on_progress
        Called with the share that is done, in 0..1. What it raises ends the work.

    Raises
    ------
    VideoError
        The clip cannot be read, or the copy cannot be written.
    """
    with open_video(path) as (_, stream):
        rate = header_rate(stream) or USUAL_RATE
    request = FrameRequest(rate_hz=None, short_side_px=SHORT_SIDE_PX, colour="rgb")
    reader = FrameReader(Clip(clip_id="proxy", path=path), [request], on_progress=on_progress)
    write_video(out, _frames(reader), rate=rate)


def _frames(reader: FrameReader) -> Iterator[tuple[float, ByteArray]]:
    """Yield the frames, the first one from time 0 on, as players count from the first frame."""
    is_first = True
    for _, block in reader:
        for time_s, image in zip(block.time_s.tolist(), block.images, strict=True):
            yield (0.0 if is_first else time_s), image
            is_first = False
