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

COARSENESS = 4
"""Pixels of the image along a side of one that flow is found in, as in OpenCV's FAST preset."""

SMALLEST_SHRUNK_PX = 92
"""Longer side from which images are shrunk by ``COARSENESS``: flow needs patches enough."""


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
        self._coarseness = COARSENESS if max(shape) >= SMALLEST_SHRUNK_PX else 1
        self._coarse = (height // self._coarseness, width // self._coarseness)
        self._means = AreaMeans(shape, self.size[::-1])
        self._coarse_means = AreaMeans(shape, self.size[::-1], coarse=self._coarse)
        self._means_between = AreaMeans((height - 1, width - 1), self.size[::-1])
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # Refinement takes half the time, and makes motions below a pixel 5 to 20 % too large.
        self._dis.setVariationalRefinementIterations(0)
        # It would shrink both images of each pair, and enlarge the flow, which is averaged anyway.
        self._dis.setFinestScale(0)

    def points(self) -> FloatArray:
        """Return the cells' centres ``(cells, 2)`` from the image's centre, in diagonals."""
        columns, rows = self.size
        height, width = rows / np.hypot(rows, columns), columns / np.hypot(rows, columns)
        x = ((np.arange(columns) + 0.5) / columns - 0.5) * width
        y = ((np.arange(rows) + 0.5) / rows - 0.5) * height
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    def coarse(self, image: ByteArray) -> ByteArray:
        """Return the image as flow is found in it."""
        size = self._coarse[::-1]
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)

    def between(self, before: ByteArray, after: ByteArray) -> FloatArray:
        """Return the displacement ``(cells, 2)`` between two coarse images, in diagonals."""
        flow = self._coarse_means(self._dis.calc(before, after, NO_GUESS))
        return flow.reshape(-1, 2).astype(np.float64) * (self._coarseness / self.diagonal_px)

    def texture(self, image: ByteArray) -> FloatArray:
        """Return how far each cell's flow can be trusted, ``(cells,)`` in 0..1."""
        across = cv2.absdiff(image[:, 1:], image[:, :-1])[:-1]
        down = cv2.absdiff(image[1:], image[:-1])[:, :-1]
        strength = self._means_between(cv2.add(across, down)).reshape(-1)
        return np.minimum(strength.astype(np.float64) / TEXTURE_LEVELS, 1.0)

    def cells(self, image: ByteArray | FloatArray) -> FloatArray:
        """Return the mean of an image ``(height, width)`` in each cell, ``(cells,)``."""
        return self._means(image).reshape(-1).astype(np.float64)
