"""The graph of EfficientNet-Lite0 in ONNX, from the tensors of its published PyTorch port.

Architecture: Tan and Le 2019 (arXiv:1905.11946) without squeeze-and-excitation and with ReLU6
(the ``lite`` builder of TensorFlow's ``tpu`` models). ``onnx`` is needed to build the graph only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

BUILDER_VERSION = 1
"""Raised whenever the same tensors give another graph."""

SIZE_PX = 224
"""Side of the images that the network was trained on."""

WIDTH = 1280
"""Length of an embedding."""

N_CLASSES = 1000
"""Classes of ImageNet's ILSVRC-2012."""

PIXEL_MEAN, PIXEL_SPREAD = 127.0, 128.0
"""What is subtracted from pixel values 0..255, and what they are divided by."""

STEM_WIDTH = 32
"""Channels after the first convolution."""

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Of each stage: blocks, kernel (px), stride of the first block, expansion, channels."""

EPSILON = 1e-3
"""Added to the variance in batch normalisation."""

OPSET, IR_VERSION = 17, 8
"""Old enough for every supported ONNX Runtime."""

Tensors = Mapping[str, npt.NDArray[Any]]


class GraphBuilder:
    """Nodes and constants of a graph that is a chain with skips.

    Parameters
    ----------
    tensors
        The network's tensors by their PyTorch names.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._used: set[str] = set()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Append an operator; return the name of its output."""
        from onnx import helper

        name = output or f"x{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, values: npt.ArrayLike, kind: Any = np.float32) -> str:
        """Append a constant; return its name."""
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def tensor(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Return a tensor; ValueError if it is absent or of another shape."""
        if name not in self._tensors:
            raise ValueError(f"no tensor {name}")
        values = self._tensors[name]
        if values.shape != shape:
            raise ValueError(f"tensor {name} has shape {values.shape}, expected {shape}")
        self._used.add(name)
        return values.astype(np.float64)

    def convolution(
        self,
        entered: str,
        name: str,
        norm: str,
        *,
        shape: tuple[int, int, int, int],
        pads: tuple[int, int] = (0, 0),
        stride: int = 1,
    ) -> str:
        """Append a convolution with the batch normalisation after it folded into its weights."""
        width = shape[:1]
        scale = self.tensor(f"{norm}.weight", width) / np.sqrt(
            self.tensor(f"{norm}.running_var", width) + EPSILON
        )
        shift = (
            self.tensor(f"{norm}.bias", width) - self.tensor(f"{norm}.running_mean", width) * scale
        )
        weight = self.tensor(f"{name}.weight", shape) * scale[:, None, None, None]
        return self.node(
            "Conv",
            entered,
            self.constant(f"{name}.weight", weight),
            self.constant(f"{name}.bias", shift),
            kernel_shape=list(shape[2:]),
            strides=[stride, stride],
            pads=[pads[0], pads[0], pads[1], pads[1]],
            group=shape[0] if shape[1] == 1 else 1,
        )

    def relu6(self, entered: str) -> str:
        """Append a clip to 0..6."""
        return self.node("Clip", entered, "zero", "six")

    def check_all_used(self) -> None:
        """Raise ValueError if there are tensors that the architecture has no place for."""
        left = {name for name in self._tensors if not name.endswith("num_batches_tracked")}
        left -= self._used
        if left:
            raise ValueError(f"{len(left)} tensors too many, such as {min(left)}")

    def serialise(self) -> bytes:
        """Return the finished graph: images in, embedding and probabilities out."""
        from onnx import TensorProto, checker, helper

        image = [None, SIZE_PX, SIZE_PX, 3]
        graph = helper.make_graph(
            self._nodes,
            "efficientnet_lite0",
            [helper.make_tensor_value_info("images", TensorProto.UINT8, image)],
            [
                helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [None, WIDTH]),
                helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, N_CLASSES]),
            ],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def build(tensors: Tensors) -> bytes:
    """Return the network as a serialised ONNX model.

    Its input ``images`` is ``(n, 224, 224, 3)`` uint8 RGB; its outputs are ``embedding``
    ``(n, 1280)``, the last feature map's mean over the image, and ``probability`` ``(n, 1000)``
    of the ImageNet classes. Preprocessing is part of the graph. The classifier is a convolution
    with a kernel of one pixel, so that an image's result does not depend on the rest of its batch.

    Parameters
    ----------
    tensors
        The network's 296 tensors by their PyTorch names.

    Raises
    ------
    ValueError
        A tensor is absent, of another shape, or has no place: it is another architecture.
    """
    graph = GraphBuilder(tensors)
    graph.constant("zero", 0.0)
    graph.constant("six", 6.0)
    x = _prepared(graph)
    pads = same_padding(SIZE_PX, kernel=3, stride=2)
    shape = (STEM_WIDTH, 3, 3, 3)
    x = graph.convolution(x, "_conv_stem", "_bn0", shape=shape, pads=pads, stride=2)
    x = graph.relu6(x)
    size, width, index = SIZE_PX // 2, STEM_WIDTH, 0
    for blocks, kernel, first_stride, expansion, channels in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            x = _block(graph, x, index, (width, channels), expansion, kernel, stride, size)
            size, width, index = size // stride, channels, index + 1
    x = graph.convolution(x, "_conv_head", "_bn1", shape=(WIDTH, width, 1, 1))
    pooled = graph.node("GlobalAveragePool", graph.relu6(x))
    graph.node("Flatten", pooled, output="embedding")
    weight = graph.tensor("_fc.weight", (N_CLASSES, WIDTH))[:, :, None, None]
    bias = graph.tensor("_fc.bias", (N_CLASSES,))
    logits = graph.node(
        "Conv", pooled, graph.constant("fc.weight", weight), graph.constant("fc.bias", bias)
    )
    graph.node("Softmax", graph.node("Flatten", logits), output="probability", axis=1)
    graph.check_all_used()
    return graph.serialise()


def same_padding(size: int, *, kernel: int, stride: int) -> tuple[int, int]:
    """Return the pixels added before and after a side, as TensorFlow's ``SAME`` does."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def _prepared(graph: GraphBuilder) -> str:
    """Append the steps from bytes, channel last, to centred numbers, channel first."""
    from onnx import TensorProto

    x = graph.node("Cast", "images", to=TensorProto.FLOAT)
    x = graph.node("Sub", x, graph.constant("pixel_mean", PIXEL_MEAN))
    x = graph.node("Div", x, graph.constant("pixel_spread", PIXEL_SPREAD))
    return graph.node("Transpose", x, perm=[0, 3, 1, 2])


def _block(
    graph: GraphBuilder,
    entered: str,
    index: int,
    width: tuple[int, int],
    expansion: int,
    kernel: int,
    stride: int,
    size: int,
) -> str:
    """Append an inverted residual block from ``width[0]`` to ``width[1]`` channels."""
    name = f"_blocks.{index}"
    inner = width[0] * expansion
    x = entered
    if expansion != 1:
        shape = (inner, width[0], 1, 1)
        x = graph.relu6(graph.convolution(x, f"{name}._expand_conv", f"{name}._bn0", shape=shape))
    x = graph.convolution(
        x,
        f"{name}._depthwise_conv",
        f"{name}._bn1",
        shape=(inner, 1, kernel, kernel),
        pads=same_padding(size, kernel=kernel, stride=stride),
        stride=stride,
    )
    shape = (width[1], inner, 1, 1)
    x = graph.convolution(graph.relu6(x), f"{name}._project_conv", f"{name}._bn2", shape=shape)
    skips = stride == 1 and width[0] == width[1]
    return graph.node("Add", x, entered) if skips else x
