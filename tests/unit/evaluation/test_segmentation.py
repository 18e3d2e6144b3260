"""Clusters matched to activities: one match for all clips, or one for each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from offhand.evaluation.segmentation import match_by_clip, match_globally

CLIP = np.repeat(["a", "b"], 12)
TRUE = np.array(list("xxxxyyyyzzzzyyyyyyxxxxxx"))


def numbers(text: str) -> np.ndarray:
    return np.array([-1 if one == "." else int(one) for one in text])


def test_the_truth_under_other_names_is_perfect() -> None:
    label = np.array([{"x": 7, "y": 0, "z": 3}[one] for one in TRUE])
    for found in (match_globally(CLIP, label, TRUE), match_by_clip(CLIP, label, TRUE)):
        assert (found.mof, found.iou, found.f1, found.segment_f1) == (1.0, 1.0, 1.0, 1.0)


def test_one_match_holds_for_all_clips_and_one_for_each_flatters() -> None:
    label = numbers("000011112222000000111111")  # swapped in the second clip
    once, anew = match_globally(CLIP, label, TRUE), match_by_clip(CLIP, label, TRUE)
    assert anew.mof == 1.0
    assert once.mof == 16 / 24  # 0 is y and 1 is x, as in the second clip
    assert once.segment_f1 == pytest.approx(2 * 3 / (5 + 5))


def test_noise_matches_nothing() -> None:
    found = match_globally(CLIP, np.full(24, -1), TRUE)
    assert (found.mof, found.f1, found.block_f1, found.segment_f1) == (0.0, 0.0, 0.0, 0.0)
    label = numbers("00..111.2222111111000000")
    found = match_globally(CLIP, label, TRUE)
    assert found.mof == 21 / 24
    assert found.iou == pytest.approx(np.mean([8 / 10, 9 / 10, 1.0]))


def test_blocks_are_hit_by_more_than_half_of_their_instants() -> None:
    label = numbers("000111112222000111111000")
    found = match_globally(CLIP, label, TRUE)  # 0 is x, 1 is y, 2 is z; in b both are half right
    hits, n_blocks, cells = 3, 5, 2 * 3
    assert found.block_f1 == pytest.approx(2 * hits / (cells + n_blocks))
    x, y, z = 2 * 6 / (9 + 10), 2 * 7 / (11 + 10), 1.0
    assert found.f1 == pytest.approx(np.mean([x, y, z]))


def test_a_segment_is_found_by_half_of_the_union() -> None:
    clip, true = np.full(12, "a"), np.array(list("xxxxxxyyyyyy"))
    whole = match_globally(clip, numbers("000000111111"), true)
    late = match_globally(clip, numbers("000000000111"), true)  # 6/9 right, 3/6 not above half
    assert (whole.segment_f1, late.segment_f1) == (1.0, 0.5)
    torn = match_globally(clip, numbers("001001111111"), true)
    assert torn.segment_f1 == pytest.approx(2 * 1 / (4 + 2))


@pytest.mark.parametrize("seed", range(5))
def test_the_match_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label, true = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    clip = np.full(60, "a")
    best = max(
        np.mean([names[one] == t for one, t in zip(label, true, strict=True)])
        for names in itertools.permutations([0, 1, 2, -1])
    )
    assert match_globally(clip, label, true.astype(str)).mof == pytest.approx(best)
