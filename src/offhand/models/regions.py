"""Rotated square regions of an image: where to look, the crop, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from offhand.records import ByteArray, FloatArray


@dataclass(frozen=True, kw_only=True)
class Region:
    """A square on an image, whose pixels have their centre at whole numbers.

    Attributes
    ----------
    x, y
        Its centre in pixels.
    side
        Its side in pixels.
    angle
        Its rotation in radians, positive where its x axis turns towards the image's y axis
        (clockwise to the eye).
    """

    x: float
    y: float
    side: float
    angle: float

    @property
    def box(self) -> FloatArray:
        """The square as x0, y0, x1, y1, without its rotation."""
        half = self.side / 2
        return np.array([self.x - half, self.y - half, self.x + half, self.y + half])


def letterbox(height: int, width: int) -> Region:
    """Return the upright square around a whole image; what it adds is filled with black."""
    return Region(x=width / 2, y=height / 2, side=float(max(height, width)), angle=0.0)


def upright(low: FloatArray, high: FloatArray) -> float:
    """Return the angle, -pi..pi, of the region in which ``high`` ``(2,)`` is above ``low``."""
    angle = pi / 2 - atan2(low[1] - high[1], high[0] - low[0])
    return float((angle + pi) % (2 * pi) - pi)


def grown(
    centre: FloatArray, width: float, height: float, angle: float, *, scale: float, shift: float
) -> Region:
    """Return a rectangle made square by its longer side, shifted along its y axis, and scaled.

    Parameters
    ----------
    centre
        ``(2,)`` in pixels.
    width, height, angle
        Of the rectangle, in pixels and radians.
    scale
        Factor on the longer side.
    shift
        Shift along the rectangle's own y axis, in heights (negative: up).
    """
    return Region(
        x=float(centre[0] - sin(angle) * height * shift),
        y=float(centre[1] + cos(angle) * height * shift),
        side=scale * max(width, height),
        angle=angle,
    )


def around(points: FloatArray, angle: float) -> tuple[FloatArray, float, float]:
    """Return centre ``(2,)``, width and height of the tightest rectangle at an angle.

    Parameters
    ----------
    points
        ``(n, 2)``.
    angle
        The rectangle's rotation in radians.
    """
    turned = points @ _rotation(angle)
    low, high = turned.min(axis=0), turned.max(axis=0)
    width, height = high - low
    return _rotation(angle) @ ((low + high) / 2), float(width), float(height)


def aligned(centre: FloatArray, rim: FloatArray, *, scale: float) -> Region:
    """Return the region of a circle given by its centre and by the point of its rim at the top."""
    size = 2 * hypot(rim[0] - centre[0], rim[1] - centre[1])
    return grown(centre, size, size, upright(centre, rim), scale=scale, shift=0.0)


def crop(
    image: ByteArray, region: Region, side_px: int, *, beyond: Literal["black", "edge"]
) -> ByteArray:
    """Return a region ``(side_px, side_px, channels)`` by bilinear sampling.

    Parameters
    ----------
    image
        ``(height, width, channels)``.
    region
        What to cut; may leave the image.
    side_px
        Side of the result.
    beyond
        What lies outside the image: black, or the nearest pixel of its edge.
    """
    along = np.arange(side_px) / side_px
    x, y = to_image(np.stack(np.meshgrid(along, along), axis=2).reshape(-1, 2), region).T
    # In fixed point, as OpenCV then samples alike in all its versions.
    maps = cv2.convertMaps(_square(x, side_px), _square(y, side_px), cv2.CV_16SC2)
    border = cv2.BORDER_CONSTANT if beyond == "black" else cv2.BORDER_REPLICATE
    cut = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=border, borderValue=(0, 0, 0))
    return np.asarray(cut, dtype=np.uint8)


def to_image(points: FloatArray, region: Region) -> FloatArray:
    """Return points ``(n, 2)``, given in 0..1 of a region, in pixels of the image."""
    return np.asarray(
        (points - 0.5) * region.side @ _rotation(region.angle).T + (region.x, region.y)
    )


def to_region(points: FloatArray, region: Region) -> FloatArray:
    """Return points ``(n, 2)``, given in pixels of the image, in 0..1 of a region."""
    return np.asarray((points - (region.x, region.y)) @ _rotation(region.angle) / region.side + 0.5)


def _rotation(angle: float) -> FloatArray:
    """Return the matrix that turns a column vector by an angle."""
    return np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])


def _square(values: FloatArray, side_px: int) -> npt.NDArray[np.float32]:
    """Return one number for each pixel of a square as OpenCV wants them."""
    return values.reshape(side_px, side_px).astype(np.float32)
