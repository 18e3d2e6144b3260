"""V-JEPA 2 on a tiny random checkpoint in the real format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from offhand.models.vjepa2 import Vjepa2
from tests.fixtures.checkpoints import IMAGENET_COLOURS, write_vjepa2

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")

WINDOWS = np.random.default_rng(0).integers(0, 256, (5, 8, 36, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vjepa2(tmp_path_factory.mktemp("checkpoint") / "vjepa2")


@pytest.fixture(scope="module")
def model(folder: Path) -> Vjepa2:
    return Vjepa2(folder, device="cpu")


def test_the_checkpoint_says_what_it_was_trained_with(model: Vjepa2) -> None:
    assert (model.n_frames, model.n_dims, model.frame_step) == (8, 48, 2)


def test_an_embedding_is_the_mean_over_the_encoders_tokens(folder: Path, model: Vjepa2) -> None:
    from transformers import VJEPA2Model

    cut = WINDOWS[:, :, 2:34, 9:41].astype(np.float32) / 255
    standard = (cut - IMAGENET_COLOURS["image_mean"]) / IMAGENET_COLOURS["image_std"]
    pixels = torch.from_numpy(np.moveaxis(standard, 4, 2).astype(np.float32))
    with torch.inference_mode():
        tokens = VJEPA2Model.from_pretrained(folder).eval()(pixels).last_hidden_state
    assert tokens.shape == (5, 4 * 2 * 2, 48)
    found = model.embed(WINDOWS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, tokens.mean(dim=1).numpy(), atol=1e-4)


def test_the_size_of_a_batch_does_not_change_the_result(folder: Path, model: Vjepa2) -> None:
    one = Vjepa2(folder, device="cpu", batch=1).embed(WINDOWS)
    np.testing.assert_allclose(one, model.embed(WINDOWS), atol=1e-5)


def test_each_row_belongs_to_its_window(model: Vjepa2) -> None:
    order = [3, 0, 4, 2, 1]
    found = model.embed(WINDOWS)
    np.testing.assert_allclose(model.embed(WINDOWS[order]), found[order], atol=1e-5)
    distance = np.linalg.norm(found[:, None] - found, axis=2)
    assert distance[~np.eye(5, dtype=bool)].min() > 0.01


def test_the_order_of_frames_reaches_the_model(model: Vjepa2) -> None:
    found, reverse = model.embed(WINDOWS), model.embed(WINDOWS[:, ::-1])
    assert np.linalg.norm(found - reverse, axis=1).min() > 0.01
    # not only inside the pairs of frames that make a token: pairs in another order differ too
    pairs = WINDOWS[:, [6, 7, 4, 5, 2, 3, 0, 1]]
    assert np.linalg.norm(found - model.embed(pairs), axis=1).min() > 0.01


def test_every_frame_counts(model: Vjepa2) -> None:
    found = model.embed(WINDOWS[:1])
    for index in range(8):
        other = WINDOWS[:1].copy()
        other[:, index] = 255 - other[:, index]
        assert np.linalg.norm(model.embed(other) - found) > 0.01


@pytest.mark.parametrize("n_frames", [2, 4, 16])
def test_other_numbers_of_frames_are_possible(model: Vjepa2, n_frames: int) -> None:
    windows = np.resize(WINDOWS, (2, n_frames, 36, 50, 3))
    assert np.isfinite(model.embed(windows)).all()


@pytest.mark.parametrize("n_frames", [0, 1, 7])
def test_a_broken_number_of_frames_is_refused(model: Vjepa2, n_frames: int) -> None:
    with pytest.raises(ValueError, match=f"{n_frames} frames"):
        model.embed(WINDOWS[:, :n_frames])


@pytest.mark.parametrize("windows", [WINDOWS[0], WINDOWS[..., 0], WINDOWS.astype(np.float32)])
def test_windows_of_another_form_are_refused(model: Vjepa2, windows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        model.embed(windows)


def test_no_window_gives_no_row(model: Vjepa2) -> None:
    assert model.embed(WINDOWS[:0]).shape == (0, 48)


@pytest.mark.parametrize("shape", [(50, 36), (33, 70), (72, 72), (40, 300), (20, 24)])
def test_pictures_of_any_shape_are_taken(model: Vjepa2, shape: tuple[int, int]) -> None:
    windows = np.resize(WINDOWS, (1, 4, *shape, 3))
    assert np.isfinite(model.embed(windows)).all()


def test_a_configuration_that_leaves_values_open_means_the_published_ones(
    folder: Path, model: Vjepa2, tmp_path: Path
) -> None:
    write_vjepa2(tmp_path / "open")
    path = tmp_path / "open" / "video_preprocessor_config.json"
    path.write_text(json.dumps({"crop_size": 32}))
    np.testing.assert_array_equal(
        Vjepa2(tmp_path / "open", device="cpu").embed(WINDOWS), model.embed(WINDOWS)
    )


@pytest.mark.parametrize("shape", [(36, 50), (50, 36), (45, 80), (30, 41)])
def test_the_input_is_that_of_the_librarys_own_processor(
    folder: Path, model: Vjepa2, shape: tuple[int, int]
) -> None:
    pytest.importorskip("torchvision", reason="the library's own processor needs torchvision")
    from transformers import VJEPA2VideoProcessor

    window = np.resize(WINDOWS, (4, *shape, 3))
    processor = VJEPA2VideoProcessor.from_pretrained(folder)
    video = torch.from_numpy(np.moveaxis(window, 3, 1).copy())
    expected = processor([video], return_tensors="pt")["pixel_values_videos"][0].numpy()
    one_level = 1 / 255 / min(IMAGENET_COLOURS["image_std"])
    np.testing.assert_allclose(model._preprocessing(window), expected, atol=1.01 * one_level)
