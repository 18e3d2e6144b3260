"""The seed's label-free figures, and why controls stand beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.evaluation.consistency import consistency
from offhand.evaluation.controls import clip_identity, one_cluster, random_labels
from tests import naive


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    label, clip_id = rng.integers(-2, 5, n), rng.choice(["a", "b", "c", "d"], n)
    entropy = consistency(label, clip_id).seed_entropy
    slow = naive.seed_entropy(label.tolist(), clip_id.tolist())
    assert entropy == pytest.approx(slow, nan_ok=True)


def test_counts() -> None:
    clip_id = np.array(["a", "a", "b", "b", "b"])
    found = consistency(np.array([0, 3, 0, -1, -2]), clip_id)
    assert (found.n_clusters, found.n_segments, found.noise_share) == (2, 5, 0.4)
    assert found.seed_multi_clip_share == 0.5
    assert found.seed_entropy == pytest.approx(2 / 3)


def test_nothing_to_measure_is_nan() -> None:
    for label in (np.empty(0, np.int64), np.full(3, -1)):
        found = consistency(label, np.full(len(label), "a"))
        assert found.n_clusters == 0
        assert math.isnan(found.seed_entropy)
        assert math.isnan(found.seed_multi_clip_share)
    assert math.isnan(consistency(np.empty(0, np.int64), np.empty(0, np.str_)).noise_share)


def test_the_known_faults_of_the_seeds_score() -> None:
    clip_id = np.repeat(["a", "b", "c", "d", "e"], 120)
    assert consistency(one_cluster(600), clip_id).seed_entropy == pytest.approx(1)
    drawn = consistency(random_labels(600, 7, seed=0), clip_id)
    assert drawn.seed_entropy > 0.95
    assert drawn.seed_multi_clip_share == 1
    assert consistency(clip_identity(clip_id), clip_id).seed_entropy == 0


def test_controls() -> None:
    label = random_labels(7000, 7, seed=3)
    np.testing.assert_array_equal(label, random_labels(7000, 7, seed=3))
    assert np.any(label != random_labels(7000, 7, seed=4))
    np.testing.assert_allclose(np.bincount(label) / 7000, 1 / 7, atol=0.02)
    assert random_labels(5, 0, seed=0).tolist() == [0] * 5
    assert clip_identity(np.array(["b", "a", "b"])).tolist() == [1, 0, 1]
    for label in (random_labels(3, 2, seed=0), one_cluster(3), clip_identity(np.array(["a"]))):
        assert label.dtype == np.int64
