"""Weights of late fusion, chosen without labels."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering.space import Space
from offhand.records import FloatArray
from offhand.selection import MAX_SEGMENTS, ModalityWeight, fusion_weights

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
    return fusion_weights({n: whole(x) for n, x in spaces.items()}, clips(), seed=0)


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
    found = fusion_weights(spaces, clips(), seed=0)
    assert [one.weight for one in found.values()] == [0.5, 0.0, 0.5]
    assert np.isnan(found["a"].agreement)
    assert found["b"].described == 0.0


def test_rows_that_are_not_described_do_not_count() -> None:
    known = np.random.default_rng(0).random(len(clips())) < 0.7
    spaces = {"a": whole(view(1)), "b": (view(2)[known], known)}
    found = fusion_weights(spaces, clips(), seed=0)
    assert found["b"].agreement > 0.3
    assert found["b"].described == pytest.approx(known.mean())


def test_one_clip_is_compared_with_itself() -> None:
    only = np.full(len(clips()), "clip")
    spaces = {"a": whole(view(1)), "b": whole(view(2)), "noise": whole(noise(3))}
    found = fusion_weights(spaces, only, seed=0)
    assert found["a"].agreement > 0.1
    assert found["noise"].weight < 0.1


def test_many_segments_are_thinned_with_the_seed() -> None:
    n = MAX_SEGMENTS + 500
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 4, n)
    spaces = {
        name: whole(rng.normal(size=(4, 3))[kind] + 0.5 * rng.normal(size=(n, 3)))
        for name in ("a", "b")
    }
    clip_id = np.repeat(["x", "y", "z", "w", "v"], n // 5)
    found = fusion_weights(spaces, clip_id, seed=1)
    assert found == fusion_weights(spaces, clip_id, seed=1)
    assert found["a"].agreement > 0.2
