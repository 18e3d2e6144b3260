"""OWLv2 on a tiny random checkpoint in the real format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhand.errors import ConfigError
from offhand.models.owlv2 import Owlv2
from tests.fixtures.checkpoints import write_owlv2

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 45, 60, 3), dtype=np.uint8)
TALL = np.ascontiguousarray(IMAGES.swapaxes(1, 2))
PROMPTS = ("brick", "gloved hand", "hammer", "mason trowel")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_owlv2(tmp_path_factory.mktemp("checkpoint") / "owlv2")


@pytest.fixture(scope="module")
def model(folder: Path) -> Owlv2:
    return Owlv2(folder, device="cpu")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    """What the library's own processor and whole model give for an image and the prompts."""
    from transformers import AutoTokenizer, Owlv2ForObjectDetection, Owlv2ImageProcessorPil
    from transformers import Owlv2Processor as Processor

    processor = Processor(
        Owlv2ImageProcessorPil.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    whole = Owlv2ForObjectDetection.from_pretrained(folder).eval()

    def run(image: np.ndarray, threshold: float) -> tuple[np.ndarray, dict[str, Any]]:
        texts = [[f"a photo of a {prompt}" for prompt in PROMPTS]]
        inputs = processor(text=texts, images=image, return_tensors="pt")
        with torch.inference_mode():
            output = whole(**inputs)
        found = processor.post_process_grounded_object_detection(
            output, threshold=threshold, target_sizes=[image.shape[:2]]
        )
        return output.logits[0].sigmoid().numpy(), found[0]

    return run


@pytest.mark.parametrize("images", [IMAGES, TALL])
def test_scores_are_those_of_the_best_box_of_the_whole_model(
    model: Owlv2, reference: Any, images: np.ndarray
) -> None:
    found = model.score(images, PROMPTS)
    assert found.dtype == np.float32
    assert found.shape == (5, 4)
    expected = np.stack([reference(image, 0.5)[0].max(axis=0) for image in images])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert 0 < found.min() < found.max() < 1
    assert found.std(axis=0).min() > 1e-3


@pytest.mark.parametrize("images", [IMAGES, TALL])
def test_boxes_are_those_of_the_published_postprocessing(
    model: Owlv2, reference: Any, images: np.ndarray
) -> None:
    threshold = 0.5
    found = model.detect(images, PROMPTS, threshold=threshold)
    height, width = images.shape[1:3]
    total = 0
    for image, boxes in zip(images, found, strict=True):
        _, expected = reference(image, threshold)
        corners = expected["boxes"].numpy().clip(0, [width, height, width, height])
        inside = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        order = [i for i in np.argsort(-expected["scores"].numpy()) if inside[i]]
        assert [prompt for prompt, _, _ in boxes] == expected["labels"][order].tolist()
        scores = [score for _, score, _ in boxes]
        np.testing.assert_allclose(scores, expected["scores"][order], atol=1e-5)
        if boxes:
            np.testing.assert_allclose([box for _, _, box in boxes], corners[order], atol=1e-3)
        total += len(boxes)
    assert total > 5


def test_the_size_of_a_batch_does_not_change_the_result(folder: Path, model: Owlv2) -> None:
    one = Owlv2(folder, device="cpu", batch=1)
    np.testing.assert_allclose(one.score(IMAGES, PROMPTS), model.score(IMAGES, PROMPTS), atol=1e-5)
    pairs = zip(
        one.detect(IMAGES, PROMPTS, threshold=0.5),
        model.detect(IMAGES, PROMPTS, threshold=0.5),
        strict=True,
    )
    for alone, together in pairs:
        assert [prompt for prompt, _, _ in alone] == [prompt for prompt, _, _ in together]


def test_each_prompt_has_its_column(model: Owlv2) -> None:
    found = model.score(IMAGES, PROMPTS)
    order = [2, 0, 3, 1]
    swapped = model.score(IMAGES, [PROMPTS[i] for i in order])
    np.testing.assert_allclose(swapped, found[:, order], atol=1e-6)
    for column, prompt in enumerate(PROMPTS):
        np.testing.assert_allclose(model.score(IMAGES, [prompt])[:, 0], found[:, column], atol=1e-6)
    differences = np.abs(found[:, :, None] - found[:, None]).max(axis=0)
    assert differences[~np.eye(4, dtype=bool)].min() > 1e-4


def test_each_row_belongs_to_its_image(model: Owlv2) -> None:
    order = [3, 0, 4, 2, 1]
    found = model.score(IMAGES, PROMPTS)
    np.testing.assert_allclose(model.score(IMAGES[order], PROMPTS), found[order], atol=1e-5)


def test_a_box_names_its_best_prompt_and_falls_with_the_threshold(model: Owlv2) -> None:
    scores = model.score(IMAGES, PROMPTS)
    for image_scores, boxes in zip(
        scores, model.detect(IMAGES, PROMPTS, threshold=0.0), strict=True
    ):
        assert 0 < len(boxes) <= 16
        falling = [score for _, score, _ in boxes]
        assert falling == sorted(falling, reverse=True)
        for prompt, score, (left, top, right, bottom) in boxes:
            assert score <= image_scores[prompt] + 1e-6
            assert 0 <= left < right <= 60
            assert 0 <= top < bottom <= 45
    assert model.detect(IMAGES, PROMPTS, threshold=1.0) == [[]] * 5


def test_prompts_are_embedded_once_for_all_images(
    model: Owlv2, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.score(IMAGES[:1], PROMPTS)
    calls = []
    embed = model._embed_tokens
    monkeypatch.setattr(model, "_embed_tokens", lambda *a: calls.append(1) or embed(*a))
    model.score(IMAGES, PROMPTS)
    model.detect(IMAGES, list(PROMPTS), threshold=0.5)
    assert calls == []
    model.score(IMAGES, PROMPTS[:2])
    assert calls == [1]


def test_no_image_gives_no_row(model: Owlv2) -> None:
    assert model.score(IMAGES[:0], PROMPTS).shape == (0, 4)
    assert model.detect(IMAGES[:0], PROMPTS, threshold=0.5) == []


@pytest.mark.parametrize("prompts", [[], ["brick", " "]])
def test_empty_prompts_are_refused(model: Owlv2, prompts: list[str]) -> None:
    with pytest.raises(ValueError, match="prompts"):
        model.score(IMAGES, prompts)


def test_a_prompt_too_long_for_the_model_is_refused_not_cut(model: Owlv2) -> None:
    with pytest.raises(ConfigError, match="brick hammer"):
        model.score(IMAGES, ["brick", "brick hammer " * 8])


@pytest.mark.parametrize("images", [IMAGES[0], IMAGES[..., 0], IMAGES.astype(np.float32)])
def test_images_of_another_form_are_refused(model: Owlv2, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        model.score(images, PROMPTS)


def test_files_as_the_library_now_writes_them_are_read_too(
    folder: Path, model: Owlv2, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, Owlv2ImageProcessorPil, Owlv2Processor

    write_owlv2(tmp_path / "new")
    for name in ("preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / "new" / name).unlink()
    Owlv2Processor(
        Owlv2ImageProcessorPil.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    ).save_pretrained(tmp_path / "new")
    found = Owlv2(tmp_path / "new", device="cpu").score(IMAGES, PROMPTS)
    np.testing.assert_allclose(found, model.score(IMAGES, PROMPTS), atol=1e-5)
