"""Density-based validity: against figures of another implementation, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.evaluation.density import density_validity


def three(d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, 90)
    centre = 3 * (np.eye(3, d) if d > 2 else np.array([[0, 0], [1, 0], [0, 1]]))
    return rng.normal(size=(90, d)) + centre[label], np.where(rng.random(90) < 0.1, -1, label)


@pytest.mark.parametrize(
    ("d", "seed", "expected"),
    [  # hdbscan.validity.validity_index of hdbscan 0.8
        (2, 0, -0.166329237162),
        (3, 1, 0.303410389719),
        (12, 3, -0.026773429171),
    ],
)
def test_it_is_what_others_compute(d: int, seed: int, expected: float) -> None:
    assert density_validity(*three(d, seed)) == pytest.approx(expected, abs=1e-9)


def test_dense_clusters_far_apart_are_near_1() -> None:
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1, 2], 40)
    space = 100.0 * np.eye(3)[label] + rng.normal(size=(120, 3))
    assert density_validity(space, label) > 0.9
    half = np.where(np.arange(120) % 2, label, -1)
    assert density_validity(space, half) < 0.6  # noise counts
    assert density_validity(space, rng.permutation(label)) < 0


def test_below_two_clusters_it_is_unknown() -> None:
    space = np.random.default_rng(0).normal(size=(10, 2))
    for label in (np.zeros(10, int), np.full(10, -1), np.arange(10)):
        assert math.isnan(density_validity(space, label))
    assert math.isnan(density_validity(np.empty((0, 0)), np.empty(0, int)))


def test_equal_points_do_no_harm() -> None:
    space = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    assert density_validity(space, np.repeat([0, 1], 5)) > 0.9
