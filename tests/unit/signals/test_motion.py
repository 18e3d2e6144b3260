"""The signal motion against known camera motion, and against what must not disturb it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from offhand.errors import SignalError
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, Signal
from offhand.signals.base import join
from offhand.signals.motion import CHANNELS, Motion
from offhand.signals.motion.camera import (
    _consensus,
    equidistant_basis,
    fit_camera,
    similarity_basis,
)
from offhand.signals.motion.extractor import CHUNK_S
from offhand.signals.motion.flow import NO_GUESS, FlowGrid
from offhand.stages.measure import measure_signals
from offhand.video.sampling import RateLimit
from tests import naive
from tests.fixtures.videos import even_times, texture, view, write

SIZE_PX = (240, 180)
WORLD = texture(seed=3)

Path_ = Callable[[float], dict[str, float]]


def _film(path: Path_, times_s: FloatArray, size_px: tuple[int, int] = SIZE_PX) -> list[ByteArray]:
    return [view(WORLD, size_px, **path(float(t)))[:, :, 0] for t in times_s]


def _measure(
    times_s: FloatArray,
    images: list[ByteArray],
    *,
    options: Motion | None = None,
    mask: Path | None = None,
    block: int = 32,
) -> Signal:
    motion = options or Motion(short_side_px=min(images[0].shape))
    state = motion.start(Clip(clip_id="a", path="a", mask_path=None if mask is None else str(mask)))
    limit = RateLimit(motion.request.rate_hz)
    taken = [i for i, time_s in enumerate(times_s) if limit.takes(float(time_s))]
    chunks = []
    for start in range(0, len(taken), block):
        part = taken[start : start + block]
        frames = FrameBlock(time_s=times_s[part], images=np.stack([images[i] for i in part]))
        chunks += list(state.update(frames))
    return join([*chunks, *state.finish()])


def _median(signal: Signal, name: str) -> float:
    return float(np.nanmedian(signal.channel(name)))


def _sway(time_s: float) -> dict[str, float]:
    return {
        "x": 0.10 * np.sin(2 * np.pi * time_s / 1.6),
        "y": 0.06 * np.sin(2 * np.pi * time_s / 1.1),
    }


def _sway_truth(time_s: FloatArray) -> FloatArray:
    """Return the camera's x and y speed ``(n, 2)`` as the picture shows it: the other way."""
    x = -0.10 * 2 * np.pi / 1.6 * np.cos(2 * np.pi * time_s / 1.6)
    y = -0.06 * 2 * np.pi / 1.1 * np.cos(2 * np.pi * time_s / 1.1)
    return np.column_stack([x, y])


def _camera_error(signal: Signal) -> float:
    """Return the root-mean-square error of camera_x and camera_y relative to the truth's size."""
    measured = np.column_stack([signal.channel("camera_x"), signal.channel("camera_y")])
    truth = _sway_truth(signal.time_s)
    return float(np.sqrt(np.mean((measured - truth) ** 2) / np.mean(truth**2)))


# known motion


@pytest.mark.parametrize("rate", [15, 20, 24, 25, 30, 50, 60])
def test_speeds_are_diagonals_per_second_at_any_frame_rate(rate: int) -> None:
    times_s = even_times(2 * rate, Fraction(rate))
    signal = _measure(times_s, _film(lambda t: {"x": 0.18 * t, "y": -0.14 * t}, times_s))
    assert _median(signal, "camera_x") == pytest.approx(-0.18, rel=0.05)
    assert _median(signal, "camera_y") == pytest.approx(0.14, rel=0.05)
    assert _median(signal, "flow_x") == pytest.approx(-0.18, rel=0.05)
    assert _median(signal, "flow_speed") == pytest.approx(np.hypot(0.18, 0.14), rel=0.05)
    assert abs(_median(signal, "camera_roll")) < 0.01
    assert abs(_median(signal, "camera_zoom")) < 0.01
    assert _median(signal, "residual_speed") < 0.01
    assert _median(signal, "inlier_ratio") > 0.95
    assert np.ptp(np.diff(signal.time_s)) < 1e-9


@pytest.mark.parametrize(
    "size_px", [(160, 120), (284, 160), (160, 284), (427, 240), (640, 160), (101, 75)]
)
def test_speeds_do_not_depend_on_the_resolution(size_px: tuple[int, int]) -> None:
    times_s = even_times(30)
    signal = _measure(times_s, _film(lambda t: {"x": 0.25 * t, "y": 0.20 * t}, times_s, size_px))
    assert _median(signal, "camera_x") == pytest.approx(-0.25, rel=0.05)
    assert _median(signal, "camera_y") == pytest.approx(-0.20, rel=0.05)


@pytest.mark.parametrize("speed", [0.02, 0.05, 0.1, 0.4, 0.8])
def test_slow_and_fast_motion_are_measured(speed: float) -> None:
    times_s = even_times(30)
    signal = _measure(times_s, _film(lambda t: {"x": speed * t}, times_s))
    assert _median(signal, "camera_x") == pytest.approx(-speed, rel=0.12)


def test_swaying_is_followed() -> None:
    times_s = even_times(60)
    assert _camera_error(_measure(times_s, _film(_sway, times_s))) < 0.05


@pytest.mark.parametrize("roll", [-0.5, 0.3])
def test_roll_is_measured_in_radians_per_second(roll: float) -> None:
    times_s = even_times(30)
    signal = _measure(times_s, _film(lambda t: {"roll_rad": roll * t}, times_s))
    assert _median(signal, "camera_roll") == pytest.approx(roll, rel=0.1)
    assert abs(_median(signal, "camera_x")) < 0.01
    assert abs(_median(signal, "camera_zoom")) < 0.02


@pytest.mark.parametrize("zoom", [-0.3, 0.3])
def test_zoom_is_measured_per_second(zoom: float) -> None:
    times_s = even_times(30)
    signal = _measure(times_s, _film(lambda t: {"zoom": float(np.exp(zoom * t))}, times_s))
    assert _median(signal, "camera_zoom") == pytest.approx(zoom, rel=0.1)
    assert abs(_median(signal, "camera_roll")) < 0.02


def test_the_channels_are_those_promised() -> None:
    times_s = even_times(5)
    signal = _measure(times_s, _film(_sway, times_s))
    assert signal.channels == CHANNELS
    assert signal.time_s == pytest.approx((times_s[1:] + times_s[:-1]) / 2)


# what must not attract the fit


def test_a_vest_that_moves_with_the_body_does_not_attract_the_camera() -> None:
    times_s = even_times(75)
    vest = texture(seed=9)[:63, :240]
    images = _film(_sway, times_s)
    for time_s, image in zip(times_s, images, strict=True):
        shift = round(3 * np.sin(2 * np.pi * time_s / 0.9))
        image[117:] = np.roll(vest, shift, axis=1)
    assert _camera_error(_measure(times_s, images)) < 0.08


def test_a_still_overlay_does_not_attract_the_camera() -> None:
    times_s = even_times(75)
    overlay = texture(seed=9)
    images = _film(_sway, times_s)
    for image in images:
        image[:30] = overlay[:30, :240]
        image[117:] = overlay[200:263, :240]
    signal = _measure(times_s, images)
    assert _camera_error(signal) < 0.05
    assert _median(signal, "flow_speed") == pytest.approx(
        float(np.median(np.linalg.norm(_sway_truth(signal.time_s), axis=1))), rel=0.25
    )


def test_hands_in_front_of_the_body_are_residual_motion() -> None:
    times_s = even_times(60)
    hand = texture(seed=5)[:64, :64]
    images = _film(_sway, times_s)
    for time_s, image in zip(times_s, images, strict=True):
        left = 88 + round(20 * np.sin(2 * np.pi * time_s / 0.8))
        image[75:139, left : left + 64] = hand
    with_hand, without = _measure(times_s, images), _measure(times_s, _film(_sway, times_s))
    assert _median(with_hand, "residual_speed") > 5 * _median(without, "residual_speed")
    assert _camera_error(with_hand) < 0.08


# rims, bars and masks


def _circle(size_px: tuple[int, int], diameter_px: float) -> ByteArray:
    y, x = np.mgrid[: size_px[1], : size_px[0]]
    radius = np.hypot(x - (size_px[0] - 1) / 2, y - (size_px[1] - 1) / 2)
    return (radius <= diameter_px / 2).astype(np.uint8)


def test_a_fisheye_rim_is_left_out_and_its_circle_is_the_unit() -> None:
    times_s = even_times(60)
    images = [image * _circle(SIZE_PX, 180) for image in _film(_sway, times_s)]
    options = Motion(short_side_px=180, lens="similarity")
    signal = _measure(times_s, images, options=options)
    assert "fisheye" in signal.notes["rim"]
    diagonals = np.hypot(*SIZE_PX) / 180
    truth = _sway_truth(signal.time_s)[:, 0] * diagonals
    error = signal.channel("camera_x") - truth
    assert np.sqrt(np.mean(error**2) / np.mean(truth**2)) < 0.06
    assert _median(signal, "residual_speed") < 0.02
    assert "equidistant" in _measure(times_s, images).notes["lens"]


@pytest.mark.parametrize("sides", ["above and below", "left and right"])
def test_black_bars_are_left_out_and_are_no_fisheye(sides: str) -> None:
    times_s = even_times(60)
    images = _film(_sway, times_s)
    height, width = images[0].shape
    for image in images:
        if sides == "above and below":
            image[:30] = image[-30:] = 16
        else:
            image[:, :40] = image[:, -40:] = 16
    shape = (height - 60, width) if sides == "above and below" else (height, width - 80)
    signal = _measure(times_s, images)
    assert "bars" in signal.notes["rim"]
    assert "similarity" in signal.notes["lens"]
    truth = _sway_truth(signal.time_s)[:, 0] * np.hypot(*SIZE_PX) / np.hypot(*shape)
    error = signal.channel("camera_x") - truth
    assert np.sqrt(np.mean(error**2) / np.mean(truth**2)) < 0.05


def test_a_picture_without_rim_has_none() -> None:
    times_s = even_times(20)
    assert "rim" not in _measure(times_s, _film(_sway, times_s)).notes


def test_what_the_user_masks_is_left_out(tmp_path: Path) -> None:
    times_s = even_times(60)
    other = _film(lambda t: {"x": 0.5 * t}, times_s)
    images = _film(_sway, times_s)
    for image, wrong in zip(images, other, strict=True):
        image[72:] = wrong[72:]
    mask = np.full((360, 480), 255, np.uint8)
    mask[144:] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    assert _camera_error(_measure(times_s, images)) > 0.5
    signal = _measure(times_s, images, mask=tmp_path / "mask.png")
    assert _camera_error(signal) < 0.06
    assert "mask" in signal.notes


def test_a_mask_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("no image")
    times_s = even_times(3)
    with pytest.raises(SignalError, match=r"mask\.png"):
        _measure(times_s, _film(_sway, times_s), mask=tmp_path / "mask.png")


def test_masking_everything_leaves_nothing_to_measure(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((60, 80), np.uint8))
    times_s = even_times(20)
    signal = _measure(times_s, _film(_sway, times_s), mask=tmp_path / "mask.png")
    assert np.isnan(signal.channel("flow_speed")).all()
    assert np.isnan(signal.channel("camera_x")).all()


# uneven frames


@pytest.mark.parametrize("rate", [15, 30])
@pytest.mark.parametrize("kind", ["mp4", "webm", "avi"])
def test_repeated_frames_give_no_false_peaks(tmp_path: Path, kind: str, rate: int) -> None:
    times_s = even_times(4 * rate, Fraction(rate))
    film = [view(WORLD, (160, 120), **_sway(float(t))) for t in times_s]
    shown = [film[i - 1 if i % 3 == 2 else i] for i in range(len(film))]
    codec = {"mp4": "libx264", "webm": "libvpx-vp9", "avi": "mpeg4"}[kind]
    speeds = []
    for name, pictures in (("clean", film), ("repeated", shown)):
        path = tmp_path / f"{name}.{kind}"
        options = {"b": "4000000"} if codec == "mpeg4" else None
        write(path, pictures, codec=codec, rate=Fraction(rate), options=options)
        signal = measure_signals(path)[0]["motion"]
        speeds.append(float(np.nanmax(signal.channel("camera_speed"))))
        assert _camera_error(signal) < 0.12
    assert speeds[1] == pytest.approx(speeds[0], rel=0.15)


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_dropped_frames_give_no_false_peaks(tmp_path: Path, kind: str) -> None:
    times_s = even_times(120, Fraction(30))
    film = [view(WORLD, (160, 120), **_sway(float(t))) for t in times_s]
    kept = [i for i in range(120) if i % 3 != 2 and i % 7 != 3]
    codec = "libvpx-vp9" if kind == "webm" else "libx264"
    path = tmp_path / f"a.{kind}"
    write(path, [film[i] for i in kept], codec=codec, rate=Fraction(30), times_s=times_s[kept])
    signal = measure_signals(path)[0]["motion"]
    assert _camera_error(signal) < 0.06
    fastest = np.linalg.norm(_sway_truth(times_s), axis=1).max()
    assert np.nanmax(signal.channel("camera_speed")) < 1.15 * fastest


def test_stillness_is_zero_motion() -> None:
    times_s = even_times(90)
    images = _film(lambda t: _sway(min(t, 2.0)), times_s)
    signal = _measure(times_s, images)
    still = signal.time_s > 2.5
    assert still.sum() >= 45
    assert np.all(signal.channel("flow_speed")[still] == 0)
    assert np.all(signal.channel("camera_x")[still] == 0)
    moving = signal.time_s < 1.9
    assert signal.channel("flow_speed")[moving].mean() > 0.2


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_stillness_is_nearly_zero_motion_after_coding(tmp_path: Path, kind: str) -> None:
    times_s = even_times(90, Fraction(30))
    film = [view(WORLD, (160, 120), **_sway(min(float(t), 1.0))) for t in times_s]
    codec = "libvpx-vp9" if kind == "webm" else "libx264"
    write(tmp_path / f"a.{kind}", film, codec=codec, rate=Fraction(30))
    signal = measure_signals(tmp_path / f"a.{kind}")[0]["motion"]
    still = signal.time_s > 1.5
    assert still.sum() >= 10
    assert np.nanmax(signal.channel("flow_speed")[still]) < 0.02
    assert np.diff(signal.time_s).max() < 0.6


def test_a_cut_is_not_measured_as_motion() -> None:
    times_s = even_times(60)
    images = _film(_sway, times_s)
    other = (texture(seed=77) * 0.45).astype(np.uint8)
    images[30:] = [view(other, SIZE_PX, **_sway(float(t)))[:, :, 0] for t in times_s[30:]]
    signal = _measure(times_s, images)
    at_cut = (signal.time_s > times_s[29]) & (signal.time_s < times_s[30])
    assert at_cut.sum() == 1
    assert np.isnan(signal.channel("camera_x")[at_cut]).all()
    assert np.isnan(signal.channel("flow_speed")[at_cut]).all()
    assert not np.isnan(signal.channel("camera_x")[~at_cut]).any()


def test_frames_too_rare_for_flow_are_unknown_not_an_error() -> None:
    times_s = np.arange(12) * 1.0
    signal = _measure(times_s, _film(lambda t: {"x": 0.01 * t}, times_s))
    assert len(signal.time_s) == 11
    assert np.isnan(signal.values).all()


def test_a_long_pause_without_frames_is_not_bridged() -> None:
    times_s = np.concatenate([even_times(30), 5 + even_times(30)])
    signal = _measure(times_s, _film(lambda t: {"x": 0.1 * t}, times_s))
    inside = (signal.time_s > 1.95) & (signal.time_s < 5)
    assert np.isnan(signal.values[inside]).all()
    assert signal.channel("camera_x")[~inside] == pytest.approx(-0.1, rel=0.1)


# chunks and edges


def test_chunk_boundaries_do_not_show() -> None:
    times_s = even_times(int(2.4 * CHUNK_S * 15))
    images = _film(_sway, times_s, (64, 48))
    signal = _measure(times_s, images)
    np.testing.assert_allclose(signal.time_s, (times_s[1:] + times_s[:-1]) / 2)
    error = np.abs(signal.channel("camera_x") - _sway_truth(signal.time_s)[:, 0])
    edges = np.abs(signal.time_s[:, None] - [CHUNK_S, 2 * CHUNK_S]).min(axis=1) < 0.3
    assert error[edges].max() <= error[~edges].max()


def test_the_size_of_blocks_does_not_matter() -> None:
    times_s = even_times(200)
    images = _film(_sway, times_s, (64, 48))
    one, other = _measure(times_s, images, block=1), _measure(times_s, images, block=32)
    np.testing.assert_array_equal(one.time_s, other.time_s)
    np.testing.assert_array_equal(one.values, other.values)


def test_a_black_clip_has_no_motion_to_measure() -> None:
    times_s = even_times(300)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 4, (48, 64), dtype=np.uint8) for _ in times_s]
    signal = _measure(times_s, images)
    assert np.isnan(signal.values).all()
    assert len(signal.time_s) == 299


def test_a_black_beginning_costs_itself_alone() -> None:
    times_s = even_times(400)
    rng = np.random.default_rng(0)
    images = _film(_sway, times_s, (64, 48))
    images[:180] = [rng.integers(0, 4, (48, 64), dtype=np.uint8) for _ in range(180)]
    signal = _measure(times_s, images)
    late = signal.time_s > 12.2
    truth = _sway_truth(signal.time_s)[:, 0]
    assert np.corrcoef(signal.channel("camera_x")[late], truth[late])[0, 1] > 0.99


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_clip_of_one_colour_does_not_crash(level: int) -> None:
    times_s = even_times(40)
    signal = _measure(times_s, [np.full((48, 64), level, np.uint8)] * 40)
    assert np.all(np.diff(signal.time_s) > 0)
    assert not np.any(np.abs(signal.channel("camera_x")) > 0)


@pytest.mark.parametrize("size_px", [(32, 32), (33, 300), (300, 33), (37, 41)])
def test_tiny_and_odd_shapes_are_measured(size_px: tuple[int, int]) -> None:
    times_s = even_times(20)
    signal = _measure(times_s, _film(_sway, times_s, size_px))
    assert len(signal.time_s) == 19
    assert np.isfinite(signal.channel("flow_speed")).all()


@pytest.mark.parametrize("size_px", [(300, 16), (100, 20), (16, 16), (20, 300)])
def test_pictures_too_small_for_the_flow_are_refused(size_px: tuple[int, int]) -> None:
    times_s = even_times(3)
    with pytest.raises(SignalError, match="too small"):
        _measure(times_s, _film(_sway, times_s, size_px), options=Motion())


@pytest.mark.parametrize("n_frames", [0, 1])
def test_fewer_than_two_frames_are_refused(n_frames: int) -> None:
    state = Motion().start(Clip(clip_id="a", path="a"))
    times_s = even_times(n_frames)
    if n_frames:
        block = FrameBlock(time_s=times_s, images=np.stack(_film(_sway, times_s)))
        assert list(state.update(block)) == []
    with pytest.raises(SignalError, match="two frames"):
        list(state.finish())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rate_hz", 0.0),
        ("rate_hz", float("nan")),
        ("short_side_px", 4),
        ("fov_deg", 0.0),
        ("fov_deg", 400.0),
        ("seed", -1),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=option):
        Motion(**{option: value})


# the flow alone


def shifted(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth random image, and the same moved by 3 px to the right and 2 px down."""
    height, width = shape
    noise = np.random.default_rng(0).uniform(0, 1, (height + 2, width + 3)).astype(np.float32)
    large = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    large = large.astype(np.uint8)
    return np.ascontiguousarray(large[2:, 3:]), np.ascontiguousarray(large[:-2, :-3])


@pytest.mark.parametrize("shape", [(160, 284), (161, 283), (284, 160), (32, 92), (33, 400)])
def test_flow_of_coarse_images_is_opencv_s_of_whole_ones(shape: tuple[int, int]) -> None:
    before, after = shifted(shape)
    grid = FlowGrid(shape)
    whole = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    whole.setVariationalRefinementIterations(0)
    flow = np.ascontiguousarray(whole.calc(before, after, NO_GUESS))
    expected = np.stack([grid.cells(flow[..., axis]) for axis in (0, 1)], axis=-1)
    found = grid.between(grid.coarse(before), grid.coarse(after)) * grid.diagonal_px
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(160, 284), (60, 80), (32, 91), (32, 32)])
def test_flow_finds_how_far_an_image_moved(shape: tuple[int, int]) -> None:
    grid = FlowGrid(shape)
    before, after = (grid.coarse(image) for image in shifted(shape))
    found = np.median(grid.between(before, after) * grid.diagonal_px, axis=0)
    np.testing.assert_allclose(found, (3, 2), atol=0.15)


# the fit alone


@pytest.mark.parametrize("lens", ["similarity", "equidistant"])
def test_the_fit_finds_the_camera_under_forty_percent_outliers(lens: str) -> None:
    grid = FlowGrid((180, 240))
    points = grid.points()
    basis = (
        similarity_basis(points) if lens == "similarity" else equidistant_basis(points, fov_deg=170)
    )
    rng = np.random.default_rng(0)
    truth = np.array([0.2, -0.1, 0.3, 0.15])
    flow = np.einsum("kcd,k->cd", basis, truth) + rng.normal(0, 0.003, (len(points), 2))
    body = points[:, 1] > 0.06
    assert 0.35 < body.mean() < 0.45
    flow[body] = (0.05, 0.3)
    fit = fit_camera(
        flow[None], np.ones((1, len(points))), basis, tolerance=np.array([0.02]), seed=0
    )
    np.testing.assert_allclose(fit.parameters[0], truth, atol=0.01)
    assert fit.inlier_ratio[0] == pytest.approx(1 - body.mean(), abs=0.05)


def test_a_turning_fisheye_moves_its_centre_at_the_speed_of_the_turn() -> None:
    points = np.array([[0.0, 0.0], [0.3, 0.0], [0.0, -0.4]])
    basis = equidistant_basis(points, fov_deg=180)
    np.testing.assert_allclose(basis[0, 0], [1, 0], atol=1e-4)
    np.testing.assert_allclose(basis[1, 0], [0, 1], atol=1e-4)
    np.testing.assert_allclose(basis[2, 1], [0, 0.3], atol=1e-4)
    np.testing.assert_allclose(basis[2, 2], [0.4, 0], atol=1e-4)
    # along the direction of the turn an equidistant lens moves every point alike
    np.testing.assert_allclose(basis[0, 1], [1, 0], atol=1e-4)
    assert basis[0, 2, 0] < 0.9


@pytest.mark.parametrize("usable", [0, 5])
def test_too_few_usable_cells_give_no_fit(usable: int) -> None:
    points = FlowGrid((64, 64)).points()
    weights = np.zeros((2, len(points)))
    weights[:, :usable] = 1
    fit = fit_camera(
        np.zeros((2, len(points), 2)),
        weights,
        similarity_basis(points),
        tolerance=np.full(2, 0.01),
        seed=0,
    )
    assert np.isnan(fit.parameters).all()
    assert np.isnan(fit.residual).all()
    assert fit.inlier_ratio.tolist() == [0, 0]


def test_the_consensus_is_the_motion_that_loses_least() -> None:
    rng = np.random.default_rng(5)
    points = FlowGrid((64, 96)).points()
    basis = similarity_basis(points)
    flow = np.einsum("kcd,nk->ncd", basis, rng.normal(0, 0.3, (3, 4)))
    flow += rng.normal(0, 0.02, flow.shape)
    flow[:, ::3] += rng.normal(0, 0.5, flow[:, ::3].shape)
    weights = rng.uniform(0.1, 1.0, flow.shape[:2])
    pairs = rng.choice(len(points), (20, 2), replace=False)
    limit = np.full((3, 1), 0.03**2)
    fields = basis.transpose(1, 2, 0)
    best = _consensus(flow, weights, fields, pairs, limit=limit)
    for frame, vectors in enumerate(flow):
        tried = np.linalg.pinv(fields[pairs].reshape(-1, 4, 4)) @ vectors[pairs].reshape(-1, 4, 1)
        expected = naive.best_motion(vectors, weights[frame], basis, tried[:, :, 0], 0.03**2)
        np.testing.assert_allclose(best[frame], tried[expected, :, 0], rtol=1e-9)


def test_the_refined_fit_is_the_truth_where_most_cells_follow_it() -> None:
    rng = np.random.default_rng(6)
    basis = similarity_basis(FlowGrid((64, 96)).points())
    truth = rng.normal(0, 0.3, (5, 4))
    flow = np.einsum("kcd,nk->ncd", basis, truth)
    flow[:, ::4] += 1.0
    weights = np.ones(flow.shape[:2])
    weights[2] = 0.0
    fit = fit_camera(flow, weights, basis, tolerance=np.full(5, 0.02), seed=0)
    known = np.arange(5) != 2
    np.testing.assert_allclose(fit.parameters[known], truth[known], atol=1e-3)
    assert np.isnan(fit.parameters[2]).all()
    assert np.isnan(fit.residual[2]).all()
    np.testing.assert_allclose(fit.inlier_ratio, np.where(known, 0.75, 0.0), atol=0.01)
