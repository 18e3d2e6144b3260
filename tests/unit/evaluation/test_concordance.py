"""Concordance against a loop over pairs, known answers, and the factor of agreements."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.concordance import (
    Pairs,
    Target,
    Trial,
    agreements,
    combined,
    concordance,
    jackknife_error,
    make_target,
    part_of,
    reliabilities,
)
from offhand.evaluation.controls import clip_identity, one_cluster
from offhand.evaluation.shifts import shift_test
from offhand.records import FloatArray, IntArray
from tests import naive

CLIPS = np.repeat(np.arange(5), [3, 8, 12, 2, 7])


def everywhere(clip: IntArray = CLIPS, group: IntArray | None = None) -> Pairs:
    return Pairs(clip=clip, group=clip if group is None else group)


def drawn(seed: int, clip: IntArray = CLIPS, d: int = 4) -> tuple[IntArray, FloatArray]:
    """Return activities, and how a modality sees them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, len(clip))
    return kind, rng.normal(size=(4, d))[kind] * 2 + rng.normal(size=(len(clip), d))


def whole(space: FloatArray, pairs: Pairs) -> Target:
    return make_target(space, np.ones(len(space), dtype=bool), pairs)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("groups", ["clips", "sites", "one"])
def test_it_is_the_correlation_over_pairs(seed: int, groups: str) -> None:
    clip = CLIPS if groups != "one" else np.zeros(20, dtype=np.int64)
    group = np.array([0, 0, 1, 2, 2])[clip] if groups == "sites" else clip
    kind, space = drawn(seed, clip)
    label = np.where(np.random.default_rng(seed).random(len(clip)) < 0.2, -1, kind)
    described = np.random.default_rng(seed + 9).random(len(clip)) < 0.8
    pairs = Pairs(clip=clip, group=group)
    found = concordance(label, make_target(space[described], described, pairs), pairs)
    expected = naive.concordance(label, space[described], described, clip, group)
    assert found == pytest.approx(expected, abs=1e-9)


def test_what_another_modality_sees_alike_is_concordant() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 4, len(CLIPS))
    space = np.eye(4)[kind] + 0.01 * rng.normal(size=(len(CLIPS), 4))
    pairs = everywhere()
    assert concordance(kind, whole(space, pairs), pairs) > 0.95


@pytest.mark.parametrize(
    "label",
    [one_cluster(len(CLIPS)), clip_identity(CLIPS.astype(str)), np.full(len(CLIPS), -1)],
    ids=["one cluster", "clip identity", "noise"],
)
def test_labels_that_never_vary_in_a_clip_have_none(label: IntArray) -> None:
    pairs = everywhere()
    assert concordance(label, whole(drawn(1)[1], pairs), pairs) == 0.0


def test_nothing_to_compare_is_unknown() -> None:
    pairs = everywhere()
    nothing = make_target(np.empty((0, 0)), np.zeros(len(CLIPS), dtype=bool), pairs)
    assert np.isnan(concordance(drawn(1)[0], nothing, pairs))
    trial = Trial(label=drawn(1)[0], target=nothing, reliability=0.5)
    assert np.isnan(combined([trial], pairs))
    assert np.isnan(combined([], pairs))


def test_a_look_of_its_own_in_each_clip_changes_nothing() -> None:
    kind, space = drawn(2)
    pairs = everywhere()
    white = space / space.std(axis=0)
    unit = white / np.linalg.norm(white, axis=1, keepdims=True)
    shifted = Target(
        vectors=pairs.centred(unit + np.random.default_rng(0).normal(size=(5, 4))[CLIPS] * 50),
        described=np.ones(len(CLIPS), dtype=bool),
        norm=whole(space, pairs).norm,
    )
    assert concordance(kind, shifted, pairs) == pytest.approx(
        concordance(kind, whole(space, pairs), pairs), abs=1e-9
    )


def test_names_of_labels_and_clips_do_not_matter() -> None:
    kind, space = drawn(3)
    renamed = np.array([7, 2, 30, 4])[kind]
    other = everywhere(np.array([4, 9, 1, 0, 3])[CLIPS])
    plain = concordance(kind, whole(space, everywhere()), everywhere())
    assert concordance(renamed, whole(space, other), other) == pytest.approx(plain)


def test_random_labels_are_about_0_and_noise_costs() -> None:
    kind, space = drawn(4)
    pairs = everywhere()
    target, rng = whole(space, pairs), np.random.default_rng(1)
    drawn_scores = [concordance(rng.permutation(kind), target, pairs) for _ in range(200)]
    assert abs(np.mean(drawn_scores)) < 0.03
    noisy = np.where(rng.random(len(kind)) < 0.5, -1, kind)
    assert concordance(noisy, target, pairs) < concordance(kind, target, pairs) - 0.05


def test_a_part_is_scored_as_if_it_were_all() -> None:
    kind, space = drawn(5)
    pairs = everywhere()
    trial = Trial(label=kind, target=whole(space, pairs), reliability=0.6)
    rows = np.flatnonzero(CLIPS > 0)
    centred = trial.target.vectors[rows]  # clips are whole: their means stay
    alone = Target(vectors=centred, described=np.ones(len(rows), dtype=bool), norm=1.0)
    alone = alone.at(np.arange(len(rows)), pairs.at(rows))
    again = Trial(label=kind[rows], target=alone, reliability=0.6)
    assert part_of([trial], pairs, rows) == pytest.approx(combined([again], pairs.at(rows)))
    assert np.isnan(part_of([trial], pairs, np.flatnonzero(CLIPS == 2)))


def test_the_error_shrinks_with_more_clips() -> None:
    errors = []
    for n in (6, 200):
        clip = np.repeat(np.arange(n), 8)
        kind, space = drawn(6, clip)
        pairs = everywhere(clip)
        trial = Trial(label=kind, target=whole(space, pairs), reliability=0.6)
        errors.append(jackknife_error([trial], pairs))
    assert 0 < errors[1] < errors[0] / 2
    two = everywhere(np.repeat([0, 1], 8))
    kind, space = drawn(7, two.clip)
    trial = Trial(label=kind, target=whole(space, two), reliability=0.6)
    assert np.isnan(jackknife_error([trial], two))


def test_agreements_are_those_of_similarities() -> None:
    one, other = drawn(8)[1], drawn(9)[1]
    pairs = everywhere()
    targets = {
        "one": whole(one, pairs),
        "same": whole(3 * one, pairs),
        "other": whole(other, pairs),
    }
    nothing = make_target(np.empty((0, 0)), np.zeros(len(CLIPS), dtype=bool), pairs)
    found = agreements(targets | {"none": nothing}, pairs)
    assert found[0, 1] == pytest.approx(1.0)
    assert abs(found[0, 2]) < 0.3
    assert np.isnan(found[3, :3]).all()
    np.testing.assert_array_equal(found, found.T)


def test_the_factor_of_agreements_is_found() -> None:
    loading = np.array([0.9, 0.7, 0.5, 0.2])
    agreement = np.outer(loading, loading)
    np.fill_diagonal(agreement, 1.0)
    np.testing.assert_allclose(reliabilities(agreement), loading, atol=1e-4)
    agreement[0, 1] = agreement[1, 0] = np.nan  # of one source: the others tell
    np.testing.assert_allclose(reliabilities(agreement), loading, atol=1e-3)


def test_reliability_without_agreement() -> None:
    two = np.array([[1.0, 0.49], [0.49, 1.0]])
    np.testing.assert_allclose(reliabilities(two), [0.7, 0.7], atol=1e-6)
    np.testing.assert_array_equal(reliabilities(np.array([[1.0, -0.2], [-0.2, 1.0]])), [0, 0])
    np.testing.assert_array_equal(reliabilities(np.array([[1.0, np.nan], [np.nan, 1]])), [0, 0])
    np.testing.assert_array_equal(reliabilities(np.eye(1)), [0])
    assert len(reliabilities(np.empty((0, 0)))) == 0


def test_what_is_described_in_one_of_several_clips_cannot_be_compared() -> None:
    rng = np.random.default_rng(1)
    clip = np.repeat([0, 1, 2], 12)
    pairs, seen = everywhere(clip), clip == 0
    kind = rng.integers(0, 3, 36)
    views = [np.eye(3)[kind[seen]] + 0.01 * rng.normal(size=(12, 3)) for _ in range(2)]
    one, other = (make_target(view, seen, pairs) for view in views)
    assert np.isnan(concordance(kind, one, pairs))
    assert np.isnan(agreements({"one": one, "other": other}, pairs)[0, 1])
    trial = Trial(label=kind, target=one, reliability=1.0)
    assert np.isnan(shift_test([[trial]], 0, pairs, n_draws=9, seed=0).p)
    alone = everywhere(clip[seen])  # as a footage of its own it can
    assert concordance(kind[seen], whole(views[0], alone), alone) > 0.9


@pytest.mark.parametrize("n_groups", [1, 2, 4])
@pytest.mark.parametrize("per_clip", [1, 9])
def test_counts_give_what_indicators_give(
    n_groups: int, per_clip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(n_groups)
    clip = np.repeat(np.arange(8), per_clip + rng.integers(0, 3, 8))
    described = rng.random(len(clip)) < 0.9
    for grouped in (clip, clip % n_groups):
        pairs = Pairs(clip=clip, group=grouped)
        target = make_target(rng.normal(size=(int(described.sum()), 3)), described, pairs)
        for label in (rng.integers(-1, 4, len(clip)), clip, np.full(len(clip), -1), 0 * clip):
            expected = concordance(label, target, pairs)
            with monkeypatch.context() as patched:
                patched.setattr("offhand.evaluation.concordance.MAX_INDICATED", 0)
                assert concordance(label, target, pairs) == pytest.approx(
                    expected, abs=1e-12, nan_ok=True
                )
