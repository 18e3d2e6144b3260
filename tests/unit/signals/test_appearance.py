from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from offhand.errors import SignalError, WeightsMissing
from offhand.records import ByteArray, Clip, FrameBlock, Signal
from offhand.signals.appearance import Appearance, AppearanceState
from offhand.signals.base import Mask, join
from offhand.weights import locate, missing
from tests.fixtures.checkpoints import write_dinov2

CLIP = Clip(clip_id="clip", path="clip.mp4")


class Brightness:
    """A model whose embedding is the mean, the least and the greatest value of a picture."""

    def embed(self, images: ByteArray) -> npt.NDArray[np.float32]:
        flat = images.reshape(len(images), -1).astype(np.float32)
        return np.column_stack([flat.mean(axis=1), flat.min(axis=1), flat.max(axis=1)])


def block(first: int, n: int, *, rate_hz: float = 4.0) -> FrameBlock:
    """Return frames whose brightness is their number modulo 251."""
    index = np.arange(first, first + n)
    images = np.broadcast_to((index % 251).astype(np.uint8)[:, None, None, None], (n, 4, 6, 3))
    return FrameBlock(time_s=index / rate_hz, images=images)


def run(clip: Clip, blocks: list[FrameBlock]) -> list[Signal]:
    state = AppearanceState(Brightness(), Mask(clip), note="brightness")
    chunks = [chunk for frames in blocks for chunk in state.update(frames)]
    return [*chunks, *state.finish()]


def test_one_sample_a_frame() -> None:
    chunks = run(CLIP, [block(0, 3), block(3, 2)])
    assert [len(chunk.time_s) for chunk in chunks] == [3, 2]
    whole = join(chunks)
    assert whole.name == "appearance"
    assert whole.channels == ("e0000", "e0001", "e0002")
    assert whole.notes == {"model": "brightness"}
    np.testing.assert_array_equal(whole.time_s, np.arange(5) / 4)
    np.testing.assert_array_equal(whole.values, np.arange(5)[:, None] * np.ones(3))


def test_no_frame_at_all() -> None:
    with pytest.raises(SignalError, match="no frame"):
        run(CLIP, [])


def test_masked_pixels_are_black(tmp_path: Path) -> None:
    mask = np.full((4, 6), 255, np.uint8)
    mask[:, :3] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    clip = Clip(clip_id="clip", path="clip.mp4", mask_path=str(tmp_path / "mask.png"))
    (chunk,) = run(clip, [block(100, 1)])
    np.testing.assert_array_equal(chunk.values, [[50, 0, 100]])


def test_options() -> None:
    extractor = Appearance()
    assert (extractor.request.rate_hz, extractor.request.colour) == (4.0, "rgb")
    assert extractor.request.short_side_px == 256
    assert extractor.weights == ("efficientnet_lite0",)
    assert Appearance(model="dinov2_small").weights == ("dinov2_small",)
    assert Appearance(rate_hz=2.0).request.rate_hz == 2.0
    with pytest.raises(ValueError, match="rate_hz is 0"):
        Appearance(rate_hz=0)
    with pytest.raises(ValueError, match="model is empty"):
        Appearance(model="")


def test_the_model_must_be_chosen() -> None:
    with pytest.raises(ValueError, match="'auto', must be chosen"):
        Appearance().start(CLIP)


@pytest.mark.parametrize("model", [*Appearance.models, "no/such/folder"])
def test_absent_weights(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing):
        Appearance(model=model).start(CLIP)


def test_a_dinov2_model_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
    pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")
    from offhand.models.dinov2 import Dinov2

    folder = write_dinov2(tmp_path / "dinov2")
    state = Appearance(model=str(folder)).start(CLIP)
    frames = FrameBlock(time_s=np.arange(2.0), images=pictures(2))
    (chunk,) = state.update(frames)
    assert chunk.channels[-1] == "e0031"
    np.testing.assert_array_equal(chunk.values, Dinov2(folder).embed(frames.images))
    assert chunk.notes["model"] == folder.name


@pytest.mark.weights
def test_the_embedded_default() -> None:
    if missing("efficientnet_lite0"):
        pytest.skip(missing("efficientnet_lite0"))
    from offhand.models.efficientnet import EfficientNet

    images = pictures(3)
    state = Appearance(model="efficientnet_lite0").start(CLIP)
    (chunk,) = state.update(FrameBlock(time_s=np.arange(3.0), images=images))
    wanted = EfficientNet(locate("efficientnet_lite0")).embed(images)
    np.testing.assert_array_equal(chunk.values, wanted)
    assert (len(chunk.channels), chunk.channels[-1]) == (1280, "e1279")


def pictures(n: int) -> ByteArray:
    return np.random.default_rng(0).integers(0, 256, (n, 64, 80, 3), dtype=np.uint8)
