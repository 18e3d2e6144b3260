"""Dense optical flow between consecutive small images, averaged over cells.

Dense inverse search (DIS; Kroeger et al. 2016, arXiv:1603.03590) as implemented in OpenCV.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from offhand.records import ByteArray, FloatArray
from offhand.signals.areas import AreaMeans

CELLS_SHORT_SIDE = 16
"""Cells along the shorter side of the image."""

NO_GUESS: Any = None
"""Flow to start from; OpenCV takes None for none, but its type stub does not say so."""

TEXTURE_LEVELS = 6.0
"""Mean gradient, in grey levels per pixel, from which a cell's flow is fully trusted."""

SMALLEST_SIDE_PX = 32
"""OpenCV's flow crashes on wide pictures that are lower than this."""


class FlowGrid:
    """Flow between pairs of grey images of one size, as one vector per cell.

    Parameters
    ----------
    shape
        Height and width of the images in pixels.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        height, width = shape
        self.diagonal_px = float(np.hypot(height, width))
        cell_px = max(1.0, min(height, width) / CELLS_SHORT_SIDE)
        self.size = (max(2, round(width / cell_px)), max(2, round(height / cell_px)))
        self._means = AreaMeans(shape, self.size[::-1])
        self._means_between = AreaMeans((height - 1, width - 1), self.size[::-1])
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # Refinement takes half the time, and makes motions below a pixel 5 to 20 % too large.
        self._dis.setVariationalRefinementIterations(0)

    def points(self) -> FloatArray:
        """Return the cells' centres ``(cells, 2)`` from the image's centre, in diagonals."""
        columns, rows = self.size
        height, width = rows / np.hypot(rows, columns), columns / np.hypot(rows, columns)
        x = ((np.arange(columns) + 0.5) / columns - 0.5) * width
        y = ((np.arange(rows) + 0.5) / rows - 0.5) * height
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    def between(self, before: ByteArray, after: ByteArray) -> FloatArray:
        """Return the displacement ``(cells, 2)`` from one image to the next, in diagonals."""
        flow = self._dis.calc(before, after, NO_GUESS)
        return self._means(flow).reshape(-1, 2).astype(np.float64) / self.diagonal_px

    def texture(self, image: ByteArray) -> FloatArray:
        """Return how far each cell's flow can be trusted, ``(cells,)`` in 0..1."""
        across = cv2.absdiff(image[:, 1:], image[:, :-1])[:-1]
        down = cv2.absdiff(image[1:], image[:-1])[:, :-1]
        strength = self._means_between(cv2.add(across, down)).reshape(-1)
        return np.minimum(strength.astype(np.float64) / TEXTURE_LEVELS, 1.0)

    def cells(self, image: ByteArray | FloatArray) -> FloatArray:
        """Return the mean of an image ``(height, width)`` in each cell, ``(cells,)``."""
        return self._means(image).reshape(-1).astype(np.float64)
