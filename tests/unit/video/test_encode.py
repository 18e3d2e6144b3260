"""Written videos: they decode to the times and pictures that went in, or do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from offhand.errors import VideoError
from offhand.records import ByteArray, Clip, FloatArray, FrameRequest
from offhand.video.decode import FrameReader
from offhand.video.encode import write_video

RATE = Fraction(15)


def _frames(times_s: FloatArray, size: tuple[int, int] = (48, 64)) -> list[tuple[float, ByteArray]]:
    """Make a smooth pattern that moves to the right by a pixel a frame."""
    y, x = np.mgrid[: size[0], : size[1]]
    frames = []
    for index, time_s in enumerate(times_s):
        grey = 128 + 80 * np.sin((x - index) / 6) * np.cos(y / 7)
        image = np.stack([grey, 0.8 * grey, 255 - grey], axis=-1).astype(np.uint8)
        frames.append((float(time_s), image))
    return frames


def _read(path: Path) -> tuple[FloatArray, ByteArray, FrameReader]:
    request = FrameRequest(rate_hz=None, short_side_px=48, colour="rgb")
    reader = FrameReader(Clip(clip_id="a", path=str(path)), [request])
    blocks = [block for _, block in reader]
    times_s = np.concatenate([block.time_s for block in blocks])
    return times_s, np.concatenate([block.images for block in blocks]), reader


@pytest.mark.parametrize("codec", ["vp9", "av1"])
@pytest.mark.parametrize(("ending", "tolerance_s"), [(".mp4", 6e-6), (".webm", 6e-4)])
def test_varying_times_and_pictures_survive(
    tmp_path: Path, codec: str, ending: str, tolerance_s: float
) -> None:
    gaps_s = np.random.default_rng(0).uniform(0.011, 0.3, 70)
    times_s = np.concatenate([[0.0], np.cumsum(gaps_s)])
    frames = _frames(times_s, (64, 64))
    path = tmp_path / f"clip{ending}"
    write_video(path, iter(frames), rate=RATE, codec=codec)  # type: ignore[arg-type]
    read_s, images, reader = _read(path)
    np.testing.assert_allclose(read_s, times_s, atol=tolerance_s)
    assert (reader.info.status, reader.info.width, reader.info.height) == ("ok", 64, 64)
    assert images.shape == (71, 48, 48, 3)


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_quality_is_good(tmp_path: Path, codec: str) -> None:
    frames = _frames(np.arange(40) / 15, (64, 96))
    path = tmp_path / "clip.mp4"
    write_video(path, frames, rate=RATE, codec=codec)  # type: ignore[arg-type]
    request = FrameRequest(rate_hz=None, short_side_px=64, colour="rgb")
    read = [b.images for _, b in FrameReader(Clip(clip_id="a", path=str(path)), [request])]
    error = np.concatenate(read).astype(float) - np.stack([image for _, image in frames])
    assert np.sqrt(np.mean(error**2)) < 6


def test_ntsc_rate_and_duration(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    times_s = np.arange(60) * float(1 / rate)
    path = tmp_path / "clip.mp4"
    write_video(path, _frames(times_s), rate=rate)
    read_s, _, reader = _read(path)
    np.testing.assert_allclose(read_s, times_s, atol=1e-9)
    assert reader.info.codec.endswith("vp9")
    assert reader.info.frame_rate == pytest.approx(float(rate))
    assert reader.info.duration_s == pytest.approx(60 / float(rate))


def test_odd_size_and_same_bytes(tmp_path: Path) -> None:
    frames = _frames(np.arange(5) / 15, (51, 77))
    write_video(tmp_path / "a.mp4", frames, rate=RATE)
    write_video(tmp_path / "b.mp4", frames, rate=RATE)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    request = FrameRequest(rate_hz=None, short_side_px=51, colour="rgb")
    reader = FrameReader(Clip(clip_id="a", path=str(tmp_path / "a.mp4")), [request])
    assert [block.images.shape for _, block in reader] == [(5, 51, 77, 3)]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("after", [0, 1, 20])
def test_an_interrupted_write_leaves_no_file(
    tmp_path: Path, error: type[BaseException], after: int
) -> None:
    def breaking() -> Iterator[tuple[float, ByteArray]]:
        yield from _frames(np.arange(after) / 15)
        raise error("stop")

    with pytest.raises(error, match="stop"):
        write_video(tmp_path / "new.mp4", breaking(), rate=RATE)
    assert list(tmp_path.iterdir()) == []
    old = tmp_path / "old.mp4"
    old.write_bytes(b"as it was")
    with pytest.raises(error, match="stop"):
        write_video(old, breaking(), rate=RATE)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"as it was"


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "no frame"),
        (_frames(np.array([0.0, 0.1, 0.1])), "increase"),
        (_frames(np.array([-0.1, 0.1])), "negative"),
        (_frames(np.array([np.nan])), "finite"),
        (_frames(np.array([0.0]), (48, 64)) + _frames(np.array([1.0]), (64, 48)), "first one"),
        ([(0.0, np.zeros((48, 64), np.uint8))], "uint8"),
        ([(0.0, np.zeros((48, 64, 3), np.float32))], "uint8"),
    ],
)
def test_bad_frames_are_refused(
    tmp_path: Path, frames: list[tuple[float, ByteArray]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / "clip.mp4", frames, rate=RATE)
    assert list(tmp_path.iterdir()) == []


def test_bad_options_are_refused(tmp_path: Path) -> None:
    frames = _frames(np.array([0.0]))
    with pytest.raises(ValueError, match="ending"):
        write_video(tmp_path / "clip.avi", frames, rate=RATE)
    with pytest.raises(ValueError, match="codec"):
        write_video(tmp_path / "clip.mp4", frames, rate=RATE, codec="h264")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rate"):
        write_video(tmp_path / "clip.mp4", frames, rate=Fraction(0))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"nowhere.*No such file"):
        write_video(tmp_path / "nowhere" / "clip.mp4", _frames(np.array([0.0])), rate=RATE)
