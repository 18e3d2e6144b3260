"""Thumbnails: the picture on screen at a moment, upright, wherever the moment lies."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from offhand.errors import VideoError
from offhand.records import ByteArray
from offhand.video.thumbnails import cheap_moments, pictures, to_jpeg, to_webp
from tests.fixtures import videos
from tests.fixtures.videos import even_times, marked, write

N_FRAMES = 60


@pytest.fixture(scope="module", params=["mp4", "mkv", "webm", "avi", "ts"])
def numbered(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A clip of 6 s at 10 frames/s whose brightness tells the number of the frame."""
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(request.param, "libx264")
    path = tmp_path_factory.mktemp("numbered") / f"a.{request.param}"
    pictures = [np.full((64, 96, 3), 40 + 3 * i, np.uint8) for i in range(N_FRAMES)]
    options = {"b": "4000000", "qmax": "3"} if codec == "mpeg4" else None
    return write(path, pictures, codec=codec, rate=Fraction(10), gop=15, options=options)


def _number(image: ByteArray | None) -> float:
    assert image is not None
    return (float(image.mean()) - 40) / 3


def test_each_thumbnail_is_the_frame_on_screen_at_its_moment(numbered: Path) -> None:
    times_s = [4.25, 0.0, 0.05, 5.55, 2.31, 2.39, 2.31]
    shown = pictures(str(numbered), times_s, short_side_px=32)
    wanted = [42, 0, 0, 55, 23, 23, 23]
    assert [_number(image) for image in shown] == pytest.approx(wanted, abs=0.9)


def test_a_moment_after_the_end_shows_the_last_frame(numbered: Path) -> None:
    shown = pictures(str(numbered), [5.95, 60.0], short_side_px=32)
    assert [_number(image) for image in shown] == pytest.approx([59, 59], abs=0.9)


def test_key_frames_near_a_moment_are_taken_for_it(numbered: Path) -> None:
    spans = [(1.0, 2.0, 2.5), (1.6, 2.0, 3.4), (1.6, 2.0, 2.9), (5.0, 5.5, 9.0), (70.0, 80.0, 90.0)]
    moments = cheap_moments(str(numbered), spans)
    assert all(
        earliest <= one <= latest for one, (earliest, _, latest) in zip(moments, spans, strict=True)
    )
    if numbered.suffix in {".mp4", ".mkv", ".webm"}:  # these have an index
        assert moments == pytest.approx([1.5, 3.0, 2.0, 5.5, 80.0], abs=0.002)
        shown = pictures(str(numbered), moments[:4], short_side_px=32)
        assert [_number(image) for image in shown] == pytest.approx([15, 30, 20, 55], abs=0.9)


def test_no_moment_gives_no_picture(numbered: Path) -> None:
    assert pictures(str(numbered), [], short_side_px=32) == []


@pytest.mark.parametrize("turned_deg", [90, 180, 270])
def test_thumbnails_stand_upright(tmp_path: Path, turned_deg: int) -> None:
    upright = videos.marked(even_times(3))
    stored = [np.ascontiguousarray(np.rot90(image, k=turned_deg // 90)) for image in upright]
    path = write(tmp_path / "a.mp4", stored, clockwise_deg=turned_deg)
    (image,) = pictures(str(path), [0.1], short_side_px=60)
    assert image is not None
    assert image.shape == (60, 80, 3)
    assert image[:12, :16].mean() > 220
    assert image[-12:, -16:].mean() < 200


def test_colours_survive() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[...] = (200, 100, 20)
    opened = cv2.imdecode(np.frombuffer(to_jpeg(image), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert opened is not None
    assert opened.mean(axis=(0, 1)) == pytest.approx([200, 100, 20], abs=4)


@pytest.mark.parametrize("seed", range(10))
def test_damaged_files_give_pictures_or_none_and_never_hang(tmp_path: Path, seed: int) -> None:
    kind = ["mp4", "mkv", "avi", "ts", "webm"][seed % 5]
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(kind, "libx264")
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    path = tmp_path / f"a.{kind}"
    write(path, videos.marked(even_times(40)), codec=codec, container_options=options)
    if seed % 2:
        path = videos.cut(path, tmp_path / f"cut.{kind}")
    path = videos.corrupt(path, tmp_path / f"b.{kind}", at=0.6, n_bytes=2000, seed=seed)
    shown = pictures(str(path), [0.0, 1.2, 2.6, 99.0], short_side_px=32)
    assert len(shown) == 4
    assert all(image.shape[0] == 32 for image in shown if image is not None)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: no such file"):
        pictures(str(tmp_path / "gone.mp4"), [0.0], short_side_px=32)


def test_a_loop_holds_its_pictures_and_lasts_as_long(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", marked(even_times(90)))
    shown = pictures(str(path), [2 + step / 6 for step in range(12)], short_side_px=60)
    loop = to_webp([image for image in shown if image is not None], rate_hz=6.0)
    done, animation = cv2.imdecodeanimation(np.frombuffer(loop, np.uint8)[None])
    assert done
    assert [image.shape[:2] for image in animation.frames] == [(60, 80)] * 12
    assert {int(duration) for duration in animation.durations} == {167}
    assert np.abs(animation.frames[0].astype(int) - animation.frames[-1]).mean() > 1


def test_a_file_that_does_not_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(VideoError):
        cheap_moments(str(path), [(0.0, 1.0, 2.0)])
    with pytest.raises(VideoError):
        pictures(str(path), [0.0], short_side_px=60)
