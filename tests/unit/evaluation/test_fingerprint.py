"""The probe: clips are told where they differ, and not where only the work differs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from offhand.evaluation.fingerprint import fingerprint_probe


def clips(n: int, size: int) -> np.ndarray:
    return np.repeat(np.arange(n), size)


@pytest.mark.parametrize("size", [7, 12, 60])
def test_a_look_of_its_own_gives_a_clip_away(size: int) -> None:
    rng, clip = np.random.default_rng(0), clips(6, size)
    space = rng.normal(size=(6, 5))[clip] * 4 + rng.normal(size=(len(clip), 5))
    found = fingerprint_probe(space, clip)
    assert found.accuracy > 0.8
    assert found.low > found.chance == pytest.approx(1 / 6)
    assert found.centred < 0.5  # the look is a mean


def test_nothing_is_told_where_clips_are_alike() -> None:
    clip = clips(8, 40)
    space = np.random.default_rng(1).normal(size=(len(clip), 5))
    found = fingerprint_probe(space, clip)
    assert abs(found.accuracy - found.chance) < 0.06
    assert abs(found.centred - found.chance) < 0.06
    assert found.low <= found.chance <= found.high


def test_a_change_that_no_mean_holds_is_still_told() -> None:
    rng, clip = np.random.default_rng(2), clips(4, 60)
    space = rng.normal(size=(len(clip), 4)) * (0.1 + 3 * np.eye(4)[clip])  # spread, not mean
    assert fingerprint_probe(space, clip).n_clips == 4


def test_neighbours_in_time_do_not_help() -> None:
    """A slow drift makes neighbours alike; the gap keeps it from telling the clip."""
    rng, clip = np.random.default_rng(3), clips(6, 40)
    space = np.concatenate([np.cumsum(rng.normal(size=(40, 3)), axis=0) for _ in range(6)])
    space -= np.repeat([space[clip == one].mean(axis=0) for one in range(6)], 40, axis=0)
    assert fingerprint_probe(space, clip).centred < 0.4


@pytest.mark.parametrize("sizes", [[], [20], [20, 4], [4, 4]])
def test_too_little_is_unknown(sizes: list[int]) -> None:
    clip = np.repeat(np.arange(len(sizes)), sizes)
    found = fingerprint_probe(np.ones((len(clip), 2)), clip)
    assert math.isnan(found.accuracy)
    assert math.isnan(found.chance)


def test_short_clips_are_left_out_and_counted() -> None:
    clip = np.repeat([0, 1, 2], [20, 20, 4])
    found = fingerprint_probe(np.random.default_rng(0).normal(size=(44, 3)), clip)
    assert found.n_clips == 2
    assert found.chance == 0.5
