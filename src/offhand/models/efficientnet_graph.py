"""EfficientNet-Lite0 as a TensorFlow Lite file, from the tensors of its published PyTorch port.

Architecture: Tan and Le 2019 (arXiv:1905.11946) without squeeze-and-excitation and with ReLU6
(the ``lite`` builder of TensorFlow's ``tpu`` models).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offhand.models.tflite_file import NetworkWriter

SIZE_PX = 224
"""Side of the images that the network was trained on."""

WIDTH = 1280
"""Length of an embedding."""

N_CLASSES = 1000
"""Classes of ImageNet's ILSVRC-2012."""

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

Tensors = Mapping[str, npt.NDArray[Any]]


class GraphBuilder:
    """A graph that is a chain with skips; a feature map is ``(1, size, size, channels)``.

    Parameters
    ----------
    tensors
        The network's tensors by their PyTorch names.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._used: set[str] = set()
        self.writer = NetworkWriter("efficientnet_lite0")

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
        entered: int,
        name: str,
        norm: str,
        *,
        shape: tuple[int, int, int, int],
        size: int,
        stride: int = 1,
        relu6: bool = True,
    ) -> int:
        """Append a convolution with the batch normalisation after it folded into its weights.

        Parameters
        ----------
        entered
            Number of its input.
        name, norm
            Of the convolution and of the normalisation.
        shape
            Of its weights: channels out, channels in of a group, kernel. A single channel in of
            a group stands for a depthwise convolution.
        size
            Side of its output.
        stride, relu6
            Its stride, and whether its output is clipped to 0..6.
        """
        width = shape[0]
        scale = self.tensor(f"{norm}.weight", (width,)) / np.sqrt(
            self.tensor(f"{norm}.running_var", (width,)) + EPSILON
        )
        mean = self.tensor(f"{norm}.running_mean", (width,))
        shift = self.tensor(f"{norm}.bias", (width,)) - mean * scale
        weight = self.tensor(f"{name}.weight", shape) * scale[:, None, None, None]
        depthwise = shape[1] == 1
        # To kernel before channels; padding is the format's default, TensorFlow's SAME.
        order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
        options = {"depthMultiplier": 1} if depthwise else {}
        return self.writer.operator(
            "DepthwiseConv2D" if depthwise else "Conv2D",
            f"{name}.out",
            [
                entered,
                self.writer.constant(f"{name}.weight", weight.transpose(order)),
                self.writer.constant(f"{name}.bias", shift),
            ],
            (1, size, size, width),
            strideW=stride,
            strideH=stride,
            relu6=relu6,
            **options,
        )

    def check_all_used(self) -> None:
        """Raise ValueError if there are tensors that the architecture has no place for."""
        left = {name for name in self._tensors if not name.endswith("num_batches_tracked")}
        left -= self._used
        if left:
            raise ValueError(f"{len(left)} tensors too many, such as {min(left)}")


def build(tensors: Tensors) -> bytes:
    """Return the network as the content of a TensorFlow Lite file.

    Its input is one prepared image ``(1, 224, 224, 3)`` float32; its outputs are the embedding
    ``(1, 1280)``, the last feature map's mean over the image, and the probabilities ``(1, 1000)``
    of the ImageNet classes.

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
    image = graph.writer.tensor("image", (1, SIZE_PX, SIZE_PX, 3))
    size, width, index = SIZE_PX // 2, STEM_WIDTH, 0
    shape = (width, 3, 3, 3)
    x = graph.convolution(image, "_conv_stem", "_bn0", shape=shape, size=size, stride=2)
    for blocks, kernel, first_stride, expansion, channels in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            x = _block(graph, x, index, (width, channels), expansion, kernel, stride, size)
            size, width, index = size // stride, channels, index + 1
    x = graph.convolution(x, "_conv_head", "_bn1", shape=(WIDTH, width, 1, 1), size=size)
    outputs = _head(graph, x)
    graph.check_all_used()
    return graph.writer.serialise([image], outputs)


def _block(
    graph: GraphBuilder,
    entered: int,
    index: int,
    width: tuple[int, int],
    expansion: int,
    kernel: int,
    stride: int,
    size: int,
) -> int:
    """Append an inverted residual block from ``width[0]`` to ``width[1]`` channels."""
    name = f"_blocks.{index}"
    inner = width[0] * expansion
    x = entered
    if expansion != 1:
        shape = (inner, width[0], 1, 1)
        x = graph.convolution(x, f"{name}._expand_conv", f"{name}._bn0", shape=shape, size=size)
    size //= stride
    shape = (inner, 1, kernel, kernel)
    x = graph.convolution(
        x, f"{name}._depthwise_conv", f"{name}._bn1", shape=shape, size=size, stride=stride
    )
    shape = (width[1], inner, 1, 1)
    x = graph.convolution(
        x, f"{name}._project_conv", f"{name}._bn2", shape=shape, size=size, relu6=False
    )
    if stride == 1 and width[0] == width[1]:
        x = graph.writer.operator("Add", f"{name}.out", [x, entered], (1, size, size, width[1]))
    return x


def _head(graph: GraphBuilder, entered: int) -> tuple[int, int]:
    """Append mean, classifier and softmax; return the numbers of embedding and probabilities."""
    writer = graph.writer
    axes = writer.constant("axes", np.array([1, 2]))
    pooled = writer.operator("Reducer", "mean", [entered, axes], (1, 1, 1, WIDTH), keepDims=True)
    embedding = _flat(writer, "embedding", pooled, WIDTH)
    weight = graph.tensor("_fc.weight", (N_CLASSES, WIDTH))[:, None, None, :]
    classifier = [
        pooled,
        writer.constant("_fc.weight", weight),
        writer.constant("_fc.bias", graph.tensor("_fc.bias", (N_CLASSES,))),
    ]
    shape = (1, 1, 1, N_CLASSES)
    scores = writer.operator("Conv2D", "scores", classifier, shape, strideW=1, strideH=1)
    logits = _flat(writer, "logits", scores, N_CLASSES)
    likely = writer.operator("Softmax", "probability", [logits], (1, N_CLASSES), beta=1.0)
    return embedding, likely


def _flat(writer: NetworkWriter, name: str, entered: int, length: int) -> int:
    """Append the step from ``(1, 1, 1, length)`` to ``(1, length)``."""
    shape = writer.constant(f"{name}.shape", np.array([1, length]))
    return writer.operator("Reshape", name, [entered, shape], (1, length), newShape=[1, length])
