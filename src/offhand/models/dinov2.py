"""DINOv2 (Oquab et al. 2023, arXiv:2304.07193) through transformers: embeddings of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from offhand.models.hub import FloatImages, check_images
from offhand.models.hub_checkpoint import load_image_processor, load_model
from offhand.records import ByteArray

if TYPE_CHECKING:
    import torch

BATCH = 16
"""Images that are run at once."""


class Dinov2:
    """A DINOv2 model with its published preprocessing.

    The processor of the checkpoint scales the shorter side to 256 px, cuts out the central square
    of 224 px, and standardises the colours. The embedding is the class token after the last layer
    norm, the feature that the paper's nearest-neighbour results rest on; compare it by cosine.

    Parameters
    ----------
    folder
        The checkpoint, such as that of ``facebook/dinov2-small``: ``config.json``,
        ``preprocessor_config.json`` and ``model.safetensors``.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``; half precision on all but the last.
    batch
        Images that are run at once; halved where memory runs out.
    threads
        Threads of torch on a processor. More than one may change the last digits.

    Raises
    ------
    WeightsMissing
        The folder, torch, transformers or the device is missing.
    WeightsError
        The checkpoint is of another architecture, damaged, or lacks a file.
    """

    def __init__(
        self, folder: Path, *, device: str = "auto", batch: int = BATCH, threads: int = 1
    ) -> None:
        self._model = load_model(
            folder,
            architecture="Dinov2Model",
            model_type="dinov2",
            device=device,
            batch=batch,
            threads=threads,
        )
        self._processor = load_image_processor(folder, kind="BitImageProcessor")
        self.n_dims = int(self._model.module.config.hidden_size)
        """Length of an embedding: 384 for the small model, 768 for the base model."""

    def embed(self, images: ByteArray) -> FloatImages:
        """Embed images.

        Parameters
        ----------
        images
            RGB, uint8, ``(n, height, width, 3)``.

        Returns
        -------
        FloatImages
            ``(n, n_dims)`` float32.

        Raises
        ------
        ValueError
            The images have another form.
        SignalError
            The memory does not suffice for one image.
        """
        check_images(images)

        def compute(part: slice) -> torch.Tensor:
            pixels = self._processor(list(images[part]), return_tensors="np")["pixel_values"]
            output = self._model.module(pixel_values=self._model.tensor(np.asarray(pixels)))
            return output.pooler_output

        return self._model.run(len(images), compute, shape=(self.n_dims,))
