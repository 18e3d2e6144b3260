"""Thumbnails: the picture on screen at a moment, upright, wherever the moment lies."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from offhand.errors import VideoError
from offhand.records import ByteArray
from offhand.video.thumbnails import previews, thumbnails, to_jpeg
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


def _opened(jpeg: bytes | None) -> ByteArray:
    assert jpeg is not None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return np.asarray(image, np.uint8)


def _number(jpeg: bytes | None) -> float:
    return (float(_opened(jpeg).mean()) - 40) / 3


def test_each_thumbnail_is_the_frame_on_screen_at_its_moment(numbered: Path) -> None:
    times_s = [4.25, 0.0, 0.05, 5.55, 2.31, 2.39, 2.31]
    shown = thumbnails(str(numbered), times_s, short_side_px=32)
    wanted = [42, 0, 0, 55, 23, 23, 23]
    assert [_number(jpeg) for jpeg in shown] == pytest.approx(wanted, abs=0.9)


def test_a_moment_after_the_end_shows_the_last_frame(numbered: Path) -> None:
    shown = thumbnails(str(numbered), [5.95, 60.0], short_side_px=32)
    assert [_number(jpeg) for jpeg in shown] == pytest.approx([59, 59], abs=0.9)


def test_no_moment_gives_no_picture(numbered: Path) -> None:
    assert thumbnails(str(numbered), [], short_side_px=32) == []


@pytest.mark.parametrize("turned_deg", [90, 180, 270])
def test_thumbnails_stand_upright(tmp_path: Path, turned_deg: int) -> None:
    upright = videos.marked(even_times(3))
    stored = [np.ascontiguousarray(np.rot90(image, k=turned_deg // 90)) for image in upright]
    path = write(tmp_path / "a.mp4", stored, clockwise_deg=turned_deg)
    image = _opened(thumbnails(str(path), [0.1], short_side_px=60)[0])
    assert image.shape == (60, 80, 3)
    assert image[:12, :16].mean() > 220
    assert image[-12:, -16:].mean() < 200


def test_colours_survive() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[...] = (200, 100, 20)
    assert _opened(to_jpeg(image)).mean(axis=(0, 1)) == pytest.approx([200, 100, 20], abs=4)


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
    shown = thumbnails(str(path), [0.0, 1.2, 2.6, 99.0], short_side_px=32)
    assert len(shown) == 4
    assert all(_opened(jpeg).size for jpeg in shown if jpeg is not None)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: no such file"):
        thumbnails(str(tmp_path / "gone.mp4"), [0.0], short_side_px=32)


def test_previews_are_loops_around_their_moments(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", marked(even_times(90)))
    late, early, beyond = previews(
        str(path), [3.0, 0.5, 60.0], length_s=2.0, rate_hz=6.0, short_side_px=60
    )
    for loop in (late, early, beyond):
        assert loop is not None
        done, animation = cv2.imdecodeanimation(np.frombuffer(loop, np.uint8)[None])
        assert done
        assert animation.frames[0].shape[:2] == (60, 80)
        if loop is not beyond:  # there the last picture stands still
            assert {int(duration) for duration in animation.durations} == {167}
    coded = (np.frombuffer(one, np.uint8)[None] for one in (late, early))
    frames = [cv2.imdecodeanimation(one)[1].frames for one in coded]
    assert [len(own) for own in frames] == [12, 12]
    assert np.abs(frames[0][0].astype(int) - frames[1][0]).mean() > 1


def test_a_file_that_does_not_open_has_no_preview(tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(VideoError):
        previews(str(path), [0.0], length_s=1.0, rate_hz=6.0, short_side_px=60)
