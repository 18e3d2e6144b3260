"""Stability, its parts of the data, and surrogates."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.resampling import MAX_FOLDS, drawn_blocks, folds
from offhand.evaluation.stability import stability
from offhand.evaluation.surrogates import phase_scrambled

CLIPS = np.repeat(np.arange(5), 12)


def test_what_is_found_again_is_stable() -> None:
    label = np.random.default_rng(0).integers(0, 4, 60)
    found = stability(lambda rows: label[rows], label, CLIPS, seed=0)
    assert (found.over_clips, found.over_blocks, found.overall) == (1.0, 1.0, 1.0)
    np.testing.assert_array_equal(found.cluster_jaccard, np.ones(4))
    assert found.jaccard_of(2) == 1.0
    assert np.isnan(found.jaccard_of(9))


def test_what_is_drawn_anew_is_not() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, 60)
    found = stability(lambda rows: rng.integers(0, 4, len(rows)), label, CLIPS, seed=0)
    assert abs(found.over_clips) < 0.1
    assert found.overall < 0.1
    assert np.all(found.cluster_jaccard < 0.4)


def test_a_cluster_that_falls_apart_is_named() -> None:
    label = np.repeat([0, 1], 30)

    def again(rows: np.ndarray) -> np.ndarray:
        return np.where(label[rows] == 0, 0, 1 + rows % 3)

    found = stability(again, label, np.tile(np.arange(5), 12), seed=0)
    assert found.jaccard_of(0) == 1.0
    assert found.jaccard_of(1) < 0.5


def test_noise_alone_is_not_called_stable() -> None:
    noise = np.full(60, -1)
    found = stability(lambda rows: noise[rows], noise, CLIPS, seed=0)
    assert np.isnan([found.over_clips, found.over_blocks, found.overall]).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_clips_have_blocks_alone(n: int) -> None:
    clip = np.repeat(np.arange(n), 12)
    label = np.zeros(len(clip), dtype=np.int64)
    found = stability(lambda rows: label[rows], label, clip, seed=0)
    assert np.isnan(found.over_clips)
    assert np.isnan(found.overall) == (n == 0)


def test_folds_leave_each_clip_out_once() -> None:
    for n in (3, 10, 25):
        clip = np.repeat(np.arange(n), 4)
        kept = folds(clip)
        assert len(kept) == min(n, MAX_FOLDS)
        np.testing.assert_array_equal(np.sum([~rows for rows in kept], axis=0), 1)
        for rows in kept:  # clips are whole
            assert len(np.unique(clip[rows])) + len(np.unique(clip[~rows])) == n


def test_blocks_keep_clips_and_neighbours() -> None:
    clip = np.repeat([0, 1], [16, 9])
    rows = drawn_blocks(clip, np.random.default_rng(0))
    np.testing.assert_array_equal(clip[rows], clip)
    first = rows[:16].reshape(4, 4)
    np.testing.assert_array_equal((first - first[:, :1]) % 16, np.tile(np.arange(4), (4, 1)))


def test_surrogates_keep_means_covariance_and_autocorrelation() -> None:
    rng = np.random.default_rng(0)
    clip = np.repeat([0, 1, 2], [16, 9, 2])
    space = rng.normal(size=(27, 3)).cumsum(axis=0)
    found = phase_scrambled(space, clip, seed=1)
    assert np.abs(found - space)[clip < 2].max() > 0.5
    for one in range(3):
        before, after = space[clip == one], found[clip == one]
        np.testing.assert_allclose(after.mean(axis=0), before.mean(axis=0))
        np.testing.assert_allclose(np.cov(after.T), np.cov(before.T), atol=1e-9)
        power = np.abs(np.fft.rfft(np.stack([before, after]), axis=1))
        np.testing.assert_allclose(power[0], power[1], atol=1e-9)
    np.testing.assert_array_equal(found, phase_scrambled(space, clip, seed=1))


def test_surrogates_lose_clusters() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 400)
    space = 10.0 * kind[:, None] + rng.normal(size=(400, 1))
    found = phase_scrambled(space, np.zeros(400, dtype=int), seed=0)
    middle = np.abs(space - 5) < 2
    assert middle.mean() < 0.01
    assert (np.abs(found - 5) < 2).mean() > 0.2
