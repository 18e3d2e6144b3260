"""From feature tables to coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from offhand.clustering.space import MAX_DIMENSIONS, feature_space
from tests import naive


def table(seed: int, n: int = 40, d: int = 9, missing: float = 0.15) -> tuple:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-4, 4, d) + rng.normal(size=d)
    values[rng.uniform(size=(n, d)) < missing] = np.nan
    weights = rng.choice([0.0, 0.5, 1.0, 2.0], d)
    weights[0] = 1.0
    return values, weights


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("missing", [0.0, 0.15, 0.6])
def test_distances_are_those_of_evened_components_of_standardised_columns(
    seed: int, missing: float
) -> None:
    values, weights = table(seed, missing=missing)
    before = values.copy()
    space, described = feature_space(values, weights)
    plain = naive.standardised(values, weights)
    left, size, _ = np.linalg.svd(plain - plain.mean(axis=0), full_matrices=False)
    deviation = size / np.sqrt(len(plain))
    kept = deviation > 1e-9 * deviation[0]
    slow = (left * size)[:, kept] / np.sqrt(deviation[kept])
    assert described.sum() == len(slow) == len(space)
    np.testing.assert_allclose(pdist(space), pdist(slow), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(values, before)


def test_a_column_of_weight_zero_does_not_matter() -> None:
    values, weights = table(0)
    weights[3] = 0
    space, _ = feature_space(values, weights)
    values[:, 3] = 1e9
    np.testing.assert_array_equal(feature_space(values, weights)[0], space)


def test_units_and_offsets_do_not_matter() -> None:
    values, weights = table(1)
    space, _ = feature_space(values, weights)
    rng = np.random.default_rng(0)
    other = (values + rng.normal(size=9)) * 10.0 ** rng.uniform(-12, 3, 9)
    np.testing.assert_allclose(pdist(feature_space(other, weights)[0]), pdist(space), rtol=1e-4)


def test_a_row_of_missing_values_is_not_described() -> None:
    values, _ = table(2, missing=0)
    values[4] = np.nan
    values[5, :7] = np.nan  # 7 of 9 missing
    values[6, :6] = np.nan  # 6 of 9: still described
    space, described = feature_space(values, np.ones(9))
    assert np.flatnonzero(~described).tolist() == [4, 5]
    assert space.shape == (38, 9)
    assert np.isfinite(space).all()


def test_columns_that_no_row_has_do_not_count() -> None:
    values, _ = table(3, missing=0)
    values[:, :8] = np.nan
    space, described = feature_space(values, np.ones(9))
    assert described.all()
    assert space.shape == (40, 1)


@pytest.mark.parametrize("level", [0.0, 0.1, 123456789.123, -1e-12])
def test_a_constant_column_is_no_difference(level: float) -> None:
    values, _ = table(4, missing=0)
    plain, _ = feature_space(values[:, 1:], np.ones(8))
    values[:, 0] = level
    np.testing.assert_allclose(pdist(feature_space(values, np.ones(9))[0]), pdist(plain))


def test_at_most_twelve_dimensions() -> None:
    values, _ = table(5, n=50, d=30, missing=0)
    space, _ = feature_space(values, np.ones(30))
    assert space.shape == (50, MAX_DIMENSIONS)
    spread = space.std(axis=0)
    assert np.all(np.diff(spread) <= 1e-9)


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        (np.empty((0, 4)), 0),
        (np.full((5, 4), np.nan), 0),
        (np.ones((1, 4)), 1),
        (np.ones((7, 4)), 7),
        (np.empty((3, 0)), 0),
    ],
)
def test_little_to_go_by(values: np.ndarray, rows: int) -> None:
    space, described = feature_space(values, np.ones(values.shape[1]))
    assert described.shape == (len(values),)
    assert described.sum() == len(space) == rows
    assert not np.any(space)


def test_all_columns_of_weight_zero_describe_nothing() -> None:
    space, described = feature_space(np.ones((4, 2)), np.zeros(2))
    assert not described.any()
    assert len(space) == 0


def test_the_same_input_gives_the_same_bytes() -> None:
    values, weights = table(6)
    first, second = (feature_space(values, weights)[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()
