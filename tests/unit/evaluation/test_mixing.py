"""Mixing inside clusters, enrichment across clips, and the gates of support."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.evaluation.mixing import (
    LEAST_SEGMENTS,
    acceptance,
    inverse_simpson,
    mixing,
    neighbour_weights,
    supporting,
)
from tests import naive


def cloud(clip: np.ndarray, *, apart: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return a cloud of segments in which each clip lies ``apart`` from the others."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(clip), 4)) + apart * np.eye(4)[clip % 4] * (1 + clip[:, None] // 4)


@pytest.mark.parametrize("sizes", [[40, 40], [60, 12, 20], [100, 5]])
def test_clips_of_any_size_mix_perfectly_where_they_are_alike(sizes: list[int]) -> None:
    clip = np.repeat(np.arange(len(sizes)), sizes)
    one = np.zeros(len(clip), dtype=np.int64)
    drawn = [mixing(cloud(clip, seed=seed), one, clip, seed=0) for seed in range(5)]
    assert np.mean([each.overall for each in drawn]) > (0.9 if min(sizes) > 5 else 0.75)
    assert np.mean([each.acceptance for each in drawn]) > 0.8
    found = drawn[0]
    assert found.overall_enrichment == pytest.approx(1.0)


def test_clips_side_by_side_do_not_mix() -> None:
    clip = np.repeat([0, 1, 2], 80)
    found = mixing(cloud(clip, apart=40), np.zeros(len(clip), dtype=np.int64), clip, seed=0)
    assert found.overall < 0.2
    assert found.acceptance < 0.05


def test_enrichment_is_the_share_of_like_neighbours_over_chance() -> None:
    rng = np.random.default_rng(0)
    clip, label = rng.integers(0, 3, 60), rng.integers(-1, 3, 60)
    space = rng.normal(size=(60, 3)) + label[:, None]
    found = mixing(space, label, clip, seed=0)
    overall, by_cluster = naive.enrichment(space, label, clip)
    assert found.overall_enrichment == pytest.approx(overall)
    np.testing.assert_allclose(found.enrichment, [by_cluster[one] for one in found.cluster])


def test_clusters_without_support_are_not_judged_and_count_nothing() -> None:
    clip = np.repeat([0, 1], 30)
    label = np.array([0] * 30 + [1] * (LEAST_SEGMENTS - 2) + [0] * (30 - LEAST_SEGMENTS + 2))
    label[0] = 1  # 3 segments of cluster 1 in two clips
    found = mixing(cloud(clip), label, clip, seed=0)
    assert found.is_judged.tolist() == [True, False]
    assert found.n_segments.tolist() == [57, 3]
    assert math.isnan(found.ilisi[1])
    assert found.overall == pytest.approx(found.ilisi[0] * 57 / 60)
    one_clip = mixing(cloud(clip), clip, clip, seed=0)
    assert not one_clip.is_judged.any()
    assert one_clip.overall == 0.0
    noise = mixing(cloud(clip), np.full(60, -1), clip, seed=0)
    assert (noise.overall, noise.acceptance) == (0.0, 0.0)
    assert math.isnan(mixing(np.empty((0, 2)), np.empty(0, int), np.empty(0, int), seed=0).overall)


def test_support_scales_with_the_clip() -> None:
    clip = np.repeat([0, 1, 2], [12, 200, 200])
    members = np.array([0, 1, 1, 1, 2, 2, 2, 2])  # 1 of 12, 3 of 200, 4 of 200
    assert supporting(members, clip).tolist() == [0, 2]


def test_weights_have_the_perplexity_asked_for() -> None:
    distance = np.sort(np.random.default_rng(0).random((5, 40)), axis=1)
    weight = neighbour_weights(distance, 12.0)
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
    entropy = -(weight * np.log(weight)).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy), 12.0, rtol=1e-3)
    assert np.all(np.diff(weight, axis=1) <= 0)


def test_the_effective_number_of_clips() -> None:
    clip = np.array([[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]])
    np.testing.assert_allclose(inverse_simpson(clip, np.full((3, 4), 0.25)), [1, 4, 2])


def test_neighbourhoods_are_accepted_where_they_hold_clips_as_the_cluster_does() -> None:
    clip = np.repeat([0, 1], 50)
    even, lopsided = np.tile([0, 1], (10, 10)), np.zeros((10, 20), int)
    assert acceptance(even, clip) == 1.0
    assert acceptance(lopsided, clip) == 0.0


def test_the_nearest_of_another_clip_is_found_by_a_tree_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    clip = np.repeat(np.arange(4), 100)
    space = rng.normal(size=(400, 3)) + 3.0 * clip[:, None]  # many neighbours are of one clip
    label = rng.integers(-1, 3, 400)
    expected = mixing(space, label, clip, seed=0)
    monkeypatch.setattr("offhand.evaluation.mixing.MAX_COMPARED", 10)
    monkeypatch.setattr("offhand.evaluation.mixing.FIRST_NEIGHBOURS", 2)
    found = mixing(space, label, clip, seed=0)
    np.testing.assert_array_equal(found.enrichment, expected.enrichment)
    assert found.overall_enrichment == expected.overall_enrichment
