"""Agreement with ground truth."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.agreement import BoundaryCount, cross_clip_pairs, match_boundaries
from tests import naive


def footage(n: int = 3000, activities: int = 6, clips: int = 5, seed: int = 0) -> tuple:
    rng = np.random.default_rng(seed)
    return rng.integers(0, clips, n).astype(str), rng.integers(0, activities, n)


@pytest.mark.parametrize("seed", range(20))
def test_pairs_equal_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 40))
    clip = rng.choice(["a", "b", "c"], n).tolist()
    label = rng.integers(-2, 4, n).tolist()
    activity = rng.choice(["dig", "saw", "walk"], n).tolist()
    quick, slow = (
        cross_clip_pairs(clip, label, activity),
        naive.cross_clip_pairs(clip, label, activity),
    )
    for name in ("precision", "recall", "f1"):
        assert getattr(quick, name) == pytest.approx(getattr(slow, name))


def test_perfect_labels_score_one() -> None:
    clip, activity = footage()
    score = cross_clip_pairs(clip, 7 + (activity + 1) % 6, activity)
    assert (score.precision, score.recall, score.f1) == (1, 1, 1)


def test_noise_matches_nothing() -> None:
    clip, activity = footage()
    score = cross_clip_pairs(clip, np.full(len(clip), -1), activity)
    assert (score.precision, score.recall, score.f1) == (0, 0, 0)
    half = np.where(np.random.default_rng(1).uniform(size=len(clip)) < 0.5, activity, -1)
    score = cross_clip_pairs(clip, half, activity)
    assert score.precision == 1
    assert score.recall == pytest.approx(0.25, abs=0.02)
    two_kinds = np.where(half < 0, np.where(activity > 2, -1, -3), half)
    assert cross_clip_pairs(clip, two_kinds, activity) == score


def test_one_giant_cluster_has_the_precision_of_chance() -> None:
    clip, activity = footage()
    score = cross_clip_pairs(clip, np.zeros(len(clip), int), activity)
    assert score.recall == 1
    assert score.precision == pytest.approx(1 / 6, abs=0.01)


def test_random_labels_are_near_chance() -> None:
    clip, activity = footage()
    label = np.random.default_rng(2).integers(0, 6, len(clip))
    score = cross_clip_pairs(clip, label, activity)
    for value in (score.precision, score.recall, score.f1):
        assert value == pytest.approx(1 / 6, abs=0.01)


def test_one_cluster_a_clip_says_nothing() -> None:
    clip, activity = footage()
    assert cross_clip_pairs(clip, clip.astype(int), activity).f1 == 0


def test_pairs_within_a_clip_do_not_count() -> None:
    score = cross_clip_pairs(["a", "a", "b"], [0, 1, 0], ["dig", "dig", "dig"])
    assert (score.precision, score.recall) == (1, 0.5)


@pytest.mark.parametrize("seed", range(60))
def test_as_many_boundaries_as_possible_are_matched_one_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found_s = np.round(rng.uniform(0, 8, rng.integers(0, 7)), 1)
    true_s = np.round(rng.uniform(0, 8, rng.integers(0, 7)), 1)
    count = match_boundaries(found_s, true_s, tolerance_s=1.05)
    assert count.matched == naive.most_matches(found_s.tolist(), true_s.tolist(), 1.05)
    assert (count.found, count.true) == (len(found_s), len(true_s))


def test_a_boundary_is_matched_once() -> None:
    count = match_boundaries(np.array([4.6, 5.0, 5.4]), np.array([5.0]), tolerance_s=1.0)
    assert (count.found, count.true, count.matched) == (3, 1, 1)
    assert count.f1 == pytest.approx(0.5)


def test_the_tolerance_is_included() -> None:
    assert match_boundaries(np.array([5.0]), np.array([6.0]), tolerance_s=1.0).matched == 1
    assert match_boundaries(np.array([5.0]), np.array([6.01]), tolerance_s=1.0).matched == 0


def test_counts_add_up_over_clips() -> None:
    first = BoundaryCount(found=3, true=2, matched=2)
    total = first + BoundaryCount(found=0, true=3, matched=0)
    assert total == BoundaryCount(found=3, true=5, matched=2)
    assert total.f1 == pytest.approx(0.5)
    assert BoundaryCount(found=0, true=0, matched=0).f1 == 0
