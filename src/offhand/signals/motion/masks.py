"""Cells that say nothing about the scene: a fisheye's dark rim, and what stays put in the picture.

Date stamps, helmet edges and often the worker's own vest keep their place while the scene moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from offhand.records import ByteArray, FloatArray

BoolArray = npt.NDArray[np.bool_]

DARK_LEVEL = 28.0
"""Mean grey level below which a pixel may belong to the rim."""

FULL_SHARE = 0.96
"""Share of its bounding box that the picture fills when its surroundings are bars, not a rim."""

STILL_SHARE = 0.2
"""A cell that moves by less than this share of the scene's motion is fixed to the picture."""

MOVING_PX = 0.4
"""Displacement of the scene, in pixels per frame, from which stillness is informative."""


@dataclass(frozen=True, kw_only=True)
class Rim:
    """Dark surroundings of the picture proper.

    Attributes
    ----------
    pixels
        ``(height, width)`` bool.
    round
        Whether they surround an image circle (a fisheye), not a rectangle (black bars).
    diameter_px
        Diameter of the image circle; diagonal of the rectangle.
    """

    pixels: BoolArray
    round: bool
    diameter_px: float


class RimFinder:
    """Find the dark rim of a fisheye picture, or black bars, at a clip's beginning."""

    def __init__(self) -> None:
        self._sum: FloatArray | None = None
        self._squares: FloatArray | None = None
        self._count = 0

    def add(self, image: ByteArray) -> None:
        """Take one more grey frame ``(height, width)``; all-black frames are passed over."""
        if image.mean() < DARK_LEVEL / 2:
            return
        level = image.astype(np.float64)
        if self._sum is None or self._squares is None:
            self._sum, self._squares = np.zeros_like(level), np.zeros_like(level)
        self._sum += level
        self._squares += level**2
        self._count += 1

    @property
    def ready(self) -> bool:
        """Whether any frame could be used."""
        return self._count > 0

    def rim(self) -> Rim | None:
        """Return the rim, or ``None`` if there is none: dark at all times, at all four corners."""
        if self._sum is None or self._squares is None:
            return None
        mean = self._sum / self._count
        spread = np.sqrt(np.maximum(self._squares / self._count - mean**2, 0.0))
        dark = ((mean < DARK_LEVEL) & (spread < 8.0)).astype(np.uint8)
        _, regions = cv2.connectedComponents(dark)
        corners = {int(regions[y, x]) for y in (0, -1) for x in (0, -1)}
        if 0 in corners:
            return None
        rim = np.isin(regions, list(corners))
        if rim.mean() > 0.7:
            return None
        rows, columns = np.flatnonzero((~rim).any(axis=1)), np.flatnonzero((~rim).any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        is_round = bool((~rim).sum() < FULL_SHARE * height * width)
        diameter = max(height, width) if is_round else np.hypot(height, width)
        return Rim(pixels=rim, round=is_round, diameter_px=float(diameter))


class StillCells:
    """Learn which cells keep their place while the scene moves.

    Parameters
    ----------
    n_cells
        Number of cells.
    """

    def __init__(self, n_cells: int) -> None:
        self._moved = np.zeros(n_cells)
        self._scene = 0.0
        self._frames = 0.0

    def add(self, speed_px: FloatArray) -> None:
        """Take a chunk of displacements ``(n, cells)`` in pixels per frame; older chunks fade."""
        self._moved *= 0.7
        self._scene *= 0.7
        self._frames *= 0.7
        scene = np.percentile(speed_px, 75, axis=1) if len(speed_px) else np.empty(0)
        moving = scene > MOVING_PX
        self._moved += np.minimum(speed_px[moving], scene[moving, None]).sum(axis=0)
        self._scene += float(scene[moving].sum())
        self._frames += float(moving.sum())

    def mask(self) -> BoolArray:
        """Return the still cells ``(cells,)`` bool; none before ten frames with motion."""
        if self._frames < 10:
            return np.zeros(len(self._moved), dtype=bool)
        still = self._moved / self._scene < STILL_SHARE
        return still if still.mean() < 0.6 else np.zeros_like(still)
