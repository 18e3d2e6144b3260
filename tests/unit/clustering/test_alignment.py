"""Remedies for fingerprints."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering.alignment import ALIGNMENTS, align

CLIPS = np.repeat([0, 1, 2], [40, 30, 50])


def looks(seed: int = 0) -> np.ndarray:
    """Return clips with means and spreads of their own."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(3, 4, 4))[CLIPS]
    return (
        np.einsum("nij,nj->ni", mix, rng.normal(size=(120, 4))) + 9 * rng.normal(size=(3, 4))[CLIPS]
    )


def test_none_changes_nothing() -> None:
    space = looks()
    assert align(space, CLIPS, "none") is space


@pytest.mark.parametrize("how", ["centre", "covariance"])
def test_means_are_taken_out(how: str) -> None:
    space = looks()
    found = align(space, CLIPS, how)
    for clip in range(3):
        np.testing.assert_allclose(found[clip == CLIPS].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_array_equal(space, looks())


def test_centring_keeps_what_differs_inside_a_clip() -> None:
    space = looks()
    found = align(space, CLIPS, "centre")
    inside = CLIPS == 1
    np.testing.assert_allclose(
        found[inside] - found[inside][0], space[inside] - space[inside][0], atol=1e-9
    )


def test_covariances_become_alike() -> None:
    def apart(space: np.ndarray) -> float:
        spreads = [np.cov(space[clip == CLIPS].T) for clip in range(3)]
        return float(max(np.abs(one - spreads[0]).max() for one in spreads))

    space = looks()
    assert apart(align(space, CLIPS, "covariance")) < 0.3 * apart(align(space, CLIPS, "centre"))


@pytest.mark.parametrize("how", ALIGNMENTS)
@pytest.mark.parametrize("sizes", [[], [1], [1, 1, 1], [2, 5], [30]])
def test_any_size_will_do(how: str, sizes: list[int]) -> None:
    clip = np.repeat(np.arange(len(sizes)), sizes)
    space = np.random.default_rng(0).normal(size=(len(clip), 3))
    found = align(space, clip, how)
    assert found.shape == space.shape
    assert np.isfinite(found).all()
