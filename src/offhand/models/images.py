"""What every model asks of its arguments."""

from __future__ import annotations

import numpy as np

from offhand.records import ByteArray


def check_image(image: ByteArray) -> None:
    """Raise ValueError unless an image is RGB, ``(height, width, 3)`` in bytes, and not empty."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"an image of shape {image.shape} and type {image.dtype}; must be (height, width, 3) "
            "in uint8, not empty"
        )


def check_share(name: str, value: float) -> float:
    """Return an option that must lie in 0..1; raise ValueError otherwise."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, must lie in 0..1")
    return value
