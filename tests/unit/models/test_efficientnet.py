from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from offhand.errors import WeightsError
from offhand.models.efficientnet import WEIGHTS_FILE, EfficientNet, prepared
from offhand.models.efficientnet_graph import STAGES
from offhand.models.torch_file import read_state
from offhand.records import ByteArray
from offhand.weights import locate, missing
from tests.fixtures.torch_files import write_torch_file

Tensors = dict[str, npt.NDArray[Any]]


def random_tensors() -> Tensors:
    """Return tensors of the right names and shapes that keep activations at a sane level."""
    draw = np.random.default_rng(0)
    tensors: Tensors = {}

    def convolution(name: str, norm: str, *shape: int) -> None:
        fan_in = int(np.prod(shape[1:]))
        tensors[f"{name}.weight"] = draw.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)
        for part, low, high in (
            ("weight", 0.7, 1.3),
            ("bias", -0.3, 0.3),
            ("running_mean", -0.2, 0.2),
            ("running_var", 0.8, 1.2),
        ):
            tensors[f"{norm}.{part}"] = draw.uniform(low, high, shape[0]).astype(np.float32)
        tensors[f"{norm}.num_batches_tracked"] = np.array(7, np.int64)

    convolution("_conv_stem", "_bn0", 32, 3, 3, 3)
    width, index = 32, 0
    for blocks, kernel, _, expansion, channels in STAGES:
        for _ in range(blocks):
            name, inner = f"_blocks.{index}", width * expansion
            if expansion > 1:
                convolution(f"{name}._expand_conv", f"{name}._bn0", inner, width, 1, 1)
            convolution(f"{name}._depthwise_conv", f"{name}._bn1", inner, 1, kernel, kernel)
            convolution(f"{name}._project_conv", f"{name}._bn2", channels, inner, 1, 1)
            width, index = channels, index + 1
    convolution("_conv_head", "_bn1", 1280, 320, 1, 1)
    tensors["_fc.weight"] = draw.normal(0, 0.05, (1000, 1280)).astype(np.float32)
    tensors["_fc.bias"] = draw.normal(0, 0.1, 1000).astype(np.float32)
    return tensors


def plain(tensors: Tensors, image: ByteArray) -> tuple[Any, Any]:
    """Embed and classify one image ``(224, 224, 3)``: the network as the paper describes it."""

    def convolved(x: Any, name: str, norm: str, stride: int = 1) -> Any:
        weight = tensors[f"{name}.weight"].astype(np.float64)
        kernel, size = weight.shape[2], x.shape[1]
        after = -(-size // stride)
        total = max(0, (after - 1) * stride + kernel - size)
        padding = (total // 2, total - total // 2)
        x = np.pad(x, ((0, 0), padding, padding))
        y = np.zeros((len(weight), after, after))
        stop = (after - 1) * stride + 1
        for row in range(kernel):
            for column in range(kernel):
                part = x[:, row : row + stop : stride, column : column + stop : stride]
                tap = weight[:, :, row, column]
                depthwise = weight.shape[1] == 1
                y += part * tap[:, :, None] if depthwise else np.tensordot(tap, part, 1)
        mean, variance, scale, shift = (
            tensors[f"{norm}.{part}"].astype(np.float64)[:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / np.sqrt(variance + 1e-3) * scale + shift

    def clipped(x: Any) -> Any:
        return np.clip(x, 0, 6)

    x = (image.transpose(2, 0, 1).astype(np.float64) - 127) / 128
    x = clipped(convolved(x, "_conv_stem", "_bn0", 2))
    index = 0
    for blocks, _, first_stride, expansion, _ in STAGES:
        for block in range(blocks):
            name, entered = f"_blocks.{index}", x
            if expansion > 1:
                x = clipped(convolved(x, f"{name}._expand_conv", f"{name}._bn0"))
            stride = first_stride if block == 0 else 1
            x = clipped(convolved(x, f"{name}._depthwise_conv", f"{name}._bn1", stride))
            x = convolved(x, f"{name}._project_conv", f"{name}._bn2")
            x = x + entered if block else x
            index += 1
    embedding = clipped(convolved(x, "_conv_head", "_bn1")).mean(axis=(1, 2))
    logits = tensors["_fc.weight"].astype(np.float64) @ embedding + tensors["_fc.bias"]
    likelihood = np.exp(logits - logits.max())
    return embedding, likelihood / likelihood.sum()


def pictures(n: int, height: int = 256, width: int = 256) -> ByteArray:
    """Return smooth pictures that differ."""
    draw = np.random.default_rng(1)
    small = draw.integers(0, 256, (n, 9, 9, 3), dtype=np.uint8)
    return np.stack([cv2.resize(image, (width, height)) for image in small])


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return random_tensors()


@pytest.fixture(scope="module")
def folder(tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_torch_file(folder / WEIGHTS_FILE, tensors)
    return folder


def test_the_graph_computes_what_the_network_does(tensors: Tensors, folder: Path) -> None:
    images = pictures(2)
    embedding, probability = EfficientNet(folder).run(images)
    for row, image in enumerate(prepared(images)):
        wanted, likely = plain(tensors, image)
        np.testing.assert_allclose(embedding[row], wanted, atol=1e-4)
        np.testing.assert_allclose(probability[row], likely, rtol=1e-3, atol=1e-6)
        assert wanted.std() > 0.1


def test_shapes_and_kinds(folder: Path) -> None:
    embedding, probability = EfficientNet(folder).run(pictures(2, 300, 400))
    assert (embedding.shape, probability.shape) == ((2, 1280), (2, 1000))
    assert embedding.dtype == probability.dtype == np.float32
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)
    embedding, probability = EfficientNet(folder).run(pictures(2)[:0])
    assert (embedding.shape, probability.shape) == ((0, 1280), (0, 1000))


def test_the_batch_changes_nothing(folder: Path) -> None:
    model, images = EfficientNet(folder), pictures(5)
    together = model.run(images)
    for n in (1, 2):
        parts = [model.run(images[first : first + n]) for first in range(0, len(images), n)]
        for which in range(2):
            joined = np.concatenate([part[which] for part in parts])
            np.testing.assert_array_equal(joined, together[which])
    np.testing.assert_array_equal(model.embed(images), together[0])
    np.testing.assert_array_equal(model.classify(images), together[1])


def test_the_centre_is_seen() -> None:
    images = pictures(2, 256, 400)
    np.testing.assert_array_equal(prepared(images), images[:, 16:240, 88:312])
    bright_rim = np.full((1, 512, 512, 3), 255, np.uint8)
    bright_rim[:, 32:480, 32:480] = 9
    assert (prepared(bright_rim) == 9).all()
    tiny = np.full((1, 3, 1, 3), 77, np.uint8)
    assert (prepared(tiny) == 77).all()
    assert prepared(tiny).shape == (1, 224, 224, 3)


def test_shrinking_averages() -> None:
    stripes = np.zeros((1, 1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (np.abs(prepared(stripes).astype(int) - 100) <= 1).all()


def other(tensors: Tensors, kind: str) -> Tensors:
    changed = dict(tensors)
    if kind == "absent":
        del changed["_blocks.3._project_conv.weight"]
    elif kind == "shape":
        changed["_fc.weight"] = changed["_fc.weight"][:10]
    else:
        changed["_blocks.0._se_reduce.weight"] = np.zeros((4, 32, 1, 1), np.float32)
    return changed


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("absent", r"no tensor _blocks\.3\._project_conv\.weight"),
        ("shape", r"_fc\.weight has shape \(10, 1280\), expected \(1000, 1280\)"),
        ("extra", r"1 tensors too many, such as _blocks\.0\._se_reduce\.weight"),
    ],
)
def test_another_architecture(tensors: Tensors, tmp_path: Path, kind: str, reason: str) -> None:
    write_torch_file(tmp_path / WEIGHTS_FILE, other(tensors, kind))
    with pytest.raises(WeightsError, match=f"not the weights of EfficientNet-Lite0 .*{reason}"):
        EfficientNet(tmp_path)


def test_absent_and_truncated_weights(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="offhand weights pull efficientnet_lite0"):
        EfficientNet(tmp_path)
    content = (folder / WEIGHTS_FILE).read_bytes()
    (tmp_path / WEIGHTS_FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="get the file again"):
        EfficientNet(tmp_path)


def test_wrong_arguments(folder: Path) -> None:
    with pytest.raises(ValueError, match="threads is 0"):
        EfficientNet(folder, threads=0)
    model = EfficientNet(folder)
    for images in (np.zeros((1, 9, 9, 3), np.float32), np.zeros((9, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match="must be uint8 of shape"):
            model.run(images)


@pytest.mark.weights
class TestRealWeights:
    """Checks of the published weights."""

    @pytest.fixture
    def real(self) -> Path:
        if missing("efficientnet_lite0"):
            pytest.skip(missing("efficientnet_lite0"))
        return locate("efficientnet_lite0")

    def test_they_fit(self, real: Path) -> None:
        tensors = read_state(real / WEIGHTS_FILE)
        assert len(tensors) == 296
        images = pictures(1)
        embedding, probability = EfficientNet(real).run(images)
        wanted, likely = plain(tensors, prepared(images)[0])
        np.testing.assert_allclose(embedding[0], wanted, atol=1e-4)
        np.testing.assert_allclose(probability[0], likely, atol=1e-5)

    def test_torch_agrees(self, real: Path) -> None:
        reason = "needs torch and efficientnet-lite-pytorch"
        torch = pytest.importorskip("torch", reason=reason)
        port = pytest.importorskip("efficientnet_lite_pytorch", reason=reason)
        path = str(real / WEIGHTS_FILE)
        network = port.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
        loaded = torch.load(path, weights_only=True)
        for name, values in read_state(real / WEIGHTS_FILE).items():
            np.testing.assert_array_equal(loaded[name].numpy(), values)
        images = pictures(5)
        given = torch.from_numpy((prepared(images).astype(np.float32) - 127) / 128)
        with torch.no_grad():
            given = given.permute(0, 3, 1, 2)
            embedding = network.extract_features(given).mean((2, 3)).numpy()
            probability = torch.softmax(network(given), 1).numpy()
        found = EfficientNet(real).run(images)
        np.testing.assert_allclose(found[0], embedding, atol=1e-4)
        np.testing.assert_allclose(found[1], probability, atol=1e-5)

    def test_damage_to_the_file_is_told(self, real: Path, tmp_path: Path) -> None:
        copy = tmp_path / WEIGHTS_FILE
        shutil.copy(real / WEIGHTS_FILE, copy)
        with copy.open("r+b") as file:
            file.truncate(copy.stat().st_size - 1)
        with pytest.raises(WeightsError, match="get the file again"):
            EfficientNet(tmp_path)
