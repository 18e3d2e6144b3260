from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from offhand.errors import SignalError, WeightsMissing
from offhand.models.imagenet import prompt_scores
from offhand.records import ByteArray, Clip, FrameBlock, Signal
from offhand.signals.base import Mask, join
from offhand.signals.tools import PROMPTS, Tools, ToolsState
from offhand.weights import locate, missing
from tests.fixtures.checkpoints import write_owlv2

CLIP = Clip(clip_id="clip", path="clip.mp4")
TWO = Tools(prompts=("brick", "hammer"), model="somewhere")


def lengths(images: ByteArray, prompts: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Score a prompt with its length times the mean of the picture, over 10 000."""
    mean = images.reshape(len(images), -1).mean(axis=1)
    return (mean[:, None] * [len(prompt) for prompt in prompts] / 1e4).astype(np.float32)


def block(first: int, n: int) -> FrameBlock:
    """Return frames whose brightness is their number modulo 251."""
    index = np.arange(first, first + n)
    images = np.broadcast_to((index % 251).astype(np.uint8)[:, None, None, None], (n, 4, 6, 3))
    return FrameBlock(time_s=index / 2, images=images)


def run(options: Tools, clip: Clip, blocks: list[FrameBlock]) -> list[Signal]:
    state = ToolsState(options, lengths, Mask(clip))
    chunks = [chunk for frames in blocks for chunk in state.update(frames)]
    return [*chunks, *state.finish()]


def test_one_channel_a_prompt() -> None:
    chunks = run(TWO, CLIP, [block(0, 3), block(3, 2)])
    assert [len(chunk.time_s) for chunk in chunks] == [3, 2]
    whole = join(chunks)
    assert (whole.name, whole.channels) == ("tools", ("brick", "hammer"))
    assert whole.notes == {"model": "somewhere"}
    np.testing.assert_array_equal(whole.time_s, np.arange(5) / 2)
    np.testing.assert_allclose(whole.values, np.arange(5)[:, None] * [5e-4, 6e-4], rtol=1e-6)
    (turned,) = run(Tools(prompts=("hammer", "brick"), model="x"), CLIP, [block(0, 5)])
    np.testing.assert_array_equal(turned.channel("brick"), whole.channel("brick"))


def test_no_frame_at_all() -> None:
    with pytest.raises(SignalError, match="no frame"):
        run(TWO, CLIP, [])


def test_masked_pixels_are_black(tmp_path: Path) -> None:
    mask = np.full((4, 6), 255, np.uint8)
    mask[:, :3] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    clip = Clip(clip_id="clip", path="clip.mp4", mask_path=str(tmp_path / "mask.png"))
    masked, plain = (run(TWO, which, [block(100, 1)])[0].values for which in (clip, CLIP))
    np.testing.assert_allclose(masked, plain / 2, rtol=1e-6)


def test_nineteen_prompts_by_default() -> None:
    assert Tools().prompts == PROMPTS
    assert len(PROMPTS) == 19
    scores = prompt_scores(np.zeros((1, 1000), np.float32), PROMPTS)
    supported = [prompt for prompt, score in zip(PROMPTS, scores[0], strict=True) if score == 0]
    assert supported == [
        "mortar bucket",
        "hammer",
        "power drill",
        "shovel",
        "wheelbarrow",
        "hard hat",
    ]


def test_options() -> None:
    extractor = Tools()
    assert extractor.weights == ("efficientnet_lite0",)
    assert (extractor.request.short_side_px, extractor.request.colour) == (256, "rgb")
    assert Tools(model="owlv2_base").weights == ("owlv2_base",)
    assert Tools(model="owlv2_base").request.short_side_px == 960
    assert Tools(rate_hz=0.5).request.rate_hz == 0.5
    for wrong, reason in (
        ({"rate_hz": 0}, "rate_hz is 0"),
        ({"model": ""}, "model is empty"),
        ({"prompts": ()}, "at least one"),
        ({"prompts": ("brick", " ")}, "none of them empty"),
        ({"prompts": ("brick", "brick")}, "must differ"),
    ):
        with pytest.raises(ValueError, match=reason):
            Tools(**wrong)


def test_the_model_must_be_chosen() -> None:
    with pytest.raises(ValueError, match="'auto', must be chosen"):
        Tools().start(CLIP)


@pytest.mark.parametrize("model", [*Tools.models, "no/such/folder"])
def test_absent_weights(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHAND_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing):
        Tools(model=model).start(CLIP)


def test_an_owlv2_model_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
    pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")
    from offhand.models.owlv2 import Owlv2

    folder, prompts = write_owlv2(tmp_path / "owlv2"), ("brick", "gloved hand")
    state = Tools(model=str(folder), prompts=prompts).start(CLIP)
    images = pictures(2)
    (chunk,) = state.update(FrameBlock(time_s=np.arange(2.0), images=images))
    assert chunk.channels == prompts
    assert set(chunk.notes) == {"model"}
    np.testing.assert_array_equal(chunk.values, Owlv2(folder).score(images, prompts))


@pytest.mark.weights
def test_the_embedded_default() -> None:
    if missing("efficientnet_lite0"):
        pytest.skip(missing("efficientnet_lite0"))
    from offhand.models.efficientnet import EfficientNet

    images = pictures(3)
    prompts = ("brick", "shovel", "ladder")
    state = Tools(model="efficientnet_lite0", prompts=prompts).start(CLIP)
    (chunk,) = state.update(FrameBlock(time_s=np.arange(3.0), images=images))
    wanted = EfficientNet(locate("efficientnet_lite0")).classify(images)[:, 792]
    np.testing.assert_array_equal(chunk.channel("shovel"), wanted)
    assert np.isnan(chunk.values[:, [0, 2]]).all()
    assert chunk.notes == {"model": "efficientnet_lite0", "unsupported": "brick, ladder"}


def pictures(n: int) -> ByteArray:
    return np.random.default_rng(0).integers(0, 256, (n, 64, 80, 3), dtype=np.uint8)
