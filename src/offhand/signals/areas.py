"""Averages of an image over the fields of a coarse grid."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


class AreaMeans:
    """Mean over each field of a grid that is laid over images of one size.

    A field counts a pixel that it covers in part by that part, as OpenCV's scaling by areas does,
    in a third of the time, with one product of matrices for the lines and one for the columns.

    Parameters
    ----------
    shape
        Height and width of the images in pixels.
    grid
        Rows and columns of fields.
    coarse
        Height and width of images that stand for others of ``shape``, which they would be if they
        were enlarged (bilinear, as OpenCV does it): the means are those of the large ones.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        grid: tuple[int, int],
        *,
        coarse: tuple[int, int] | None = None,
    ) -> None:
        down, across = (_shares(*line) for line in zip(shape, grid, strict=True))
        if coarse is not None:
            down = down @ _enlarging(coarse[0], shape[0])
            across = across @ _enlarging(coarse[1], shape[1])
        self._down = np.ascontiguousarray(down)
        self._across = np.ascontiguousarray(across.T)

    def __call__(self, image: npt.NDArray[Any]) -> Float32Array:
        """Return the means ``(rows, columns)`` of an image ``(height, width)``.

        Channels behind these two dimensions are averaged one by one.
        """
        height, width, *channels = image.shape
        rows = self._down @ np.ascontiguousarray(image, np.float32).reshape(height, -1)
        if not channels:
            return np.asarray(rows @ self._across)
        channels_first = rows.reshape(-1, width, *channels).transpose(0, 2, 1)
        return np.asarray((channels_first @ self._across).transpose(0, 2, 1))


def _shares(n_pixels: int, n_fields: int) -> Float32Array:
    """Return which share each pixel of a line has in each field, ``(fields, pixels)``."""
    edges = np.arange(n_fields + 1) * (n_pixels / n_fields)
    pixels = np.arange(n_pixels)
    inside = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    inside = inside.clip(0.0)
    return np.asarray(inside / inside.sum(axis=1, keepdims=True), np.float32)


def _enlarging(n_coarse: int, n_pixels: int) -> Float32Array:
    """Return what a line of pixels takes from a shorter one, ``(pixels, coarse)``."""
    ones = np.eye(n_coarse, dtype=np.float32)
    return np.asarray(cv2.resize(ones, (n_coarse, n_pixels), interpolation=cv2.INTER_LINEAR))
