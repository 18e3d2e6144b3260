"""Generated 1080p30 footage of textured motion at about 10 Mb/s, and longer files looped from it.

H.264 is written with the x264 inside PyAV's wheel: for this measurement only, never by offhand.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RATE = 30
LARGE, SMALL = (1920, 1080), (320, 180)
"""Width and height."""


def generate(
    path: Path,
    *,
    seconds: float,
    codec: str = "libx264",
    size: tuple[int, int] = LARGE,
    bit_rate: int = 10_000_000,
) -> None:
    """Write a clip whose texture moves in two rhythms; an existing file is kept."""
    if path.exists():
        return
    width, height = size
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 255, (height + 520, width + 680, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    texture = cv2.normalize(smooth, np.empty_like(smooth), 0, 255, cv2.NORM_MINMAX)
    partial = path.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = bit_rate
        stream.options = {"preset": "veryfast"}
        for index in range(round(seconds * RATE)):
            time_s = index / RATE
            x = 300 + 250 * np.sin(2 * np.pi * time_s / 1.7)
            y = 250 + 200 * np.sin(2 * np.pi * time_s / 2.9)
            shift = np.array([[1, 0, -x], [0, 1, -y]], np.float64)
            image = cv2.warpAffine(texture, shift, size)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    partial.rename(path)


def loop(source: Path, target: Path, *, times: int) -> None:
    """Write a file's packets several times in a row, without coding them anew."""
    if target.exists():
        return
    partial = target.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as out:
        stream = None
        for turn in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(video)
                length = video.duration or 0
                for packet in container.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += turn * length
                    packet.dts += turn * length
                    packet.time_base = video.time_base or Fraction(1, 1)
                    packet.stream = stream
                    out.mux(packet)
    partial.rename(target)
