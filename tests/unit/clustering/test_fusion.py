"""Joining the spaces of modalities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from offhand.clustering.fusion import LateFusion, join_spaces
from offhand.clustering.space import MAX_DIMENSIONS
from offhand.records import FloatArray


def everywhere(n: int) -> npt.NDArray[np.bool_]:
    return np.ones(n, dtype=bool)


def draw(n: int, d: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(n, d))


def distances(space: FloatArray) -> FloatArray:
    return ((space[:, None] - space[None]) ** 2).sum(axis=2)


def test_squared_distance_is_the_weighted_cosine_distance() -> None:
    one, other = draw(9, 3, 0), draw(9, 4, 1)
    space, joined = join_spaces([one, other], [everywhere(9)] * 2, [3.0, 1.0])
    assert joined.all()
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (one, other)]
    cosine = 0.75 * (1 - unit[0] @ unit[0].T) + 0.25 * (1 - unit[1] @ unit[1].T)
    np.testing.assert_allclose(distances(space), 2 * cosine, atol=1e-12)


def test_the_size_of_weights_does_not_matter() -> None:
    spaces, described = [draw(9, 3, 0), draw(9, 4, 1)], [everywhere(9)] * 2
    small, _ = join_spaces(spaces, described, [0.3, 0.1])
    large, _ = join_spaces(spaces, described, [30.0, 10.0])
    np.testing.assert_allclose(distances(small), distances(large), atol=1e-12)


def test_a_modality_of_weight_zero_counts_nothing() -> None:
    one = draw(9, 3, 0)
    alone, _ = join_spaces([one], [everywhere(9)], [1.0])
    beside, _ = join_spaces([one, draw(9, 4, 1)], [everywhere(9)] * 2, [1.0, 0.0])
    np.testing.assert_allclose(distances(alone), distances(beside), atol=1e-12)


def test_a_row_missing_in_one_modality_is_kept() -> None:
    one, known = draw(9, 3, 0), everywhere(9)
    known[[2, 5]] = False
    space, joined = join_spaces([one, draw(7, 4, 1)], [everywhere(9), known], [1.0, 1.0])
    assert joined.all()
    assert len(space) == 9
    unit = one / np.linalg.norm(one, axis=1, keepdims=True)
    # Both rows stand on the first modality alone, so between them its cosine is all that counts.
    expected = 2 * (1 - unit[2] @ unit[5])
    assert distances(space)[2, 5] == pytest.approx(expected)


def test_a_row_missing_in_every_modality_that_counts_is_left_out() -> None:
    known = everywhere(6)
    known[0] = False
    space, joined = join_spaces([draw(5, 3, 0), draw(6, 3, 1)], [known, everywhere(6)], [1.0, 0.0])
    assert joined.tolist() == known.tolist()
    assert len(space) == 5


def test_nothing_described_gives_no_space() -> None:
    space, joined = join_spaces([np.empty((0, 0))], [np.zeros(4, dtype=bool)], [1.0])
    assert not joined.any()
    assert len(space) == 0


def test_one_row_has_a_place() -> None:
    space, joined = join_spaces([np.zeros((1, 1))], [everywhere(1)], [1.0])
    assert joined.all()
    assert space.shape == (1, 1)


def test_dimensions_are_bounded() -> None:
    spaces = [draw(40, 12, seed) for seed in range(3)]
    space, _ = join_spaces(spaces, [everywhere(40)] * 3, [1.0] * 3)
    assert space.shape == (40, MAX_DIMENSIONS)


def test_fixed_weights_are_read() -> None:
    assert LateFusion().given == {}
    assert LateFusion(weights=("ego_motion=1", " tools = 0.5")).given == {
        "ego_motion": 1.0,
        "tools": 0.5,
    }


@pytest.mark.parametrize("entry", ["ego_motion", "ego_motion=x", "ego_motion=-1", "ego_motion=nan"])
def test_a_wrong_weight_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="modality=number"):
        LateFusion(weights=(entry,))


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        LateFusion(weights=("ego_motion=0",))
