"""DINOv2 on a tiny random checkpoint in the real format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhand.models.dinov2 import Dinov2
from tests.fixtures.checkpoints import IMAGENET_COLOURS, write_dinov2

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 40, 60, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dinov2(tmp_path_factory.mktemp("checkpoint") / "dinov2")


@pytest.fixture(scope="module")
def model(folder: Path) -> Dinov2:
    return Dinov2(folder, device="cpu")


def test_an_embedding_is_the_class_token_of_the_published_input(
    folder: Path, model: Dinov2
) -> None:
    from PIL import Image
    from transformers import Dinov2Model

    expected = []
    plain = Dinov2Model.from_pretrained(folder).eval()
    for image in IMAGES:
        scaled = Image.fromarray(image).resize((48, 32), Image.Resampling.BICUBIC)
        cut = np.asarray(scaled, np.float32)[2:30, 10:38] / 255
        standard = (cut - IMAGENET_COLOURS["image_mean"]) / IMAGENET_COLOURS["image_std"]
        pixels = torch.from_numpy(np.moveaxis(standard, 2, 0)[None].astype(np.float32))
        with torch.inference_mode():
            expected.append(plain(pixels).last_hidden_state[0, 0].numpy())
    found = model.embed(IMAGES)
    assert found.dtype == np.float32
    assert found.shape == (5, model.n_dims)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_size_of_a_batch_does_not_change_the_result(folder: Path, model: Dinov2) -> None:
    one = Dinov2(folder, device="cpu", batch=1).embed(IMAGES)
    np.testing.assert_allclose(one, model.embed(IMAGES), atol=1e-5)
    np.testing.assert_array_equal(model.embed(IMAGES), model.embed(IMAGES))


def test_each_row_belongs_to_its_image(model: Dinov2) -> None:
    order = [3, 0, 4, 2, 1]
    found = model.embed(IMAGES)
    np.testing.assert_allclose(model.embed(IMAGES[order]), found[order], atol=1e-5)
    distance = np.linalg.norm(found[:, None] - found, axis=2)
    assert distance[~np.eye(5, dtype=bool)].min() > 0.1


def test_no_image_gives_no_row(model: Dinov2) -> None:
    assert model.embed(IMAGES[:0]).shape == (0, 32)


@pytest.mark.parametrize("images", [IMAGES[0], IMAGES[..., 0], IMAGES.astype(np.float32)])
def test_images_of_another_form_are_refused(model: Dinov2, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        model.embed(images)


def test_a_checkpoint_in_half_precision_gives_float32_on_a_processor(
    tmp_path: Path, folder: Path, model: Dinov2
) -> None:
    from transformers import Dinov2Model

    write_dinov2(tmp_path / "half")
    Dinov2Model.from_pretrained(folder).half().save_pretrained(tmp_path / "half")
    found = Dinov2(tmp_path / "half", device="cpu").embed(IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, model.embed(IMAGES), atol=0.02)
