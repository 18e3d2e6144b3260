"""The probe that tells clips: what it must see, what it must not, and on which segments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from offhand.evaluation import fingerprint as module
from offhand.evaluation.fingerprint import Fingerprint, fingerprint, stretches
from offhand.records import FloatArray


def clips(lengths: Sequence[int]) -> npt.NDArray[np.str_]:
    return np.repeat([f"clip_{number:02d}" for number in range(len(lengths))], lengths)


def noise(
    lengths: Sequence[int], *, seed: int, d: int = 6
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    clip = np.repeat(np.arange(len(lengths)), lengths)
    return np.random.default_rng(seed).normal(size=(len(clip), d)), clip


def mean_of(found: Sequence[Fingerprint], name: str) -> float:
    return float(np.mean([getattr(one, name) for one in found]))


@pytest.mark.parametrize("lengths", [[8] * 10, [60] * 5, [5, 6, 7, 9, 12, 20, 40, 60]])
def test_without_an_effect_both_figures_are_chance(lengths: list[int]) -> None:
    """Unequal lengths included: how much centring shrinks a stretch must not tell its clip."""
    found = [fingerprint(noise(lengths, seed=seed)[0], clips(lengths)) for seed in range(30)]
    chance = 1 / len(lengths)
    assert mean_of(found, "accuracy") == pytest.approx(chance, abs=0.03)
    assert mean_of(found, "accuracy_centred") == pytest.approx(chance, abs=0.03)
    covered = [one.low <= chance <= one.high for one in found]
    assert np.mean(covered) >= 0.85


@pytest.mark.parametrize("lengths", [[7] * 10, [12] * 5, [60] * 10])
def test_an_offset_of_the_clip_is_told_until_it_is_removed(lengths: list[int]) -> None:
    space, clip = noise(lengths, seed=1)
    space += 4 * np.random.default_rng(2).normal(size=(len(lengths), 6))[clip]
    found = fingerprint(space, clips(lengths))
    assert found.accuracy > 0.9
    assert found.low > found.chance
    assert found.low_centred <= found.chance <= found.high_centred


def test_centring_a_clip_as_a_whole_anti_predicts() -> None:
    """The fault that centring each stretch avoids: opposite halves."""
    lengths = [20] * 5
    space, clip = noise(lengths, seed=3)
    half = (np.arange(100) % 20 >= 10).astype(float)
    space += 6 * np.random.default_rng(4).normal(size=(5, 6))[clip] * half[:, None]
    whole = space - np.array([space[clip == number].mean(axis=0) for number in range(5)])[clip]
    assert fingerprint(whole, clips(lengths)).accuracy < 0.1
    assert fingerprint(space, clips(lengths)).accuracy_centred == pytest.approx(0.2, abs=0.12)


def test_a_spread_of_the_clip_outlasts_centring() -> None:
    """A linear probe of the coordinates alone would be at chance by construction."""
    lengths = [60] * 5
    space, clip = noise(lengths, seed=5)
    found = fingerprint(space * 3.0 ** clip[:, None], clips(lengths))
    assert found.low_centred > 2 * found.chance


def test_neither_scale_nor_place_nor_name_matters() -> None:
    lengths = [9, 14, 30]
    space, clip = noise(lengths, seed=6)
    space += np.random.default_rng(7).normal(size=(3, 6))[clip]
    found = fingerprint(space, clips(lengths))
    moved = fingerprint(1e3 * space[:, ::-1] + 50, clips(lengths))
    assert moved.accuracy == pytest.approx(found.accuracy)
    interleaved = np.argsort(
        np.concatenate([np.arange(length) for length in lengths]), kind="stable"
    )
    assert fingerprint(space[interleaved], clips(lengths)[interleaved]) == found


def test_the_interval_narrows_with_clips_and_never_vanishes() -> None:
    def width(n_clips: int) -> float:
        space, clip = noise([8] * n_clips, seed=8)
        space += 100 * np.random.default_rng(9).normal(size=(n_clips, 6))[clip]
        found = fingerprint(space, clips([8] * n_clips))
        assert (found.accuracy, found.high) == (1, 1)
        return found.high - found.low

    assert width(40) < width(5) < 1
    assert width(5) == pytest.approx(1 - 0.025 ** (1 / 5))  # five draws, all hits


def test_stretches_of_short_and_long_clips() -> None:
    def cut(length: int, n_stretches: int = 2) -> list[int]:
        return stretches(clips([length]), n_stretches=n_stretches).tolist()

    assert cut(4) == [-1] * 4
    assert cut(5) == [0, 0, -1, 1, 1]
    assert cut(7) == [0, 0, 0, -1, 1, 1, 1]
    assert cut(12) == [0] * 5 + [-1] * 2 + [1] * 5
    assert cut(100) == [0] * 45 + [-1] * 10 + [1] * 45
    assert cut(7, 3) == [-1] * 7
    assert cut(8, 3) == [0, 0, -1, 1, 1, -1, 2, 2]
    assert stretches(np.empty(0, np.str_)).tolist() == []


def test_many_rows_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 40)
    found = stretches(clips([1000, 1000, 7]))
    assert np.bincount(found[:1000] + 1)[1:].tolist() == [6, 6]
    first = np.flatnonzero(found[:1000] == 0)
    assert (first[0], first[-1]) == (0, 494)
    assert np.ptp(np.diff(first)) <= 1
    assert found[2000:].tolist() == [0, 0, 0, -1, 1, 1, 1]


@pytest.mark.parametrize("lengths", [[], [30], [30, 4], [4, 4, 4]])
def test_fewer_than_two_clips_are_nan(lengths: list[int]) -> None:
    found = fingerprint(noise(lengths, seed=0)[0], clips(lengths))
    figures = found.accuracy, found.low, found.high
    centred = found.accuracy_centred, found.low_centred, found.high_centred
    assert all(math.isnan(figure) for figure in (*figures, *centred))
    assert found.n_clips == sum(length >= 5 for length in lengths)
    assert found.n_tested == 0


def test_no_coordinates_are_nan_and_equal_ones_are_chance() -> None:
    assert math.isnan(fingerprint(np.empty((20, 0)), clips([10, 10])).accuracy)
    found = fingerprint(np.ones((20, 3)), clips([10, 10]))
    assert (found.accuracy, found.accuracy_centred, found.chance) == (0.5, 0.5, 0.5)
    assert (found.n_clips, found.n_tested) == (2, 16)


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        fingerprint(np.zeros((3, 2)), clips([4]))
    with pytest.raises(ValueError, match="finite"):
        fingerprint(np.full((10, 2), np.nan), clips([5, 5]))
    with pytest.raises(ValueError, match="n_stretches is 1"):
        fingerprint(np.zeros((10, 2)), clips([5, 5]), n_stretches=1)
