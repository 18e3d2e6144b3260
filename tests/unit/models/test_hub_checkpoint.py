"""Loading checkpoints from a folder: everything that can be wrong with one."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.models.dinov2 import Dinov2
from offhand.models.owlv2 import Owlv2
from offhand.models.vjepa2 import Vjepa2
from tests.fixtures.checkpoints import (
    edit_json,
    edit_tensors,
    write_dinov2,
    write_owlv2,
    write_vjepa2,
)

needs_torch = pytest.mark.skipif(
    not (importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")),
    reason="torch and transformers are not installed: pip install 'offhand[hub]'",
)

MODELS: dict[str, tuple[type[Any], Callable[..., Path]]] = {
    "dinov2": (Dinov2, write_dinov2),
    "vjepa2": (Vjepa2, write_vjepa2),
    "owlv2": (Owlv2, write_owlv2),
}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound checkpoint of each model."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, (_, write) in MODELS.items():
        write(folder / name)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the DINOv2 checkpoint that a test may damage."""
    return shutil.copytree(whole / "dinov2", tmp_path / "dinov2")


def _config(folder: Path, **content: Any) -> Path:
    """Write a configuration alone, which needs no package."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    return folder


# what needs no package to be found out


@pytest.mark.parametrize("name", list(MODELS))
def test_a_folder_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="nowhere"):
        MODELS[name][0](tmp_path / "nowhere")


@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bert", "architectures": ["BertModel"]},
        {"model_type": "dinov2", "architectures": ["Dinov2ForImageClassification"]},
        {"model_type": "vjepa2", "architectures": ["VJEPA2ForVideoClassification"]},
        {"model_type": "owlv2"},
        {},
    ],
)
def test_another_architecture_is_refused(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    expected = {
        "dinov2": "Dinov2Model",
        "vjepa2": "VJEPA2Model",
        "owlv2": "Owlv2ForObjectDetection",
    }[name]
    with pytest.raises(WeightsError) as caught:
        MODELS[name][0](_config(tmp_path, **config))
    found = config.get("architectures", ["unnamed"])[0]
    assert f"expected {expected}" in str(caught.value)
    assert found in str(caught.value)
    assert str(config.get("model_type")) in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", "\x80"])
def test_a_broken_configuration_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(WeightsError, match=r"config\.json"):
        Dinov2(tmp_path)


def test_a_folder_without_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no config\.json"):
        Dinov2(tmp_path)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    _config(tmp_path, model_type="dinov2", architectures=["Dinov2Model"])
    marker = tmp_path / "marker"

    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (marker,)

    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(WeightsError, match=r"pytorch_model\.bin.*safetensors"):
        Dinov2(tmp_path)
    assert not marker.exists()


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    _config(tmp_path, model_type="dinov2", architectures=["Dinov2Model"])
    with pytest.raises(WeightsError, match=r"no model\.safetensors"):
        Dinov2(tmp_path)


@pytest.mark.parametrize("package", ["torch", "transformers", "PIL"])
def test_a_missing_package_is_named_with_what_installs_it(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _config(tmp_path, model_type="dinov2", architectures=["Dinov2Model"])
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    if package == "PIL":
        monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(WeightsMissing, match=r"pip install 'offhand\[hub\]'"):
        Dinov2(tmp_path)


# what the weights themselves tell


@needs_torch
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_weights_are_refused(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match="dinov2"):
        Dinov2(folder)


@needs_torch
def test_a_missing_tensor_is_refused_as_it_would_be_random(folder: Path) -> None:
    edit_tensors(folder, drop="layernorm.weight")
    with pytest.raises(WeightsError, match=r"lacks tensors.*layernorm\.weight"):
        Dinov2(folder)


@needs_torch
def test_an_unexpected_tensor_is_refused(folder: Path) -> None:
    import torch

    edit_tensors(folder, **{"classifier.weight": torch.zeros(3, 3)})
    with pytest.raises(WeightsError, match=r"does not know.*classifier\.weight"):
        Dinov2(folder)


@needs_torch
def test_a_tensor_of_another_shape_is_refused(folder: Path) -> None:
    import torch

    edit_tensors(folder, **{"layernorm.weight": torch.zeros(31)})
    with pytest.raises(WeightsError, match="dinov2"):
        Dinov2(folder)


@needs_torch
def test_weights_that_are_not_numbers_are_refused(folder: Path) -> None:
    import torch

    edit_tensors(folder, **{"layernorm.weight": torch.full((32,), float("nan"))})
    with pytest.raises(WeightsError, match="not finite"):
        Dinov2(folder, device="cpu").embed(IMAGES)


@needs_torch
@pytest.mark.parametrize("name", list(MODELS))
def test_weights_of_another_size_are_refused(name: str, whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole / name, tmp_path / name)
    other = whole / ("vjepa2" if name == "dinov2" else "dinov2")
    shutil.copy(other / "model.safetensors", copy)
    with pytest.raises(WeightsError, match=name):
        MODELS[name][0](copy)


@needs_torch
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("dinov2", "preprocessor_config.json"),
        ("vjepa2", "video_preprocessor_config.json"),
        ("owlv2", "preprocessor_config.json"),
        ("owlv2", "vocab.json"),
        ("owlv2", "merges.txt"),
    ],
)
def test_a_checkpoint_without_processor_is_refused(
    name: str, file: str, whole: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(whole / name, tmp_path / name)
    (copy / file).unlink()
    with pytest.raises(WeightsError, match=file.replace(".", r"\.")):
        MODELS[name][0](copy)


@needs_torch
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("dinov2", "preprocessor_config.json"),
        ("vjepa2", "video_preprocessor_config.json"),
        ("owlv2", "preprocessor_config.json"),
        ("owlv2", "vocab.json"),
        ("owlv2", "tokenizer_config.json"),
    ],
)
def test_a_broken_processor_is_refused(name: str, file: str, whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole / name, tmp_path / name)
    (copy / file).write_text('{"image_mean": [')
    with pytest.raises(WeightsError, match=name):
        MODELS[name][0](copy)


@needs_torch
@pytest.mark.parametrize(
    ("name", "file", "change"),
    [
        ("vjepa2", "video_preprocessor_config.json", {"crop_size": 48}),
        ("vjepa2", "video_preprocessor_config.json", {"image_mean": [0.5, 0.5]}),
        ("vjepa2", "video_preprocessor_config.json", {"crop_size": {"width": 32}}),
        ("owlv2", "preprocessor_config.json", {"size": {"height": 96, "width": 96}}),
        ("owlv2", "preprocessor_config.json", {"image_processor_type": "BitImageProcessor"}),
        ("dinov2", "preprocessor_config.json", {"image_processor_type": "ViTImageProcessor"}),
    ],
)
def test_a_processor_of_another_model_is_refused(
    name: str, file: str, change: dict[str, Any], whole: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(whole / name, tmp_path / name)
    edit_json(copy / file, **change)
    with pytest.raises(WeightsError, match=name):
        MODELS[name][0](copy)


@needs_torch
def test_code_in_the_folder_is_not_run(folder: Path) -> None:
    marker = folder / "marker"
    harm = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    (folder / "harm.py").write_text(harm)
    edit_json(folder / "config.json", auto_map={"AutoModel": "harm.Model"})
    edit_json(
        folder / "preprocessor_config.json", auto_map={"AutoImageProcessor": "harm.Processor"}
    )
    assert Dinov2(folder, device="cpu").embed(IMAGES).shape == (2, 32)
    assert not marker.exists()


@needs_torch
@pytest.mark.parametrize("name", list(MODELS))
def test_nothing_reaches_for_the_network(
    name: str, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(*where: Any, **_: Any) -> Any:
        tried.append(where)
        raise OSError("no network in this test")

    for method in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, method, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    model = MODELS[name][0](whole / name, device="cpu")
    if name == "vjepa2":
        model.embed(np.stack([IMAGES]))
    elif name == "owlv2":
        model.score(IMAGES, ["brick"])
    else:
        model.embed(IMAGES)
    assert tried == []


@needs_torch
def test_the_callers_environment_stays_as_it_was(
    whole: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants
    from transformers.utils import logging as talk

    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setattr(constants, name, False)

    def state() -> tuple[Any, ...]:
        return (
            dict(os.environ),
            constants.HF_HUB_OFFLINE,
            constants.HF_HUB_DISABLE_TELEMETRY,
            talk.get_verbosity(),
            talk.is_progress_bar_enabled(),
        )

    before = state()
    Dinov2(whole / "dinov2", device="cpu")
    broken = shutil.copytree(whole / "dinov2", tmp_path / "broken")
    (broken / "preprocessor_config.json").write_text("{")
    with pytest.raises(WeightsError):
        Dinov2(broken, device="cpu")
    assert state() == before
    assert capfd.readouterr() == ("", "")
