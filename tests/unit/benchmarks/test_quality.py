"""The pure parts of the benchmarks of clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.quality.ablation import _with, _without
from benchmarks.quality.footage import as_lines
from benchmarks.quality.peers import UniformSplit, interval, nearest_elsewhere
from offhand.evaluation.agreement import count_pairs, cross_clip_pairs
from offhand.records import IntArray
from offhand.stages.evaluate import Instants


@dataclass
class Seen:
    """Segments that are instants."""

    seen: Instants

    def at_instants(self, label: IntArray) -> IntArray:
        return label


@dataclass
class Tried:
    described: Seen
    label: IntArray


def drawn(seed: int, n: int = 80) -> Tried:
    rng = np.random.default_rng(seed)
    clip, activity = rng.choice(list("abcd"), n), rng.choice(list("xyz"), n)
    seen = Instants(clip=clip, activity=activity, segment=np.arange(n))
    return Tried(described=Seen(seen), label=rng.integers(-1, 3, n))


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_counted_as_by_a_loop(seed: int) -> None:
    one = drawn(seed)
    clip, activity, label = one.described.seen.clip, one.described.seen.activity, one.label
    expected = sum(
        clip[i] != clip[j] and label[i] == label[j] >= 0 for i in range(80) for j in range(i)
    )
    assert count_pairs(clip, label, activity).predicted == expected


def test_with_and_without_a_clip_share_the_pairs() -> None:
    one = drawn(5)
    clip, activity, label = one.described.seen.clip, one.described.seen.activity, one.label
    kept = clip != "a"
    assert _without(one, ["a"]) == cross_clip_pairs(clip[kept], label[kept], activity[kept]).f1
    assert _with(one, list("abcd")) == pytest.approx(cross_clip_pairs(clip, label, activity).f1)
    both = predicted = true = 0
    for i in range(80):
        for j in range(i):
            if clip[i] != clip[j] and "a" in (clip[i], clip[j]):
                alike, same = label[i] == label[j] >= 0, activity[i] == activity[j]
                both, predicted, true = both + (alike and same), predicted + alike, true + same
    assert _with(one, ["a"]) == pytest.approx(2 * both / (predicted + true))


def test_a_uniform_split_has_equal_parts() -> None:
    cut = UniformSplit(n_parts=4).cut("a", {}, start_s=1.0, stop_s=9.0)
    np.testing.assert_allclose(cut.start_s, [1, 3, 5, 7])
    np.testing.assert_allclose(cut.stop_s, [3, 5, 7, 9])


def test_the_nearest_of_another_site_is_taken() -> None:
    space = np.array([[0.0], [0.1], [5.0], [5.2], [0.3]])
    site = np.array(["s", "s", "s", "t", "t"])
    assert nearest_elsewhere(space, site, np.array([0, 1, 2, 3, 4])).tolist() == [4, 4, 3, 2, 1]


def test_the_interval_is_none_where_clips_agree() -> None:
    n = 40
    clip, activity = np.repeat(list("abcd"), 10), np.tile(list("xy"), 20)
    seen = Instants(clip=clip, activity=activity, segment=np.arange(n))
    assert interval(seen, [(activity == "x").astype(np.int64)]) == pytest.approx(0.0)
    assert interval(drawn(1).described.seen, [drawn(1).label]) > 0


def test_tables_are_markdown() -> None:
    lines = as_lines([{"a": "x", "b": 0.5}, {"a": "y", "b": float("nan")}])
    assert lines == ["| a | b |", "| --- | --- |", "| x | 0.500 |", "| y |  |"]
