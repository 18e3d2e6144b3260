"""Stretches of a clip as files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from offhand.records import ByteArray, Clip, FrameRequest
from offhand.video.container import header_rate, open_video
from offhand.video.decode import FrameReader
from offhand.video.encode import write_video

WHOLE_PX = 100_000
USUAL_RATE = Fraction(30)


def cut(path: str, out: Path, *, start_s: float, stop_s: float) -> None:
    """Write the frames of a stretch as VP9, upright, at full size, beginning at time 0.

    Parameters
    ----------
    path
        The clip.
    out
        The new file, ``.mp4`` or ``.webm``; it appears once it is complete.
    start_s, stop_s
        The stretch, half-open, in seconds of the recording.

    Raises
    ------
    VideoError
        The clip cannot be read there, or the file cannot be written.
    """
    with open_video(path) as (_, stream):
        rate = header_rate(stream) or USUAL_RATE
    request = FrameRequest(rate_hz=None, short_side_px=WHOLE_PX, colour="rgb")
    clip = Clip(clip_id="cut", path=path, from_s=start_s, to_s=stop_s)
    write_video(out, _from_zero(FrameReader(clip, [request])), rate=rate)


def _from_zero(reader: FrameReader) -> Iterator[tuple[float, ByteArray]]:
    first_s = None
    for _, block in reader:
        for time_s, image in zip(block.time_s.tolist(), block.images, strict=True):
            first_s = time_s if first_s is None else first_s
            yield time_s - first_s, image
