"""The null of shifted labels: its sums, its p, and what a choice does to it."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.concordance import Pairs, Target, Trial, combined, make_target
from offhand.evaluation.controls import clip_identity, one_cluster, time_blocks
from offhand.evaluation.shifts import _draw_shifts, _sums, shift_test
from offhand.records import FloatArray, IntArray

CLIPS = np.repeat(np.arange(6), [7, 6, 9, 5, 12, 8])


def target(space: FloatArray, pairs: Pairs, described: FloatArray | None = None) -> Target:
    known = np.ones(len(pairs.clip), dtype=bool) if described is None else described > 0
    return make_target(space[known], known, pairs)


def activities(seed: int) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, len(CLIPS))
    return kind, rng.normal(size=(4, 5))[kind] + 0.7 * rng.normal(size=(len(CLIPS), 5))


def trial(label: IntArray, pairs: Pairs, seed: int = 0) -> Trial:
    return Trial(label=label, target=target(activities(seed)[1], pairs), reliability=0.6)


def test_sums_are_those_of_rolled_labels() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 8):
        hot, vectors, shifts = rng.random((n, 3)), rng.random((n, 4)), np.arange(n)
        rolled = np.stack([np.roll(hot, shift, axis=0).T @ vectors for shift in shifts])
        np.testing.assert_allclose(_sums(hot, vectors, shifts), rolled, atol=1e-12)


@pytest.mark.parametrize("kind", ["clips", "sites", "one"])
def test_z_and_p_are_those_of_labels_shifted_one_by_one(kind: str) -> None:
    clip = CLIPS if kind != "one" else np.zeros_like(CLIPS)
    pairs = Pairs(clip=clip, group=clip // 2 if kind == "sites" else clip)
    label, space = activities(1)
    label = np.where(np.random.default_rng(2).random(len(label)) < 0.2, -1, label)
    known = (np.random.default_rng(3).random(len(label)) < 1).astype(float)
    one = Trial(label=label, target=target(space, pairs, known), reliability=0.6)
    found = shift_test([[one]], 0, pairs, n_draws=60, seed=5)
    shifts = _draw_shifts(clip, 60, np.random.default_rng(5))
    values = []
    for draw in range(61):
        moved = label.copy()
        for number, shift in zip(np.unique(clip), shifts, strict=True):
            moved[clip == number] = np.roll(label[clip == number], shift[draw])
        values.append(combined([Trial(label=moved, target=one.target, reliability=0.6)], pairs))
    null = np.array(values[1:])
    assert found.z == pytest.approx((values[0] - null.mean()) / null.std(), rel=1e-6)
    assert found.p == pytest.approx((1 + (null >= values[0] - 1e-9).sum()) / 61)


def test_random_labels_are_significant_as_often_as_they_should() -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    rng = np.random.default_rng(0)
    seen = trial(one_cluster(len(CLIPS)), pairs).target
    p = []
    for draw in range(500):
        one = Trial(label=rng.integers(0, 7, len(CLIPS)), target=seen, reliability=0.6)
        p.append(shift_test([[one]], 0, pairs, n_draws=199, seed=draw).p)
    assert np.mean(np.array(p) < 0.05) <= 0.07
    assert 0.4 < np.mean(np.array(p) < 0.5) < 0.6


def test_activities_are_significant_and_so_is_each_of_them() -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    found = shift_test([[trial(activities(0)[0], pairs)]], 0, pairs, n_draws=199, seed=0)
    assert found.p == 1 / 200
    assert found.z > 5
    np.testing.assert_array_equal(found.cluster, np.arange(4))
    assert np.all(found.cluster_p < 0.05)


@pytest.mark.parametrize(
    "label",
    [one_cluster(len(CLIPS)), clip_identity(CLIPS.astype(str)), np.full(len(CLIPS), -1)],
    ids=["one cluster", "clip identity", "noise"],
)
def test_labels_that_shifts_do_not_change_are_not_significant(label: IntArray) -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    found = shift_test([[trial(label, pairs)]], 0, pairs, n_draws=99, seed=0)
    assert (found.z, found.p) == (0.0, 1.0)


def test_time_blocks_are_not_significant() -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    label = time_blocks(CLIPS.astype(str), 4)
    p = [
        shift_test([[trial(label, pairs, seed)]], 0, pairs, n_draws=99, seed=0).p
        for seed in range(40)
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.1


def test_choosing_the_best_of_many_is_allowed_for() -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    rng = np.random.default_rng(1)
    seen = trial(one_cluster(len(CLIPS)), pairs).target
    honest, naive = [], []
    for draw in range(120):
        tried = [
            [Trial(label=rng.integers(0, 5, len(CLIPS)), target=seen, reliability=0.6)]
            for _ in range(15)
        ]
        best = int(np.argmax([combined(trials, pairs) for trials in tried]))
        honest.append(shift_test(tried, best, pairs, n_draws=99, seed=draw).p)
        naive.append(shift_test([tried[best]], 0, pairs, n_draws=99, seed=draw).p)
    assert np.mean(np.array(honest) < 0.05) <= 0.08
    assert np.mean(np.array(naive) < 0.05) > 0.3


def test_nothing_to_compare_is_unknown_and_a_seed_gives_the_same() -> None:
    pairs = Pairs(clip=CLIPS, group=CLIPS)
    label = activities(0)[0]
    nothing = make_target(np.empty((0, 0)), np.zeros(len(CLIPS), dtype=bool), pairs)
    found = shift_test(
        [[Trial(label=label, target=nothing, reliability=0.0)]], 0, pairs, n_draws=9, seed=0
    )
    assert np.isnan([found.z, found.p, *found.cluster_p]).all()
    one = shift_test([[trial(label, pairs)]], 0, pairs, n_draws=99, seed=3)
    other = shift_test([[trial(label, pairs)]], 0, pairs, n_draws=99, seed=3)
    assert (one.z, one.p) == (other.z, other.p)
    np.testing.assert_array_equal(one.cluster_z, other.cluster_z)
