from __future__ import annotations

from math import cos, pi, radians, sin

import numpy as np
import pytest

from offhand.models.regions import (
    Region,
    aligned,
    around,
    crop,
    grown,
    letterbox,
    to_image,
    to_region,
    upright,
)
from offhand.records import ByteArray

TURNED = Region(x=31.5, y=18.25, side=22.0, angle=radians(33))
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def picture(height: int = 41, width: int = 60) -> ByteArray:
    """A smooth picture, so that rounding of positions hardly shows."""
    y, x = np.mgrid[:height, :width]
    red, green = 255 * x / width, 255 * y / height
    return np.stack([red, green, 128 + 100 * np.sin(x / 9)], axis=2).round().astype(np.uint8)


def sampled(image: ByteArray, x: float, y: float, beyond: str) -> np.ndarray:
    """Interpolate one point: the plain twin."""
    height, width = image.shape[:2]
    total = np.zeros(3)
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            inside = 0 <= row < height and 0 <= column < width
            if inside or beyond == "edge":
                near = image[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
                total += weight * near
    return total


@pytest.mark.parametrize("beyond", ["black", "edge"])
@pytest.mark.parametrize(
    "region", [TURNED, letterbox(41, 60), Region(x=2.0, y=38.0, side=30.0, angle=-2.5)]
)
def test_crop_is_bilinear_sampling_point_by_point(region: Region, beyond: str) -> None:
    image = picture()
    cut = crop(image, region, 13, beyond=beyond)  # type: ignore[arg-type]
    assert cut.shape == (13, 13, 3)
    for row in range(13):
        for column in range(13):
            along, down = column / 13 - 0.5, row / 13 - 0.5
            x = region.x + region.side * (along * cos(region.angle) - down * sin(region.angle))
            y = region.y + region.side * (along * sin(region.angle) + down * cos(region.angle))
            # positions are rounded to 1/32 of a pixel, which weighs most beside black
            slack = 2.0 if beyond == "edge" else 12.0
            np.testing.assert_allclose(cut[row, column], sampled(image, x, y, beyond), atol=slack)


def test_crop_at_whole_pixels_copies_them() -> None:
    image = picture()
    cut = crop(image, Region(x=20.0, y=20.0, side=16.0, angle=0.0), 16, beyond="black")
    np.testing.assert_array_equal(cut, image[12:28, 12:28])


def test_crop_turns_the_picture_against_the_region() -> None:
    image = picture()
    quarter = crop(image, Region(x=20.0, y=20.0, side=16.0, angle=pi / 2), 16, beyond="black")
    # its x axis runs down the image, its y axis to the left
    np.testing.assert_array_equal(quarter, np.rot90(image[12:28, 13:29]))


def test_outside_is_black_or_the_edge() -> None:
    image = np.full((10, 10, 3), 77, np.uint8)
    far = Region(x=-50.0, y=5.0, side=8.0, angle=0.3)
    assert not crop(image, far, 4, beyond="black").any()
    assert (crop(image, far, 4, beyond="edge") == 77).all()


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (50, 50)])
def test_letterbox_centres_the_whole_image(height: int, width: int) -> None:
    whole = letterbox(height, width)
    side = max(height, width)
    pad_x, pad_y = (side - width) / 2 / side, (side - height) / 2 / side
    corners = to_region(np.array([[0.0, 0.0], [width, height]]), whole)
    np.testing.assert_allclose(corners, [[pad_x, pad_y], [1 - pad_x, 1 - pad_y]])


def test_letterbox_pads_with_black() -> None:
    cut = crop(np.full((20, 40, 3), 200, np.uint8), letterbox(20, 40), 40, beyond="black")
    assert (cut[10:30] == 200).all()
    assert not cut[:10].any()
    assert not cut[30:].any()


@pytest.mark.parametrize("angle", [0.0, 0.7, -3.0, pi / 2])
def test_points_return_from_the_region(angle: float) -> None:
    region = Region(x=-4.0, y=90.0, side=37.0, angle=angle)
    points = np.random.default_rng(0).uniform(-1, 2, (9, 2))
    np.testing.assert_allclose(to_region(to_image(points, region), region), points, atol=1e-12)


def test_corners_of_a_turned_region() -> None:
    quarter = Region(x=10.0, y=20.0, side=4.0, angle=pi / 2)
    expected = [[12, 18], [12, 22], [8, 22], [8, 18]]
    np.testing.assert_allclose(to_image(CORNERS, quarter), expected, atol=1e-12)


@pytest.mark.parametrize("degrees", [-179.0, -90.0, -1.0, 0.0, 45.0, 90.0, 179.0])
def test_upright_puts_the_second_point_above_the_first(degrees: float) -> None:
    turn = radians(degrees)
    low = np.array([5.0, 7.0])
    high = low + 3 * np.array([sin(turn), -cos(turn)])
    angle = upright(low, high)
    assert angle == pytest.approx(turn)
    first, second = to_region(np.stack([low, high]), Region(x=5.0, y=7.0, side=10.0, angle=angle))
    assert first[0] == pytest.approx(second[0])
    assert second[1] < first[1]


def test_around_is_the_tightest_rectangle_at_its_angle() -> None:
    angle = radians(20)
    axes = np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    inside = np.array([[-3.0, -1.0], [3.0, 1.0], [0.5, -1.0], [3.0, 0.2]])
    centre, width, height = around(np.array([40.0, 30.0]) + inside @ axes, angle)
    np.testing.assert_allclose(centre, [40, 30])
    assert (width, height) == (pytest.approx(6), pytest.approx(2))


def test_grown_shifts_along_its_own_axis_by_heights_before_it_is_made_square() -> None:
    centre = np.array([10.0, 20.0])
    region = grown(centre, 4.0, 2.0, 0.0, scale=2.6, shift=-0.5)
    assert (region.x, region.y, region.side) == (10.0, 19.0, pytest.approx(10.4))
    turned = grown(centre, 2.0, 4.0, pi / 2, scale=2.0, shift=-0.1)
    assert (turned.x, turned.y) == (pytest.approx(10.4), pytest.approx(20.0))
    assert turned.side == pytest.approx(8.0)


def test_aligned_holds_the_circle() -> None:
    region = aligned(np.array([50.0, 60.0]), np.array([53.0, 56.0]), scale=1.25)
    assert (region.x, region.y, region.side) == (50.0, 60.0, pytest.approx(12.5))
    rim = to_region(np.array([[53.0, 56.0]]), region)
    np.testing.assert_allclose(rim, [[0.5, 0.5 - 0.5 / 1.25]])


def test_box_sets_the_rotation_aside() -> None:
    np.testing.assert_allclose(TURNED.box, [20.5, 7.25, 42.5, 29.25])
