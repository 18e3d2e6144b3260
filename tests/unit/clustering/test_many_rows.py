"""What is done above a number of rows agrees with the exact methods, which run below it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from benchmarks.speed.density import SHAPES, made_up
from offhand.clustering import hdbscan, reciprocal, space, ward
from offhand.clustering.base import Clusterer
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.reach import reachability
from offhand.clustering.reciprocal import linkage_of_many
from offhand.clustering.space import feature_space
from offhand.clustering.ward import Ward
from offhand.records import FloatArray

MANY = pytest.mark.parametrize("clusterer", [Hdbscan(), Ward(n_clusters=10)], ids=lambda c: c.name)


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdbscan, "MAX_COMPARED", 0)
    monkeypatch.setattr(ward, "MAX_LINKED", 0)


def naive_reach(points: FloatArray, min_samples: int) -> FloatArray:
    distance = cdist(points, points)
    core = np.sort(distance, axis=1)[:, min_samples - 1]
    return np.maximum(distance, np.maximum(core[:, None], core[None, :]))


@pytest.mark.parametrize("shape", SHAPES)
def test_linkage_is_that_of_all_distances(shape: str) -> None:
    points = made_up(shape, 1500)
    exact, found = linkage(points, "ward"), linkage_of_many(points)
    assert is_valid_linkage(found)
    np.testing.assert_allclose(found[:, 2:], exact[:, 2:], rtol=1e-9)
    for count in (2, 5, 10, 20, 100):
        labels = [fcluster(tree, count, "maxclust") for tree in (exact, found)]
        assert adjusted_rand_score(*labels) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_linkage_is_nearly_that_where_the_first_merges_are_not_exact(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = made_up(shape, 4000)
    exact = fcluster(linkage(points, "ward"), 5, "maxclust")
    monkeypatch.setattr(reciprocal, "MAX_EXACT", 1500)
    found = linkage_of_many(points)
    assert is_valid_linkage(found)
    assert adjusted_rand_score(exact, fcluster(found, 5, "maxclust")) >= 0.95


def test_linkage_of_equal_rows() -> None:
    points = np.repeat(np.arange(3.0)[:, None] * [5.0, 1.0], 40, axis=0)
    tree = linkage_of_many(points)
    label = fcluster(tree, 3, "maxclust").reshape(3, 40)
    assert np.all(label == label[:, :1])
    assert len(np.unique(label)) == 3


@pytest.mark.parametrize("n", [2, 3, 5, 17])
def test_linkage_of_few_rows(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 2))
    np.testing.assert_allclose(linkage_of_many(points)[:, 2], linkage(points, "ward")[:, 2])


@pytest.mark.parametrize("shape", SHAPES)
def test_hdbscan_of_near_rows_is_that_of_all(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = made_up(shape, 3000)
    (exact,) = Hdbscan().candidates(points, seed=0)
    monkeypatch.setattr(hdbscan, "MAX_COMPARED", 0)
    (found,) = Hdbscan().candidates(points, seed=0)
    assert len(np.unique(exact.label)) > 2
    assert adjusted_rand_score(exact.label, found.label) >= 0.95
    same = (exact.label < 0) == (found.label < 0)
    assert same.mean() >= 0.95
    assert np.median(np.abs(exact.probability - found.probability)) < 0.01


@pytest.mark.parametrize("min_samples", [1, 2, 5, 20])
@pytest.mark.parametrize("shape", ["separated", "noisy"])
def test_the_graph_is_connected_and_its_tree_nearly_the_shortest(
    shape: str, min_samples: int
) -> None:
    points = made_up(shape, 600)
    graph = reachability(points, min_samples=min_samples, smallest=12)
    assert connected_components(graph, directed=False)[0] == 1
    assert abs(graph - graph.T).max() == 0
    exact = minimum_spanning_tree(naive_reach(points, min_samples)).sum()
    assert exact * (1 - 1e-9) <= minimum_spanning_tree(graph).sum() <= exact * 1.01


def test_parts_of_any_size_are_joined_where_they_are_nearest() -> None:
    rng = np.random.default_rng(0)
    sizes = (300, 200, 15, 14, 13)
    near = np.concatenate([rng.normal(100.0 * place, 1.0, (n, 1)) for place, n in enumerate(sizes)])
    graph = reachability(near, min_samples=2, smallest=20)
    tree = minimum_spanning_tree(graph)
    exact = minimum_spanning_tree(naive_reach(near, 2))
    np.testing.assert_allclose(np.sort(tree.data)[-4:], np.sort(exact.data)[-4:])


@MANY
@pytest.mark.usefixtures("few_are_many")
def test_many_equal_rows_share_a_label(clusterer: Clusterer) -> None:
    points = np.repeat(made_up("separated", 60), 30, axis=0)
    label = clusterer.candidates(points, seed=0)[0].label.reshape(-1, 30)
    assert np.all(label == label[:, :1])
    assert len(np.unique(label)) > 1


@MANY
@pytest.mark.usefixtures("few_are_many")
def test_the_order_of_many_rows_does_not_matter(clusterer: Clusterer) -> None:
    points = made_up("noisy", 1200)
    order = np.random.default_rng(3).permutation(len(points))
    plain = clusterer.candidates(points, seed=0)[0].label[order]
    moved = clusterer.candidates(points[order], seed=0)[0].label
    assert adjusted_rand_score(plain, moved) == 1


@MANY
@pytest.mark.usefixtures("few_are_many")
def test_many_rows_give_the_same_labels_with_any_number_of_threads(clusterer: Clusterer) -> None:
    points = made_up("flat", 1200)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            (one,) = clusterer.candidates(points.copy(), seed=0)
            found.append(one.label.tobytes() + one.probability.tobytes())
    assert found[0] == found[1]


def test_the_space_of_many_rows_is_that_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 30)) @ rng.normal(size=(30, 30))
    values[rng.random(values.shape) < 0.1] = np.nan
    values[7, :] = values[9, :25] = np.nan
    values[:, 4], values[:, 5] = np.nan, 3.0
    weights = rng.uniform(0.5, 2.0, 30)
    weights[8] = 0.0
    exact, described = feature_space(values, weights)
    monkeypatch.setattr(space, "MAX_AT_ONCE", 120)
    found, known = feature_space(values, weights)
    np.testing.assert_array_equal(known, described)
    assert not known[7]
    signs = np.sign((exact * found).sum(axis=0))
    np.testing.assert_allclose(found * signs, exact, atol=1e-9)
    again = feature_space(values, weights)[0]
    assert again.tobytes() == found.tobytes()


@pytest.mark.parametrize("values", [np.full((50, 3), np.nan), np.ones((50, 3))])
def test_many_rows_without_anything_to_tell(
    values: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = feature_space(values, np.ones(3))
    monkeypatch.setattr(space, "MAX_AT_ONCE", 20)
    found = feature_space(values, np.ones(3))
    assert found[0].shape == exact[0].shape
    np.testing.assert_array_equal(found[1], exact[1])
