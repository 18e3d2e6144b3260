"""The signal pose: which frames are looked at, and what becomes of what is found there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from offhand.errors import SignalError, WeightsMissing
from offhand.models.body import Body
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, Signal
from offhand.signals.base import join
from offhand.signals.pose import CHANNELS, KEYPOINTS, LONGEST_GAP_S, Pose, PoseState
from offhand.weights import missing

SIZE_PX = (48, 64)
CLIP = Clip(clip_id="a", path="a")


class StandIn:
    """A landmarker that finds a body in images whose first pixel is bright."""

    def __init__(self) -> None:
        self.calls: list[str | ByteArray] = []

    def __call__(self, image: ByteArray) -> Body | None:
        self.calls.append(image)
        if image[0, 0, 0] < 128:
            return None
        keypoints = np.arange(33 * 4, dtype=np.float64).reshape(33, 4)
        keypoints[:, 3] = 0.75
        return Body(keypoints=keypoints, score=0.8)

    def reset(self) -> None:
        self.calls.append("reset")

    @property
    def resets(self) -> list[int]:
        """Number of images seen before each reset."""
        at = [index for index, call in enumerate(self.calls) if isinstance(call, str)]
        return [index - done for done, index in enumerate(at)]


def frames(time_s: FloatArray, body: Callable[[float], bool]) -> ByteArray:
    images = np.full((len(time_s), *SIZE_PX, 3), 30, np.uint8)
    images[[body(float(t)) for t in time_s]] = 200
    return images


def run(
    time_s: FloatArray,
    body: Callable[[float], bool],
    *,
    block: int = 32,
    clip: Clip = CLIP,
    landmarker: StandIn | None = None,
    **options: float,
) -> Signal:
    state = PoseState(Pose(**options), clip, landmarker or StandIn())
    images = frames(time_s, body)
    chunks = []
    for start in range(0, len(time_s), block):
        part = slice(start, start + block)
        chunks += list(state.update(FrameBlock(time_s=time_s[part], images=images[part])))
    return join([*chunks, *state.finish()])


def never(time_s: float) -> bool:
    return False


def always(time_s: float) -> bool:
    return True


def test_channels() -> None:
    assert len(KEYPOINTS) == len(set(KEYPOINTS)) == 33
    assert KEYPOINTS[:4] == ("nose", "left_eye_inner", "left_eye", "left_eye_outer")
    assert [KEYPOINTS[i] for i in (7, 10, 11, 16, 23, 26, 28, 31, 32)] == [
        "left_ear",
        "mouth_right",
        "left_shoulder",
        "right_wrist",
        "left_hip",
        "right_knee",
        "right_ankle",
        "left_foot_index",
        "right_foot_index",
    ]
    assert CHANNELS[-6:] == (
        "right_foot_index_x",
        "right_foot_index_y",
        "right_foot_index_z",
        "right_foot_index_visibility",
        "score",
        "examined",
    )


def test_lengths_are_shares_of_the_shorter_side() -> None:
    signal = run(np.arange(5) / 10, always)
    for index, name in ((0, "nose"), (11, "left_shoulder"), (32, "right_foot_index")):
        for part, axis in enumerate("xyz"):
            np.testing.assert_allclose(
                signal.channel(f"{name}_{axis}"), (4 * index + part) / min(SIZE_PX)
            )
        np.testing.assert_array_equal(signal.channel(f"{name}_visibility"), 0.75)
    np.testing.assert_array_equal(signal.channel("score"), 0.8)
    np.testing.assert_array_equal(signal.channel("examined"), 1)


def test_times_are_those_of_the_frames() -> None:
    time_s = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.2, 100))
    np.testing.assert_array_equal(run(time_s, always).time_s, time_s)


def test_no_body_is_nan() -> None:
    signal = run(np.arange(100) / 10, never)
    assert np.isnan(signal.values[:, :-1]).all()
    assert np.isfinite(signal.channel("examined")).all()


@pytest.mark.parametrize(("rate_hz", "every"), [(10.0, 5), (7.5, 4), (12.5, 6)])
def test_nobody_is_looked_for_at_a_low_rate(rate_hz: float, every: int) -> None:
    landmarker = StandIn()
    # time stamps in whole milliseconds, as in many containers
    time_s = np.round(np.arange(60) / rate_hz, 3)
    signal = run(time_s, never, landmarker=landmarker, detect_hz=2.0)
    looked = np.flatnonzero(signal.channel("examined"))
    assert looked.tolist() == list(range(0, 60, every))
    assert sum(not isinstance(call, str) for call in landmarker.calls) == len(looked)


def test_a_detection_rate_up_to_the_sampling_rate_looks_at_every_frame() -> None:
    for detect_hz in (10.0, 50.0):
        signal = run(np.round(np.arange(60) / 10, 2), never, detect_hz=detect_hz)
        np.testing.assert_array_equal(signal.channel("examined"), 1)


def test_a_body_is_followed_at_the_full_rate_and_for_a_moment_after() -> None:
    time_s = np.arange(100) / 10
    signal = run(time_s, lambda t: 3.15 < t < 6.15, detect_hz=2.0)
    found = ~np.isnan(signal.channel("score"))
    np.testing.assert_array_equal(np.flatnonzero(found), np.arange(35, 62))
    looked = np.flatnonzero(signal.channel("examined"))
    np.testing.assert_array_equal(looked, [*range(0, 35, 5), *range(35, 66), *range(70, 100, 5)])


def test_a_body_that_blinks_is_not_lost() -> None:
    time_s = np.arange(100) / 10
    signal = run(time_s, lambda t: round(t * 10) % 3 == 0, detect_hz=2.0)
    np.testing.assert_array_equal(signal.channel("examined"), 1)
    assert np.isnan(signal.channel("score")).mean() == pytest.approx(0.66)


def test_behind_a_gap_nobody_is_followed() -> None:
    landmarker = StandIn()
    early, late = np.arange(20) / 10, 20 + np.arange(20) / 10
    signal = run(np.concatenate([early, late]), always, landmarker=landmarker)
    assert landmarker.resets == [0, 20]
    assert np.isfinite(signal.values).all()


def test_behind_a_gap_the_first_frame_is_looked_at() -> None:
    time_s = np.concatenate([np.arange(8) / 10, 0.7 + LONGEST_GAP_S + 0.01 + np.arange(8) / 10])
    signal = run(time_s, never, detect_hz=0.2)
    assert np.flatnonzero(signal.channel("examined")).tolist() == [0, 8]


def test_rare_frames_are_all_looked_at() -> None:
    landmarker = StandIn()
    run(np.arange(10) * 2.0, never, landmarker=landmarker)
    assert landmarker.resets == list(range(10))


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_do_not_matter(block: int) -> None:
    time_s = np.arange(100) / 10
    whole = run(time_s, lambda t: 2 < t < 3 or t > 7)
    cut = run(time_s, lambda t: 2 < t < 3 or t > 7, block=block)
    np.testing.assert_array_equal(whole.values, cut.values)
    np.testing.assert_array_equal(whole.time_s, cut.time_s)


def test_every_block_is_a_chunk() -> None:
    state = PoseState(Pose(), CLIP, StandIn())
    time_s = np.arange(64) / 10
    for start in (0, 32):
        part = time_s[start : start + 32]
        chunks = list(state.update(FrameBlock(time_s=part, images=frames(part, always))))
        assert [chunk.time_s.tolist() for chunk in chunks] == [part.tolist()]
    assert list(state.finish()) == []


def test_no_frame_at_all() -> None:
    with pytest.raises(SignalError, match="no frame"):
        list(PoseState(Pose(), CLIP, StandIn()).finish())


def test_masked_pixels_are_black(tmp_path: Path) -> None:
    mask = np.full((96, 128), 255, np.uint8)
    mask[:, 64:] = 0
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), mask)
    landmarker = StandIn()
    clip = Clip(clip_id="a", path="a", mask_path=str(path))
    run(np.arange(2) / 10, always, clip=clip, landmarker=landmarker)
    _, *images = landmarker.calls
    assert len(images) == 2
    for image in images:
        assert not isinstance(image, str)
        assert (image[:, :32] == 200).all()
        assert (image[:, 32:] == 0).all()


def test_a_mask_that_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_text("no image")
    with pytest.raises(SignalError, match=r"mask\.png"):
        PoseState(Pose(), Clip(clip_id="a", path="a", mask_path=str(path)), StandIn())


def test_the_request() -> None:
    request = Pose(rate_hz=6.0, short_side_px=200).request
    assert (request.rate_hz, request.short_side_px, request.colour) == (6.0, 200, "rgb")
    assert Pose().weights == ("mediapipe_pose",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate_hz", 0.0),
        ("rate_hz", float("nan")),
        ("detect_hz", -1.0),
        ("short_side_px", 32),
        ("min_detection", 1.5),
        ("min_presence", float("nan")),
    ],
)
def test_options_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Pose(**{name: value})


def test_missing_weights_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing, match="mediapipe_pose"):
        Pose().start(CLIP)


@pytest.mark.weights
@pytest.mark.skipif(bool(missing("mediapipe_pose")), reason="weights mediapipe_pose are not here")
def test_the_real_models_see_nobody_in_noise() -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 96, 128, 3), dtype=np.uint8)
    state = Pose().start(CLIP)
    chunks = list(state.update(FrameBlock(time_s=np.arange(12) / 10, images=images)))
    signal = join([*chunks, *state.finish()])
    assert np.isnan(signal.channel("score")).all()
    assert signal.channel("examined").sum() == 3
