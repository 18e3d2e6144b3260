"""The segments that show a cluster best."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering import exemplars as module
from offhand.clustering.exemplars import exemplars
from tests import naive


@pytest.mark.parametrize("seed", range(12))
def test_equals_the_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    space = rng.normal(size=(n, 3))
    label = rng.integers(-1, 4, n)
    clip_id = rng.choice(["b", "a", "c"], n)
    found = exemplars(space, label, clip_id)
    assert [(e.label, e.row, e.is_medoid) for e in found] == naive.exemplars(space, label, clip_id)


def test_one_medoid_a_cluster_and_none_of_noise() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(-1, 3, 80)
    found = exemplars(rng.normal(size=(80, 2)), label, rng.choice(["a", "b"], 80))
    for cluster in range(3):
        assert sum(e.is_medoid for e in found if e.label == cluster) == 1
    assert min(e.label for e in found) == 0


def test_large_clusters_are_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    space = rng.normal(size=(400, 2))
    monkeypatch.setattr(module, "MAX_REFERENCE", 50)
    (found,) = exemplars(space, np.zeros(400, dtype=np.int64), np.full(400, "a"))
    assert np.linalg.norm(space[found.row]) < 0.5


def test_equal_rows_still_have_one_medoid() -> None:
    clip_id = np.array(["a", "b", "b"])
    found = exemplars(np.zeros((3, 2)), np.zeros(3, dtype=np.int64), clip_id)
    assert [(e.row, e.is_medoid) for e in found] == [(0, True), (1, False)]


def test_nothing_to_show() -> None:
    assert exemplars(np.empty((0, 0)), np.empty(0, np.int64), np.empty(0, np.str_)) == []
    assert exemplars(np.zeros((3, 1)), np.full(3, -1), np.array(["a", "a", "b"])) == []
