"""V-JEPA 2 (Assran et al. 2025, arXiv:2506.09985) through transformers: embeddings of video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from offhand.errors import WeightsError
from offhand.models.hub import FloatImages, check_images
from offhand.models.hub_checkpoint import load_model, processor_file, read_json
from offhand.records import ByteArray

if TYPE_CHECKING:
    import torch

BATCH = 4
"""Windows that are run at once."""

PUBLISHED = {
    "crop_size": 256,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "rescale_factor": 1 / 255,
}
"""Preprocessing where a checkpoint's configuration leaves it open, as transformers has it."""

RESIZE_SHARE = 256 / 224
"""Shorter side after scaling over the side of the square that is then cut out of the middle."""


class Vjepa2:
    """A V-JEPA 2 encoder with its published preprocessing.

    Each frame is scaled (bilinear) so that its shorter side is 256/224 of the model's input, the
    central square is cut out, and the colours are standardised, all with the values of the
    checkpoint's configuration; the processor of transformers itself would need torchvision. The
    embedding is the mean over the encoder's tokens, in space and time, after the last layer norm;
    compare it by cosine.

    Parameters
    ----------
    folder
        The checkpoint, such as that of ``facebook/vjepa2-vitl-fpc64-256``: ``config.json``,
        ``video_preprocessor_config.json`` and ``model.safetensors``.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``; half precision on all but the last.
    batch
        Windows that are run at once; halved where memory runs out.
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
            architecture="VJEPA2Model",
            model_type="vjepa2",
            device=device,
            batch=batch,
            threads=threads,
        )
        config = self._model.module.config
        self._preprocessing = _Preprocessing(folder, side_px=int(config.crop_size))
        self.n_dims = int(config.hidden_size)
        """Length of an embedding: 1024 for ViT-L."""
        self.n_frames = int(config.frames_per_clip)
        """Frames per window that the checkpoint was last trained with; others are possible."""
        self.frame_step = int(config.tubelet_size)
        """The number of frames of a window must be a multiple of this."""

    def embed(self, windows: ByteArray) -> FloatImages:
        """Embed windows of consecutive frames.

        Parameters
        ----------
        windows
            RGB, uint8, ``(n, frames, height, width, 3)``, frames in order of time.

        Returns
        -------
        FloatImages
            ``(n, n_dims)`` float32.

        Raises
        ------
        ValueError
            The windows have another form, or a number of frames that the model cannot take.
        SignalError
            The memory does not suffice for one window.
        """
        check_images(windows, n_axes=5)
        n_frames = windows.shape[1]
        if n_frames == 0 or n_frames % self.frame_step:
            raise ValueError(
                f"a window has {n_frames} frames, must be a multiple of {self.frame_step}"
            )

        def compute(part: slice) -> torch.Tensor:
            pixels = np.stack([self._preprocessing(window) for window in windows[part]])
            tokens = self._model.module.get_vision_features(self._model.tensor(pixels))
            return tokens.float().mean(dim=1)

        return self._model.run(len(windows), compute, shape=(self.n_dims,))


class _Preprocessing:
    """Frames to the model's input, by the configuration of the checkpoint's processor."""

    def __init__(self, folder: Path, *, side_px: int) -> None:
        path = processor_file(
            folder,
            "video_preprocessor_config.json",
            "preprocessor_config.json",
            "processor_config.json",
        )
        content = read_json(path)
        given: dict[str, Any] = {**PUBLISHED, **content.get("video_processor", content)}
        crop = given["crop_size"]
        try:
            self._side_px = int(crop["height"] if isinstance(crop, dict) else crop)
            scale = float(given["rescale_factor"])
            mean = np.asarray(given["image_mean"], np.float32).reshape(3)
            std = np.asarray(given["image_std"], np.float32).reshape(3)
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{path}: not a processor's configuration ({error!r})") from error
        if self._side_px != side_px:
            raise WeightsError(
                f"{path}: cuts out {self._side_px} px, but the model's input is {side_px} px"
            )
        self._factor = np.float32(scale) / std
        self._offset = -mean / std

    def __call__(self, window: ByteArray) -> NDArray[np.float32]:
        """Return a window ``(frames, height, width, 3)`` as ``(frames, 3, side, side)``."""
        from PIL import Image

        short_px = int(self._side_px * RESIZE_SHARE)
        height, width = window.shape[1:3]
        scale = short_px / min(height, width)
        size = (short_px, int(height * scale)) if height > width else (int(width * scale), short_px)
        left, top = ((length - self._side_px) // 2 for length in size)
        frames = [
            np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
            for frame in window
        ]
        cut = np.stack(frames)[:, top : top + self._side_px, left : left + self._side_px]
        return np.moveaxis(cut * self._factor + self._offset, 3, 1)
