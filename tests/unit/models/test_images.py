from __future__ import annotations

import numpy as np
import pytest

from offhand.models.images import check_image, check_share


def test_an_rgb_image_passes() -> None:
    check_image(np.zeros((2, 3, 3), np.uint8))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((2, 3), np.uint8),
        ((2, 3, 4), np.uint8),
        ((1, 2, 3, 3), np.uint8),
        ((0, 3, 3), np.uint8),
        ((2, 3, 3), np.float64),
    ],
)
def test_anything_else_is_refused_by_shape_and_type(shape: tuple[int, ...], kind: type) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        check_image(np.zeros(shape, kind))
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_a_share_is_returned(value: float) -> None:
    assert check_share("x", value) == value


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_no_share_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match=r"min_presence is .*must lie in 0\.\.1"):
        check_share("min_presence", value)
