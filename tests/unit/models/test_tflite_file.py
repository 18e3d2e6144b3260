from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhand.models.tflite import Network
from offhand.models.tflite_file import OPERATORS, NetworkWriter


def opened(writer: NetworkWriter, given: int, results: list[int], sides: list[int]) -> Network:
    """Open what a writer holds: an image ``(4, 4, 2)`` in, vectors of the lengths ``sides`` out."""
    return Network(
        Path("absent"),
        content=writer.serialise([given], results),
        inputs=(4, 4, 2),
        outputs=[(side,) for side in sides],
        threads=1,
    )


def test_a_network_of_every_operator() -> None:
    draw = np.random.default_rng(0)
    image, depthwise = draw.normal(0, 3, (4, 4, 2)), draw.normal(0, 1, (1, 1, 1, 2))
    weight, bias = draw.normal(0, 1, (3, 1, 1, 2)), draw.normal(0, 1, 3)
    writer = NetworkWriter("small")
    given = writer.tensor("image", (1, 4, 4, 2))
    parts = [given, writer.constant("d", depthwise), writer.constant("zero", np.zeros(2))]
    options = {"strideW": 1, "strideH": 1}
    x = writer.operator(
        "DepthwiseConv2D", "x", parts, (1, 4, 4, 2), depthMultiplier=1, relu6=True, **options
    )
    x = writer.operator("Add", "y", [x, given], (1, 4, 4, 2))
    parts = [x, writer.constant("weight", weight), writer.constant("bias", bias)]
    x = writer.operator("Conv2D", "z", parts, (1, 4, 4, 3), **options)
    axes = writer.constant("axes", np.array([1, 2]))
    x = writer.operator("Reducer", "mean", [x, axes], (1, 1, 1, 3), keepDims=True)
    shape = writer.constant("shape", np.array([1, 3]))
    mean = writer.operator("Reshape", "flat", [x, shape], (1, 3), newShape=[1, 3])
    share = writer.operator("Softmax", "share", [mean], (1, 3), beta=1.0)

    found = opened(writer, given, [mean, share], [3, 3])(image)

    wanted = np.clip(image * depthwise[0], 0, 6) + image
    wanted = (wanted @ weight[:, 0, 0].T + bias).mean(axis=(0, 1))
    np.testing.assert_allclose(found[0], wanted, atol=1e-5)
    np.testing.assert_allclose(found[1], np.exp(wanted) / np.exp(wanted).sum(), atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(4, 2), (4, 1)])
def test_padding_keeps_the_side_or_divides_it(size: int, stride: int) -> None:
    writer = NetworkWriter("padded")
    given = writer.tensor("image", (1, 4, 4, 2))
    after = size // stride
    weight, bias = np.ones((1, 3, 3, 2)), np.zeros(1)
    parts = [given, writer.constant("weight", weight), writer.constant("bias", bias)]
    x = writer.operator("Conv2D", "x", parts, (1, after, after, 1), strideW=stride, strideH=stride)
    length = after * after
    shape = writer.constant("shape", np.array([1, length]))
    flat = writer.operator("Reshape", "flat", [x, shape], (1, length), newShape=[1, length])
    found = opened(writer, given, [flat], [length])(np.ones((4, 4, 2)))[0].reshape(after, after)
    # as TensorFlow's SAME: what is left over of the padding is added after, not before
    seen = np.array([3, 2]) if stride == 2 else np.array([2, 3, 3, 2])
    np.testing.assert_allclose(found, 2 * np.outer(seen, seen))


def test_the_same_parts_give_the_same_bytes() -> None:
    def written() -> bytes:
        writer = NetworkWriter("same")
        given = writer.tensor("image", (1, 4))
        return writer.serialise([given], [writer.operator("Softmax", "x", [given], (1, 4), beta=1)])

    assert written() == written()
    assert written()[4:8] == b"TFL3"


def test_what_cannot_be_written() -> None:
    assert "Lstm" not in OPERATORS
    with pytest.raises(KeyError, match="Lstm"):
        NetworkWriter("x").operator("Lstm", "x", [], (1,))
    with pytest.raises(TypeError, match="SoftmaxOptions has no field gamma"):
        NetworkWriter("x").operator("Softmax", "x", [], (1,), gamma=1.0)
