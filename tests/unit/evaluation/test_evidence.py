"""The joined score: what shares activities scores high, what tells clips apart does not."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.evaluation.controls import clip_identity, one_cluster, random_labels, time_blocks
from offhand.evaluation.evidence import Evidence, score_labels
from offhand.evaluation.resampling import whole_clips
from offhand.records import FloatArray, IntArray
from offhand.selection.candidates import candidates, choose, evidence_for
from offhand.selection.sight import Sight, see
from offhand.stages.judge import score_of

CLIPS = np.repeat([f"clip_{i}" for i in range(6)], [7, 12, 9, 20, 12, 10])
N = len(CLIPS)


def kinds(seed: int = 0) -> IntArray:
    return np.random.default_rng(seed).integers(0, 4, N)


def view(seed: int, *, noise: float = 0.4) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, 6))[kinds()] + noise * rng.normal(size=(N, 6))


def look(seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    _, clip = np.unique(CLIPS, return_inverse=True)
    return 3 * rng.normal(size=(6, 6))[clip] + 0.3 * rng.normal(size=(N, 6))


def sight(**values: FloatArray) -> Sight:
    every = np.ones(N, dtype=bool)
    spaces = {name: (space, every) for name, space in values.items()}
    return see(spaces, {name: {name} for name in values}, CLIPS)


def judged(seen: Sight, modality: str, clusterer: Ward | Hdbscan | None = None) -> Evidence:
    method = clusterer or Ward()
    found = candidates(seen, {modality: 1.0}, method, seed=0)
    chosen = choose(found, seen.pairs)
    return evidence_for(found, chosen, seen.pairs, method, seed=0)


@pytest.mark.parametrize("clusterer", [Ward(), Hdbscan()], ids=lambda one: one.name)
def test_activities_that_clips_share_score_high(clusterer: Ward | Hdbscan) -> None:
    found = judged(sight(a=view(1), b=view(2)), "a", clusterer)
    assert found.score.score > 0.3
    assert 0 < found.score.low < found.score.score < found.score.high
    assert found.score.shifts.p < 0.01
    assert found.surrogate_p < 0.05
    assert found.mixing.overall > 0.4
    assert found.stability.overall > 0.4


def test_a_fingerprint_scores_nothing_though_it_has_structure() -> None:
    found = judged(sight(a=look(1), b=view(2), c=view(3)), "a")
    assert found.structure > 0
    assert found.score.score < 0.1
    assert found.score.shifts.p > 0.05


def test_noise_scores_about_nothing() -> None:
    rng = np.random.default_rng(5)
    found = judged(sight(a=rng.normal(size=(N, 6)), b=view(2), c=view(3)), "a")
    assert abs(found.score.score) < 0.15
    assert found.score.shifts.p > 0.05
    assert found.stability.overall < 0.6


def test_the_truth_beats_what_is_found_and_controls_lose() -> None:
    seen = sight(a=view(1, noise=1.0), b=view(2, noise=1.0), c=view(3, noise=1.0))
    truth = score_of(kinds(), seen, seed=0)
    for modality in "abc":
        assert judged(seen, modality).score.score < truth.score
    labels = {
        "random": random_labels(N, 4, seed=1),
        "one": one_cluster(N),
        "clip": clip_identity(CLIPS),
        "time": time_blocks(CLIPS, 4),
    }
    for name, label in labels.items():
        found = score_of(label, seen, seed=0)
        assert found.score < 0.1, name
        assert found.shifts.p > 0.01, name
        assert found.low <= 0, name


def test_alone_a_modality_has_no_score() -> None:
    found = judged(sight(a=view(1)), "a")
    assert np.isnan([found.score.score, found.score.low, found.score.shifts.p]).all()
    assert found.surrogate_p < 0.05  # its clusters stand out among surrogates all the same


def test_what_describes_nothing_has_no_score() -> None:
    spaces = {"a": (np.empty((0, 0)), np.zeros(N, dtype=bool)), "b": (view(2), np.ones(N, bool))}
    found = judged(see(spaces, {"a": {"a"}, "b": {"b"}}, CLIPS), "a")
    assert np.isnan(found.score.score)
    assert np.isnan(found.surrogate_z)


def test_parts_discount_and_unknown_parts_do_not() -> None:
    seen = sight(a=view(1), b=view(2))
    trials = candidates(seen, {"a": 1.0}, Ward(n_clusters=4), seed=0).trials
    whole = score_labels(trials, 0, seen.pairs, parts=[], seed=0)
    half = score_labels(trials, 0, seen.pairs, parts=[0.25, 0.75, np.nan], seed=0)
    assert half.score == pytest.approx(whole.score / 2)
    assert half.high - half.low == pytest.approx((whole.high - whole.low) / 2)
    assert half.shifts.p == whole.shifts.p


def test_two_clips_and_short_ones_have_an_answer_with_its_width() -> None:
    clip = np.repeat(["a", "b"], 12)
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 24)
    spaces = {
        name: (rng.normal(size=(3, 4))[kind] + 0.3 * rng.normal(size=(24, 4)), np.ones(24, bool))
        for name in "xy"
    }
    found = score_of(kind, see(spaces, {"x": {"x"}, "y": {"y"}}, clip), seed=0)
    assert found.low < found.score < found.high
    assert found.shifts.p < 0.05


def test_many_segments_are_sampled_by_whole_clips() -> None:
    clip = np.repeat(np.arange(300), 50)
    rows = whole_clips(clip, 1000, seed=0)
    assert len(rows) == 1000
    assert np.all(np.bincount(clip[rows])[np.unique(clip[rows])] == 50)
    two = whole_clips(np.repeat([0, 1], 9000), 1000, seed=0)
    assert len(np.unique(np.repeat([0, 1], 9000)[two])) == 2
    assert len(two) <= 1000


def test_labels_of_many_segments_are_tested_in_some_of_the_clips() -> None:
    rng = np.random.default_rng(0)
    clip = np.repeat([f"clip_{i}" for i in range(60)], 50)
    kind, every = rng.integers(0, 3, 3000), np.ones(3000, dtype=bool)
    spaces = {
        name: (rng.normal(size=(3, 4))[kind] + rng.normal(size=(3000, 4)), every) for name in "xy"
    }
    seen = see(spaces, {"x": {"x"}, "y": {"y"}}, clip)
    assert score_of(kind, seen, seed=0).shifts.p < 0.01
    assert score_of(rng.permutation(kind), seen, seed=0).shifts.p > 0.01
