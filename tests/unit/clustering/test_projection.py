"""Places on a map."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering.projection import MOST_EMBEDDED, project


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 40])
def test_every_point_has_a_place_in_the_unit_square(n: int) -> None:
    points = np.random.default_rng(0).normal(size=(n, 5))
    places, _ = project(points, seed=0)
    assert places.shape == (n, 2)
    assert np.all((places >= -1e-9) & (places <= 1 + 1e-9))


def test_groups_that_lie_apart_stay_apart() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(size=(30, 6)), rng.normal(size=(30, 6)) + 20])
    places, method = project(points, seed=0)
    assert method == "t-SNE"
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert np.all((distance.argmin(axis=1) < 30) == (np.arange(60) < 30))


def test_the_same_seed_gives_the_same_places() -> None:
    points = np.random.default_rng(2).normal(size=(40, 3))
    assert np.array_equal(project(points, seed=3)[0], project(points, seed=3)[0])


def test_points_that_are_all_one_lie_in_the_middle() -> None:
    places, method = project(np.ones((20, 4)), seed=0)
    assert method == "PCA"
    assert np.allclose(places, 0.5)


def test_many_points_are_placed_by_their_principal_components() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(size=(MOST_EMBEDDED + 1, 3)) * [9.0, 3.0, 0.1]
    places, method = project(points, seed=0)
    assert method == "PCA"
    assert abs(np.corrcoef(places[:, 0], points[:, 0])[0, 1]) > 0.999
    assert abs(np.corrcoef(places[:, 1], points[:, 1])[0, 1]) > 0.999
