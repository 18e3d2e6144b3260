"""Averages over the fields of a grid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from offhand.signals.areas import AreaMeans


@pytest.mark.parametrize("shape", [(160, 284), (33, 50), (16, 28), (20, 8)])
@pytest.mark.parametrize("grid", [(16, 28), (16, 16), (2, 7)])
def test_fields_are_means_of_what_they_cover(shape: tuple[int, int], grid: tuple[int, int]) -> None:
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    found = AreaMeans(shape, grid)(image)
    assert found.shape == grid
    fine = cv2.resize(
        image, (shape[1] * grid[1], shape[0] * grid[0]), interpolation=cv2.INTER_NEAREST
    )
    expected = fine.reshape(grid[0], shape[0], grid[1], shape[1]).mean(axis=(1, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_channels_are_averaged_one_by_one_in_any_memory_order() -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 50, 2), dtype=np.uint8)
    means = AreaMeans((40, 50), (3, 7))
    turned = np.ascontiguousarray(image.transpose(1, 0, 2)).transpose(1, 0, 2)
    for shown in (image, turned):
        found = means(shown)
        assert found.shape == (3, 7, 2)
        for channel in range(2):
            np.testing.assert_allclose(found[..., channel], means(image[..., channel]), rtol=1e-6)


@pytest.mark.parametrize(("shape", "coarse"), [((160, 284), (40, 71)), ((33, 50), (8, 12))])
def test_a_coarse_image_has_the_means_of_the_one_enlarged(
    shape: tuple[int, int], coarse: tuple[int, int]
) -> None:
    image = np.random.default_rng(2).normal(0, 5, (*coarse, 2)).astype(np.float32)
    expected = AreaMeans(shape, (6, 9))(cv2.resize(image, shape[::-1]))
    np.testing.assert_allclose(AreaMeans(shape, (6, 9), coarse=coarse)(image), expected, atol=1e-5)
