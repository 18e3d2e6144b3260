"""The signal hands: stretches, blocks and channels; the models are stood in for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from offhand.errors import SignalError, WeightsMissing
from offhand.models.hand import Hand
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, Signal
from offhand.signals.base import join
from offhand.signals.hands import Hands
from offhand.signals.hands.anchors import AnchorDetector, owlv2_anchors, wilor_anchors
from offhand.signals.hands.boxes import Box
from offhand.signals.hands.detector import HandDetector
from offhand.signals.hands.extractor import ANCHOR_EVERY_S, BLOCK_FRAMES, CHANNELS, HandsState
from offhand.weights import missing

CLIP = Clip(clip_id="a", path="a")
SIZE_PX = (48, 48)
HAND = (12.0, 12.0, 36.0, 36.0)
EVERY = {"coverage": "every-frame"}

needs_weights = pytest.mark.skipif(
    bool(missing("mediapipe_hands")), reason="no weights mediapipe_hands on this machine"
)


class StandIn:
    """Finds a hand in the middle of images whose corner is bright."""

    def __init__(self) -> None:
        self.images: list[ByteArray] = []
        self.resets = 0

    def __call__(self, image: ByteArray) -> tuple[Hand, ...]:
        self.images.append(image)
        if image[0, 0, 0] < 128:
            return ()
        return (Hand(keypoints=np.zeros((21, 3)), handedness="right", score=0.95, box=HAND),)

    def reset(self) -> None:
        self.resets += 1


def frames(time_s: FloatArray, fired: Sequence[bool]) -> ByteArray:
    """One textured picture over and over, its corner bright where the stand-in shall fire."""
    grain = np.random.default_rng(0).integers(40, 120, (*SIZE_PX, 3)).astype(np.uint8)
    images = np.repeat(cv2.GaussianBlur(grain, (0, 0), 1)[None], len(time_s), axis=0)
    images[:, 12:36, 12:36, 0] += 100
    images[:, 0, 0] = np.where(fired, 255, 0)[:, None]
    return images


def run(
    time_s: FloatArray,
    fired: Sequence[bool],
    *,
    options: Hands | None = None,
    anchors: AnchorDetector | None = None,
    landmarker: StandIn | None = None,
    clip: Clip = CLIP,
    block: int = 32,
) -> list[Signal]:
    stand_in = landmarker or StandIn()
    state = HandsState(
        options or Hands(coverage="every-frame"), clip, HandDetector(lambda: stand_in), anchors
    )
    images = frames(time_s, fired)
    chunks = []
    for start in range(0, len(time_s), block):
        part = slice(start, start + block)
        chunks += state.update(FrameBlock(time_s=time_s[part], images=images[part]))
    return [*chunks, *state.finish()]


def test_channels_of_a_frame_with_a_hand() -> None:
    (signal,) = run(np.arange(2) / 30, [True, True])
    assert signal.channels == CHANNELS
    row = dict(zip(CHANNELS, signal.values[1], strict=True))
    assert row["detector_fired"] == row["n_hands"] == row["tracked"] == row["n_tracked"] == 1
    assert row["hand_1_score"] == 0.95
    assert row["hand_1_is_right"] == 1
    for prefix in ("hand_1", "track_1"):
        edges = [row[f"{prefix}_{edge}"] for edge in ("left", "top", "right", "bottom")]
        assert edges == [0.25, 0.25, 0.75, 0.75]
    absent = [name for name in CHANNELS if name.startswith(("hand_2", "track_2"))]
    assert len(absent) == 10
    assert all(np.isnan(row[name]) for name in absent)


def test_no_hands_are_0_and_their_boxes_nan() -> None:
    (signal,) = run(np.arange(5) / 30, [False] * 5)
    for name in ("detector_fired", "n_hands", "tracked", "n_tracked"):
        assert signal.channel(name).tolist() == [0] * 5
    others = [name for name in CHANNELS if name.startswith(("hand_", "track_"))]
    assert all(np.isnan(signal.channel(name)).all() for name in others)


def test_the_tracker_fills_gaps_and_runs_ahead_of_the_first_anchor() -> None:
    fired = [False, False, True, False, False, True, False]
    (signal,) = run(np.arange(7) / 30, fired)
    assert signal.channel("detector_fired").tolist() == [float(one) for one in fired]
    assert signal.channel("tracked").tolist() == [1] * 7
    assert np.isnan(signal.channel("hand_1_left")[0])
    assert signal.channel("track_1_left")[0] == pytest.approx(0.25, abs=0.1)


def test_every_sampled_stretch_is_a_chunk_and_nothing_is_carried_between() -> None:
    options = Hands(stretch_s=0.2, every_s=0.5)  # so near that time alone is no gap
    time_s = np.concatenate([k * 0.5 + np.arange(6) / 30 for k in range(3)])
    landmarker = StandIn()
    chunks = run(time_s, [True] * 6 + [False] * 12, options=options, landmarker=landmarker)
    assert [len(chunk.time_s) for chunk in chunks] == [6, 6, 6]
    assert [chunk.channel("tracked").max() for chunk in chunks] == [1, 0, 0]
    assert landmarker.resets == 2
    assert chunks[0].notes == {"anchor": "mediapipe", "examined": "0.2 s of every 0.5 s"}


def test_a_gap_in_time_ends_a_stretch() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 2.0, 2.1])
    chunks = run(time_s, [True, True, True, False, False])
    assert [len(chunk.time_s) for chunk in chunks] == [3, 2]
    assert chunks[1].channel("tracked").max() == 0
    assert chunks[0].notes["examined"] == "every frame"


def test_long_stretches_are_cut_into_blocks_so_that_memory_stays_flat() -> None:
    n = 2 * BLOCK_FRAMES + 7
    state = HandsState(Hands(**EVERY), CLIP, HandDetector(StandIn), None)  # type: ignore[arg-type]
    time_s = np.arange(n) / 60
    images = frames(time_s, [False] * n)
    most, chunks = 0, []
    for index in range(n):
        part = slice(index, index + 1)
        chunks += state.update(FrameBlock(time_s=time_s[part], images=images[part]))
        most = max(most, len(state._images))
    chunks += state.finish()
    assert most == BLOCK_FRAMES
    assert [len(chunk.time_s) for chunk in chunks] == [BLOCK_FRAMES, BLOCK_FRAMES, 7]
    assert join(chunks).time_s.tolist() == time_s.tolist()


def test_slow_footage_is_cut_by_time() -> None:
    chunks = run(np.arange(25.0) / 2, [False] * 25)
    assert [len(chunk.time_s) for chunk in chunks] == [20, 5]


@pytest.mark.parametrize("block", [1, 3, 32])
def test_the_size_of_blocks_does_not_matter(block: int) -> None:
    time_s = np.arange(40) / 10
    fired = [index % 7 == 3 for index in range(40)]
    whole = join(run(time_s, fired))
    parts = join(run(time_s, fired, block=block))
    assert np.array_equal(parts.values, whole.values, equal_nan=True)
    assert parts.time_s.tolist() == whole.time_s.tolist()


def test_a_clip_without_a_frame_in_a_stretch_has_no_samples() -> None:
    (signal,) = run(np.empty(0), [])
    assert signal.values.shape == (0, len(CHANNELS))


def test_another_anchor_detector_is_asked_now_and_then() -> None:
    asked: list[int] = []

    def anchors(image: ByteArray) -> tuple[Box, ...]:
        asked.append(1)
        return (Box(left=0.25, top=0.25, right=0.75, bottom=0.75, score=0.3),)

    (signal,) = run(np.arange(31) / 30, [False] * 31, anchors=anchors)
    assert len(asked) == 1 + int(1 / ANCHOR_EVERY_S)
    assert signal.channel("detector_fired").max() == 0
    assert signal.channel("tracked").min() == 1


def test_hands_of_the_detector_do_not_anchor_where_another_does() -> None:
    (signal,) = run(np.arange(5) / 30, [True] * 5, anchors=lambda image: ())
    assert signal.channel("detector_fired").min() == 1
    assert signal.channel("tracked").max() == 0


def test_the_mask_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    mask = np.full((96, 96), 255, np.uint8)
    mask[:10, :10] = 0
    cv2.imwrite(str(path), mask)
    clip = Clip(clip_id="a", path="a", mask_path=str(path))
    (signal,) = run(np.arange(3) / 30, [True] * 3, clip=clip)
    assert signal.channel("detector_fired").max() == 0
    broken = Clip(clip_id="a", path="a", mask_path=str(tmp_path / "none.png"))
    with pytest.raises(SignalError, match="mask cannot be read"):
        run(np.arange(3) / 30, [True] * 3, clip=broken)


def test_requests_and_weights_follow_the_options() -> None:
    sampled, every = Hands().request, Hands(coverage="every-frame").request
    assert (sampled.rate_hz, sampled.colour, sampled.short_side_px) == (None, "rgb", 480)
    assert (sampled.stretch_s, sampled.every_s) == (1.0, 6.0)
    assert every.is_whole
    assert Hands().weights == Hands(anchor="wilor").weights == ("mediapipe_hands",)
    assert Hands(anchor="owlv2").weights == ("mediapipe_hands", "owlv2_base")


@pytest.mark.parametrize(
    "wrong",
    [
        {"coverage": "some"},
        {"anchor": "eye"},
        {"stretch_s": 0.0},
        {"stretch_s": 3.0, "every_s": 2.0},
        {"longest_track_s": -1.0},
        {"longest_track_s": 11.0},
        {"short_side_px": 32},
        {"min_detection": 1.5},
        {"min_presence": float("nan")},
    ],
)
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Hands(**wrong)  # type: ignore[arg-type]


def test_owlv2_is_asked_for_gloved_hands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    class Owlv2:
        def __init__(self, folder: Path) -> None:
            assert folder == tmp_path

        def detect(
            self, images: ByteArray, prompts: Sequence[str], *, threshold: float
        ) -> list[list[tuple[int, float, tuple[float, float, float, float]]]]:
            asked.append((images.shape, tuple(prompts), threshold))
            return [[(0, 0.4, (10.0, 5.0, 30.0, 25.0)), (0, 0.7, (60.0, 20.0, 120.0, 60.0))]]

    module = ModuleType("offhand.models.owlv2")
    module.Owlv2 = Owlv2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "offhand.models.owlv2", module)
    monkeypatch.setattr("offhand.signals.hands.anchors.locate", lambda name: tmp_path)
    best, other = owlv2_anchors("owlv2_base")(np.zeros((50, 100, 3), np.uint8))
    assert asked == [((1, 50, 100, 3), ("gloved hand",), 0.2)]
    assert best == Box(left=0.6, top=0.4, right=1.0, bottom=1.0, score=0.7)
    assert (other.left, other.top, other.right, other.bottom) == (0.1, 0.1, 0.3, 0.5)


def test_wilor_without_its_package_says_what_to_do() -> None:
    with pytest.raises(WeightsMissing, match=r"wilor_mini .* is not installed"):
        wilor_anchors()


@pytest.mark.weights
@needs_weights
def test_the_real_models_see_nothing_in_noise_and_do_run() -> None:
    state = Hands(coverage="every-frame").start(CLIP)
    images = np.random.default_rng(0).integers(0, 255, (3, 96, 160, 3)).astype(np.uint8)
    chunks = [*state.update(FrameBlock(time_s=np.arange(3) / 30, images=images)), *state.finish()]
    assert join(chunks).channel("detector_fired").tolist() == [0, 0, 0]
