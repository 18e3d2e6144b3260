"""Decoded videos: true times, upright pictures, honest reports of damage."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from offhand.errors import VideoError
from offhand.records import ByteArray, Clip, ClipInfo, FloatArray, FrameRequest
from offhand.video.decode import BLOCK_FRAMES, FrameReader
from offhand.video.sampling import RateLimit, RepeatFinder
from tests.fixtures import videos
from tests.fixtures.videos import even_times, marked, write

X265 = {"preset": "ultrafast", "x265-params": "log-level=none"}
SMALL = FrameRequest(rate_hz=None, short_side_px=60, colour="grey")


def _read(
    path: Path,
    request: FrameRequest = SMALL,
    *,
    from_s: float = 0.0,
    to_s: float | None = None,
    threads: int = 1,
) -> tuple[FloatArray, ByteArray, ClipInfo]:
    clip = Clip(clip_id="a", path=str(path), from_s=from_s, to_s=to_s)
    reader = FrameReader(clip, [request], threads=threads)
    blocks = [block for _, block in reader]
    return (
        np.concatenate([block.time_s for block in blocks]),
        np.concatenate([block.images for block in blocks]),
        reader.info,
    )


def _brightest_corner(image: ByteArray) -> str:
    height, width = image.shape[0] // 5, image.shape[1] // 5
    corners = {
        "upper left": image[:height, :width],
        "upper right": image[:height, -width:],
        "lower right": image[-height:, -width:],
        "lower left": image[-height:, :width],
    }
    assert max(corner.mean() for corner in corners.values()) > 220
    return max(corners, key=lambda name: float(corners[name].mean()))


# every kind of file

KINDS = {
    "h264.mp4": ({}, "h264", 1e-6),
    "h264.mov": ({}, "h264", 1e-6),
    "h264.mkv": ({}, "h264", 6e-4),
    "h264.ts": ({}, "h264", 2e-5),
    "h265.mp4": ({"codec": "libx265", "options": X265}, "hevc", 1e-6),
    "ten_bit.mp4": (
        {"codec": "libx265", "options": X265, "pix_fmt": "yuv420p10le"},
        "hevc",
        1e-6,
    ),
    "vp9.webm": ({"codec": "libvpx-vp9"}, "vp9", 6e-4),
    "mpeg4.avi": ({"codec": "mpeg4"}, "mpeg4", 1e-6),
    "mjpeg.avi": ({"codec": "mjpeg", "pix_fmt": "yuvj420p"}, "mjpeg", 1e-6),
    "palette.gif": ({"codec": "gif", "pix_fmt": "rgb8"}, "gif", 6e-3),
    "sound.mp4": ({"audio_s": 0.9}, "h264", 1e-6),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_usual_kind_of_file_decodes_whole(tmp_path: Path, name: str) -> None:
    how, codec, tolerance_s = KINDS[name]
    path = write(tmp_path / name, marked(even_times(14)), **how)
    time_s, images, info = _read(path)
    np.testing.assert_allclose(time_s, even_times(14), atol=tolerance_s)
    assert images.shape == (14, 60, 80)
    assert _brightest_corner(images[0]) == "upper left"
    assert (info.status, info.error, info.n_frames) == ("ok", "", 14)
    assert (info.width, info.height, info.rotation_deg) == (160, 120, 0)
    assert info.codec == codec
    assert info.frame_rate == pytest.approx(15, rel=0.01)
    assert info.duration_s == pytest.approx(14 / 15, abs=0.01)


def test_av1_decodes_whole(tmp_path: Path) -> None:
    from offhand.video.encode import write_video

    path = tmp_path / "av1.mp4"
    frames = zip(even_times(14).tolist(), marked(even_times(14)), strict=True)
    write_video(path, frames, rate=videos.RATE, codec="av1")
    time_s, images, info = _read(path)
    np.testing.assert_allclose(time_s, even_times(14), atol=1e-6)
    assert (info.status, info.n_frames) == ("ok", 14)
    assert _brightest_corner(images[5]) == "upper left"


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".ts", ".webm"])
def test_a_varying_rate_keeps_its_time_stamps(tmp_path: Path, ending: str) -> None:
    gaps_s = np.random.default_rng(1).uniform(0.012, 0.2, 13)
    times_s = np.concatenate([[0.0], np.cumsum(gaps_s)])
    codec = "libvpx-vp9" if ending == ".webm" else "libx264"
    path = write(tmp_path / f"vfr{ending}", marked(times_s), times_s=times_s, codec=codec)
    read_s, _, info = _read(path)
    np.testing.assert_allclose(read_s, times_s, atol=6e-4)
    assert info.frame_rate == pytest.approx(13 / times_s[-1], rel=0.01)
    assert times_s[-1] < info.duration_s < times_s[-1] + 0.21


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
def test_the_frame_rate_is_exact_for_constant_rates(tmp_path: Path, rate: Fraction) -> None:
    times_s = even_times(20, rate)
    info = _read(write(tmp_path / "a.mp4", marked(times_s), rate=rate))[2]
    assert info.frame_rate == pytest.approx(float(rate), rel=1e-9)
    assert info.duration_s == pytest.approx(20 / float(rate))


@pytest.mark.parametrize("turned_deg", [0, 90, 180, 270])
def test_pictures_stand_upright_whatever_way_the_camera_was_held(
    tmp_path: Path, turned_deg: int
) -> None:
    upright = marked(even_times(4), (160, 120) if turned_deg in (0, 180) else (120, 160))
    stored = [np.ascontiguousarray(np.rot90(image, k=turned_deg // 90)) for image in upright]
    path = write(tmp_path / "a.mp4", stored, clockwise_deg=turned_deg)
    _, images, info = _read(path, FrameRequest(rate_hz=None, short_side_px=60, colour="rgb"))
    assert images.shape[1:] == ((60, 80, 3) if turned_deg in (0, 180) else (80, 60, 3))
    assert (info.height, info.width) == upright[0].shape[:2]
    assert info.rotation_deg == turned_deg
    assert _brightest_corner(images[0].mean(axis=2)) == "upper left"


@pytest.mark.parametrize(
    ("size_px", "short_side_px", "shape"),
    [
        ((101, 75), 60, (60, 81)),
        ((75, 101), 60, (81, 60)),
        ((101, 75), 75, (75, 101)),
        ((101, 75), 400, (75, 101)),
        ((400, 40), 16, (16, 160)),
    ],
)
def test_pictures_are_scaled_to_the_short_side_and_never_enlarged(
    tmp_path: Path, size_px: tuple[int, int], short_side_px: int, shape: tuple[int, int]
) -> None:
    path = write(tmp_path / "a.mp4", marked(even_times(3), size_px), pix_fmt="yuv444p")
    request = FrameRequest(rate_hz=None, short_side_px=short_side_px, colour="grey")
    _, images, info = _read(path, request)
    assert images.shape == (3, *shape)
    assert (info.width, info.height) == size_px


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", marked(even_times(3)), pixel_aspect=Fraction(3, 2))
    assert _read(path)[1].shape == (3, 60, 120)


def test_colours_come_as_red_green_blue(tmp_path: Path) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 220
    path = write(tmp_path / "a.mp4", [red] * 3)
    image = _read(path, FrameRequest(rate_hz=None, short_side_px=32, colour="rgb"))[1][0]
    assert image.mean(axis=(0, 1)) == pytest.approx([220, 0, 0], abs=6)


def test_times_count_from_the_start_of_the_recording_whatever_its_time_stamps(
    tmp_path: Path,
) -> None:
    times_s = 41.7 + even_times(14)
    for name in ("a.ts", "a.mkv"):
        path = write(tmp_path / name, marked(times_s), times_s=times_s)
        read_s, _, info = _read(path)
        np.testing.assert_allclose(read_s, even_times(14), atol=1e-3)
        assert info.duration_s == pytest.approx(14 / 15, abs=0.01)
        assert info.status == "ok"


def test_the_recording_clock_is_reported(tmp_path: Path) -> None:
    clock = {"creation_time": "2024-05-06T07:08:09Z"}
    told = _read(write(tmp_path / "a.mp4", marked(even_times(3)), metadata=clock))[2].start_time
    assert told.startswith("2024-05-06T07:08:09")
    assert _read(write(tmp_path / "b.mp4", marked(even_times(3))))[2].start_time == ""
    clock = {"creation_time": "last Tuesday"}
    told = _read(write(tmp_path / "c.mkv", marked(even_times(3)), metadata=clock))[2].start_time
    assert told == ""


def test_tags_that_are_no_utf8_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", marked(even_times(6)), metadata={"title": "Lukas Mueller"})
    content = path.read_bytes()
    assert b"Mueller" in content
    path.write_bytes(content.replace(b"Mueller", b"M\xfcller_"))
    assert _read(path)[2].n_frames == 6


def test_one_frame_is_a_clip_of_unknown_rate(tmp_path: Path) -> None:
    time_s, _, info = _read(write(tmp_path / "a.mp4", marked([0.0])))
    assert time_s.tolist() == [0.0]
    assert (info.status, info.n_frames) == ("ok", 1)
    assert math.isnan(info.frame_rate)
    assert info.duration_s == pytest.approx(1 / 15, abs=1e-3)


# sampling and blocks


@pytest.mark.parametrize(
    ("rate", "wanted_hz", "every"),
    [(15, 15, 1), (20, 15, 1), (24, 15, 2), (25, 15, 2), (30, 15, 2), (60, 15, 3), (120, 15, 6)],
)
@pytest.mark.parametrize("resolution_s", [1e-9, 1 / 90_000])
def test_a_constant_rate_is_thinned_by_a_whole_number(
    rate: int, wanted_hz: float, every: int, resolution_s: float
) -> None:
    times_s = np.round(np.arange(600) / rate / resolution_s) * resolution_s
    limit = RateLimit(wanted_hz)
    taken = [index for index, time_s in enumerate(times_s) if limit.takes(float(time_s))]
    assert taken == list(range(0, 600, every))


def test_without_a_rate_every_frame_is_taken() -> None:
    limit = RateLimit(None)
    assert all(limit.takes(time_s) for time_s in (0.0, 1e-6, 0.1))


def test_repeated_pictures_are_found_in_motion_but_not_in_stillness() -> None:
    moving = [image[:, :, 0] for image in marked(even_times(60, Fraction(30)))]
    finder = RepeatFinder()
    assert sum(finder.repeats(image) for image in moving) <= 2
    finder = RepeatFinder()
    shown = [moving[i - 1 if i % 3 == 2 else i] for i in range(60)]
    assert [i for i in range(60) if finder.repeats(shown[i]) and i % 3 == 2] == list(
        range(2, 60, 3)
    )
    finder = RepeatFinder()
    found = [finder.repeats(image) for image in [*moving, *[moving[-1]] * 30]]
    assert not any(found[-20:])


def test_blocks_hold_consecutive_frames_and_never_more_than_the_limit(
    long_clips: dict[str, Path],
) -> None:
    clip = Clip(clip_id="a", path=str(long_clips["plain.mkv"]))
    requests = [
        SMALL,
        FrameRequest(rate_hz=5, short_side_px=30, colour="rgb"),
    ]
    last_s = [-1.0, -1.0]
    count = [0, 0]
    for index, block in FrameReader(clip, requests, threads=1):
        assert 0 < len(block.time_s) <= BLOCK_FRAMES
        assert block.images.dtype == np.uint8
        assert block.images.shape[1:] == [(60, 80), (30, 40, 3)][index]
        assert np.all(np.diff([last_s[index], *block.time_s]) > 0)
        last_s[index] = block.time_s[-1]
        count[index] += len(block.time_s)
    assert count == [60, 20]


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", marked(even_times(100, Fraction(30))), rate=Fraction(30))
    told: list[float] = []
    reader = FrameReader(Clip(clip_id="a", path=str(path)), [SMALL], on_progress=told.append)
    assert sum(len(block.time_s) for _, block in reader) == 100
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= 1


# ranges

CONTAINERS = [
    "fast.mp4",
    "open_gop.mp4",
    "sound.mp4",
    "plain.mkv",
    "plain.webm",
    "plain.avi",
    "plain.ts",
    "sound.ts",
]


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize(("from_s", "to_s"), [(0.5, None), (1.51, 2.5), (3.9, None), (0.0, 1.0)])
def test_a_range_gives_exactly_the_frames_that_the_whole_file_has_there(
    long_clips: dict[str, Path], name: str, from_s: float, to_s: float | None
) -> None:
    whole_s, whole, _ = _read(long_clips[name])
    inside = (whole_s >= from_s) & (whole_s < (to_s or math.inf))
    time_s, images, info = _read(long_clips[name], from_s=from_s, to_s=to_s)
    np.testing.assert_allclose(time_s, whole_s[inside], atol=1e-9)
    assert np.abs(images.astype(int) - whole[inside]).mean() < 0.5
    assert (info.status, info.n_frames) == ("ok", inside.sum())


def test_a_range_outside_the_recording_is_refused(long_clips: dict[str, Path]) -> None:
    with pytest.raises(VideoError, match="no frame between 10 s and 20 s"):
        _read(long_clips["fast.mp4"], from_s=10, to_s=20)


# damage


@pytest.mark.parametrize(
    "name", ["fast.mp4", "plain.mkv", "sound.mkv", "plain.webm", "plain.avi", "plain.ts"]
)
def test_what_decodes_of_a_truncated_file_is_used_and_the_loss_is_told(
    tmp_path: Path, long_clips: dict[str, Path], name: str
) -> None:
    whole_s, whole, _ = _read(long_clips[name])
    path = videos.cut(long_clips[name], tmp_path / name)
    time_s, images, info = _read(path)
    assert info.status == "partial"
    assert info.error
    assert 10 <= len(time_s) == info.n_frames < 50
    np.testing.assert_allclose(time_s, whole_s[: len(time_s)], atol=1e-9)
    assert np.array_equal(images[:5], whole[:5])
    if name != "plain.ts":  # which has no header to tell its length
        assert "the header promises 4" in info.error or "damaged" in info.error


def test_a_range_that_reaches_beyond_a_truncation_is_partial(
    tmp_path: Path, long_clips: dict[str, Path]
) -> None:
    path = videos.cut(long_clips["fast.mp4"], tmp_path / "a.mp4")
    assert _read(path, to_s=1.5)[2].status == "ok"
    assert _read(path, to_s=3.9)[2].status == "partial"


def test_a_file_without_its_index_is_refused(tmp_path: Path, long_clips: dict[str, Path]) -> None:
    path = videos.cut(long_clips["moov_last.mp4"], tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="not a readable video"):
        _read(path)


@pytest.mark.parametrize("name", ["fast.mp4", "plain.avi", "plain.ts"])
@pytest.mark.parametrize("seed", range(3))
def test_damage_in_the_middle_costs_the_damaged_frames_alone(
    tmp_path: Path, long_clips: dict[str, Path], name: str, seed: int
) -> None:
    path = videos.corrupt(long_clips[name], tmp_path / name, at=0.45, n_bytes=600, seed=seed)
    time_s, _, info = _read(path)
    assert info.status == "partial"
    assert "damaged" in info.error
    assert len(time_s) >= 45
    assert np.all(np.diff(time_s) > 0)
    assert time_s[-1] > 3


def test_a_stretch_that_a_damaged_container_skips_is_told(
    tmp_path: Path, long_clips: dict[str, Path]
) -> None:
    whole = long_clips["plain.mkv"]
    path = videos.corrupt(
        whole, tmp_path / "a.mkv", at=0.3, n_bytes=int(0.4 * whole.stat().st_size)
    )
    time_s, _, info = _read(path)
    before_s = time_s[np.argmax(np.diff(time_s))]
    assert np.diff(time_s).max() > 1
    assert info.status == "partial"
    assert f"no picture from {before_s:.1f} s" in info.error


def test_frames_that_are_always_rare_are_no_damage(tmp_path: Path) -> None:
    times_s = 3.0 * np.arange(6)
    info = _read(write(tmp_path / "a.mkv", marked(times_s), times_s=times_s))[2]
    assert (info.status, info.error) == ("ok", "")


@pytest.mark.parametrize(
    "name", ["fast.mp4", "open_gop.mp4", "plain.mkv", "plain.webm", "plain.avi", "plain.ts"]
)
@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
def test_damage_decodes_alike_on_any_number_of_threads(
    tmp_path: Path, long_clips: dict[str, Path], name: str, at: float
) -> None:
    path = videos.corrupt(long_clips[name], tmp_path / name, at=at, n_bytes=600)
    few, many, auto = (_read(path, threads=threads) for threads in (1, 4, 0))
    for other in (many, auto):
        assert few[2] == other[2]
        assert np.array_equal(few[0], other[0])
        assert np.array_equal(few[1], other[1])


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_ends_in_frames_or_in_a_reason(
    tmp_path: Path, long_clips: dict[str, Path], seed: int
) -> None:
    names = ["fast.mp4", "plain.mkv", "plain.webm", "plain.avi", "plain.ts", "sound.mp4"]
    source = long_clips[names[seed % len(names)]]
    rng = np.random.default_rng(seed)
    content = bytearray(source.read_bytes())
    for at in rng.integers(0, len(content), 60):
        content[at] = rng.integers(256)
    path = tmp_path / source.name
    path.write_bytes(content)
    try:
        time_s, images, info = _read(path)
    except VideoError:
        pass
    else:
        assert len(time_s) == len(images) == info.n_frames > 0
        assert np.all(np.diff(time_s) > 0)


def test_a_header_that_promises_too_much_is_told_and_all_frames_are_used(
    tmp_path: Path, long_clips: dict[str, Path]
) -> None:
    path = videos.lying_avi(long_clips["plain.avi"], tmp_path / "a.avi", n_frames=6000)
    time_s, _, info = _read(path)
    assert len(time_s) == 60
    assert info.duration_s == pytest.approx(4.0)
    assert info.status == "partial"
    assert "the header promises 400.0 s" in info.error


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi"])
def test_duration_and_frame_count_come_from_the_frames(
    tmp_path: Path, long_clips: dict[str, Path], kind: str
) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "mp4":
        videos.lying_mp4(long_clips["fast.mp4"], path, factor=100)
    elif kind == "mkv":
        videos.lying_mkv(long_clips["plain.mkv"], path, factor=0.1)
    else:
        videos.lying_avi(long_clips["plain.avi"], path, n_frames=6)
    time_s, _, info = _read(path)
    assert len(time_s) == info.n_frames == 60
    assert info.duration_s == pytest.approx(4.0, abs=0.01)
    assert info.frame_rate == pytest.approx(15, rel=1e-3)


# no video at all


def test_files_that_hold_no_video_are_refused_with_their_reason(
    tmp_path: Path, long_clips: dict[str, Path]
) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video\n" * 500)
    videos.audio_only(tmp_path / "sound.mp4")
    reasons = {
        "missing.mp4": "no such file",
        "empty.mp4": "the file is empty",
        "text.mp4": "not a readable video",
        "sound.mp4": "no video stream",
        "x" * 300 + ".mp4": "cannot be read",
    }
    for name, reason in reasons.items():
        with pytest.raises(VideoError, match=reason):
            _read(tmp_path / name)
    with pytest.raises(VideoError, match="no such file"):
        _read(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nother.mp4\n#EXT-X-ENDLIST\n",
    ],
)
@pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ts"])
def test_a_playlist_cannot_open_another_file(
    tmp_path: Path, long_clips: dict[str, Path], text: str, ending: str
) -> None:
    (tmp_path / "other.mp4").write_bytes(long_clips["fast.mp4"].read_bytes())
    path = tmp_path / f"list{ending}"
    path.write_text(text)
    with pytest.raises(VideoError):
        _read(path)
