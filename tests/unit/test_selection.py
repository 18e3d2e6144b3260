"""Choices made without labels: weights of late fusion, and one clustering among candidates."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from offhand.clustering.space import Space
from offhand.clustering.ward import Ward
from offhand.evaluation.concordance import combined, jackknife_error
from offhand.records import FloatArray
from offhand.selection.candidates import candidates, choose, matched
from offhand.selection.sight import ModalityWeight, fusion_weights, see

N_CLIPS, PER_CLIP = 6, 12


def clips() -> np.ndarray:
    return np.repeat([f"clip_{index}" for index in range(N_CLIPS)], PER_CLIP)


def activity(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, N_CLIPS * PER_CLIP)


def view(seed: int, *, noise: float = 0.5) -> FloatArray:
    """Four activities, seen by one modality."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, 6))[activity()] + noise * rng.normal(size=(len(activity()), 6))


def whole(values: FloatArray) -> Space:
    return values, np.ones(len(values), dtype=bool)


def noise(seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(N_CLIPS * PER_CLIP, 6))


def fingerprint(seed: int) -> FloatArray:
    """A modality that tells the clip and nothing else."""
    rng = np.random.default_rng(seed)
    look = np.repeat(rng.normal(size=(N_CLIPS, 6)), PER_CLIP, axis=0)
    return look + 0.2 * rng.normal(size=look.shape)


def weighed(**spaces: FloatArray) -> dict[str, ModalityWeight]:
    return chosen({name: whole(values) for name, values in spaces.items()})


def chosen(
    spaces: dict[str, Space], clip_id: np.ndarray | None = None
) -> dict[str, ModalityWeight]:
    """Weigh modalities that were each made from a signal of their own."""
    own = {name: {name} for name in spaces}
    return fusion_weights(see(spaces, own, clips() if clip_id is None else clip_id))


def test_weights_sum_to_one_and_follow_agreement() -> None:
    found = weighed(a=view(1), b=view(2), c=view(3, noise=2.0))
    assert sum(one.weight for one in found.values()) == pytest.approx(1.0)
    assert found["a"].weight > found["c"].weight > 0
    assert found["a"].agreement > found["c"].agreement > 0
    assert found["a"].described == 1.0


def test_noise_counts_next_to_nothing() -> None:
    found = weighed(a=view(1), b=view(2), noise=noise(3))
    assert found["noise"].weight < 0.1
    assert found["a"].weight > 0.4


def test_two_fingerprints_gain_nothing_by_telling_the_same_clips() -> None:
    found = weighed(a=view(1), b=view(2), look=fingerprint(3), shade=fingerprint(4))
    assert found["look"].weight + found["shade"].weight < 0.15
    # without the centring in each pair of clips they would agree
    plain = np.corrcoef(
        *(np.linalg.norm(x[:, None] - x, axis=2).ravel() for x in map(fingerprint, (3, 4)))
    )
    assert plain[0, 1] > 0.4


def test_a_clip_s_own_look_does_not_hide_agreement() -> None:
    found = weighed(a=view(1), b=view(2) + 0.3 * fingerprint(3))
    assert found["b"].agreement > 0.3


def test_where_nothing_agrees_all_weigh_the_same() -> None:
    known = np.zeros(len(clips()), dtype=bool)
    few = known.copy()
    few[:2] = True
    spaces = {
        "a": whole(view(1)),
        "b": (np.empty((0, 0)), known),
        "c": (np.ones((2, 1)), few),
    }
    found = chosen(spaces)
    assert [one.weight for one in found.values()] == [0.5, 0.0, 0.5]
    assert np.isnan(found["a"].agreement)
    assert found["b"].described == 0.0


def test_rows_that_are_not_described_do_not_count() -> None:
    known = np.random.default_rng(0).random(len(clips())) < 0.7
    spaces = {"a": whole(view(1)), "b": (view(2)[known], known)}
    found = chosen(spaces)
    assert found["b"].agreement > 0.3
    assert found["b"].described == pytest.approx(known.mean())


def test_one_clip_is_compared_with_itself() -> None:
    only = np.full(len(clips()), "clip")
    spaces = {"a": whole(view(1)), "b": whole(view(2)), "noise": whole(noise(3))}
    found = chosen(spaces, only)
    assert found["a"].agreement > 0.1
    assert found["noise"].weight < 0.1


def test_two_modalities_of_one_source_do_not_confirm_each_other() -> None:
    shared = noise(7)
    spaces = {"a": whole(shared), "b": whole(shared + 0.1 * noise(8)), "c": whole(view(1))}
    spaces["d"] = whole(view(2))
    apart = fusion_weights(see(spaces, {name: {name} for name in spaces}, clips()))
    sources = {"a": {"motion"}, "b": {"motion"}, "c": {"tools"}, "d": {"pose", "tools"}}
    told = fusion_weights(see(spaces, sources, clips()))
    assert apart["a"].weight > 0.3
    assert told["a"].weight + told["b"].weight < 0.25
    assert told["c"].weight > 0.35


def labels_of(found: np.ndarray, truth: np.ndarray) -> float:
    return float(adjusted_rand_score(truth, found))


def test_the_number_of_clusters_is_the_one_that_others_confirm() -> None:
    """A silhouette takes two far groups of looks; another modality knows the four activities."""
    rng = np.random.default_rng(0)
    kind = activity()
    centres = np.array([[0.0, 0], [3, 0], [40, 0], [43, 0]])
    own = centres[kind] + 0.3 * rng.normal(size=(len(kind), 2))
    spaces = {"own": whole(own), "other": whole(view(2, noise=0.3))}
    sight = see(spaces, {"own": {"a"}, "other": {"b"}}, clips())
    found = candidates(sight, {"own": 1.0}, Ward(), seed=0)
    assert labels_of(found.label(choose(found, sight.pairs)), kind) > 0.95
    alone = see({"own": whole(own)}, {"own": {"a"}}, clips())
    found = candidates(alone, {"own": 1.0}, Ward(), seed=0)
    assert len(np.unique(found.label(choose(found, alone.pairs)))) == 2


def test_fewer_clusters_win_within_one_standard_error() -> None:
    spaces = {"own": whole(view(1)), "other": whole(view(2))}
    sight = see(spaces, {"own": {"a"}, "other": {"b"}}, clips())
    found = candidates(sight, {"own": 1.0}, Ward(), seed=0)
    scores = np.array([combined(trials, sight.pairs) for trials in found.trials])
    place, best = choose(found, sight.pairs), int(scores.argmax())
    error = jackknife_error(found.trials[best], sight.pairs)
    assert scores[place] >= scores[best] - error
    assert np.all(scores[:place] < scores[best] - error)


def test_labels_are_never_held_against_what_they_were_made_from() -> None:
    spaces = {name: whole(view(seed)) for seed, name in enumerate("abcd")}
    sources = {"a": {"motion"}, "b": {"motion"}, "c": {"tools"}, "d": {"pose"}}
    weights = dict.fromkeys(spaces, 0.25)
    before = candidates(see(spaces, sources, clips()), weights, Ward(), seed=0)
    for changed in "ab":
        others = spaces | {changed: whole(noise(9))}
        after = candidates(see(others, sources, clips()), weights, Ward(), seed=0)
        for one, other in zip(before.trials, after.trials, strict=True):
            for place in (0, 1):  # held against a and b: neither had a part
                same = matched(one[place].label, other[place].label)
                assert labels_of(same, other[place].label) == 1
    single = candidates(see(spaces, sources, clips()), {"a": 1.0}, Ward(), seed=0)
    assert [len(trials) for trials in single.trials] == [2] * len(single.trials)


def test_part_of_the_segments_is_seen_as_before() -> None:
    known = np.random.default_rng(0).random(len(clips())) < 0.7
    spaces = {"a": whole(view(1)), "b": (view(2)[known], known)}
    sight = see(spaces, {"a": {"a"}, "b": {"b"}}, clips())
    rows = np.flatnonzero(clips() == "clip_2")
    part = sight.at(rows)
    assert part.pairs.is_single
    np.testing.assert_array_equal(part.spaces["a"][0], view(1)[rows])
    np.testing.assert_array_equal(part.spaces["b"][1], known[rows])
    np.testing.assert_array_equal(part.spaces["b"][0], view(2)[rows[known[rows]]])
    assert part.reliability == sight.reliability


def test_matched_labels_take_the_numbers_they_overlap_most() -> None:
    reference = np.array([0, 0, 0, 1, 1, 2, -1])
    found = matched(np.array([5, 5, 5, 7, 7, 9, 9]), reference)
    np.testing.assert_array_equal(found, [0, 0, 0, 1, 1, 2, 2])
    found = matched(np.array([0, 1, 2, 3, 3, -1, -1]), np.array([0, 0, 0, 1, 1, -1, -1]))
    assert found[3] == found[4] == 1
    assert sorted(found[:3].tolist())[0] == 0  # one of three takes the number,
    assert sorted(found[:3].tolist())[1] > 1  # the others get new ones
    np.testing.assert_array_equal(found[5:], [-1, -1])
