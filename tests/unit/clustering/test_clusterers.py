"""What both clusterers keep: blobs, noise, few rows, duplicates, determinism."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from offhand.clustering.base import Clusterer
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.evaluation.concordance import Pairs
from offhand.records import Clusters, FloatArray, IntArray
from offhand.selection.candidates import Candidates, choose

BOTH = pytest.mark.parametrize("clusterer", [Hdbscan(), Ward()], ids=lambda c: c.name)


def blobs(
    n: int = 60, *, d: int = 4, outliers: int = 0, seed: int = 0
) -> tuple[FloatArray, IntArray]:
    """Return three separated blobs of equal size, in mixed order, and where each row belongs."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((3, d))
    centres[1, 0] = centres[2, 1] = 20.0
    truth = np.append(rng.permutation(np.arange(n) % 3), np.full(outliers, -1))
    space = centres[truth] + rng.normal(size=(len(truth), d))
    far = 100.0 * np.arange(1, outliers + 1)[:, None] * rng.choice([-1, 1], (outliers, d))
    space[truth < 0] = far
    return space, truth


def clustered(clusterer: Clusterer, space: FloatArray) -> Clusters:
    """Return the candidate that is chosen where nothing else can tell."""
    described = np.ones(len(space), dtype=bool)
    clusters = clusterer.candidates(space, seed=0)
    found = Candidates(space=(space, described), clusters=clusters, trials=((),) * len(clusters))
    zeros = np.zeros(len(space), dtype=np.int64)
    return clusters[choose(found, Pairs(clip=zeros, group=zeros))]


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_three_blobs_are_found(clusterer: Clusterer, seed: int) -> None:
    space, truth = blobs(n=90, seed=seed)
    label = clustered(clusterer, space).label
    if clusterer.name == "hdbscan":  # leaves may split a blob, and call its rim noise
        label = clustered(Hdbscan(selection="eom"), space).label
    kept = label >= 0
    assert kept.mean() > 0.8
    assert len(np.unique(label[kept])) == 3
    assert adjusted_rand_score(truth[kept], label[kept]) == 1


def test_leaves_never_mix_blobs() -> None:
    space, truth = blobs(n=90)
    label = clustered(Hdbscan(), space).label
    assert (label >= 0).mean() > 0.5
    for cluster in np.unique(label[label >= 0]):
        assert len(np.unique(truth[label == cluster])) == 1


def test_outliers_are_noise() -> None:
    space, truth = blobs(n=90, outliers=4)
    found = clustered(Hdbscan(selection="eom"), space)
    assert np.all(found.label[truth < 0] == -1)
    assert np.all(found.probability[truth < 0] == 0)
    assert found.label.min() == -1


@BOTH
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("d", [1, 3, 20])
def test_few_rows(clusterer: Clusterer, n: int, d: int) -> None:
    space = np.random.default_rng(n).normal(size=(n, d))
    found = clustered(clusterer, space)
    assert found.label.shape == found.probability.shape == (n,)
    assert found.label.dtype == np.int64
    if n < 4:
        assert np.all(found.label == -1)


@BOTH
def test_no_rows_and_no_columns(clusterer: Clusterer) -> None:
    assert len(clustered(clusterer, np.empty((0, 0))).label) == 0


@BOTH
def test_equal_rows_are_not_told_apart(clusterer: Clusterer) -> None:
    label = clustered(clusterer, np.ones((30, 3))).label
    assert len(np.unique(label)) == 1


@BOTH
def test_duplicates_share_a_label(clusterer: Clusterer) -> None:
    space, truth = blobs(n=30)
    doubled = np.repeat(space, 4, axis=0)
    label = clustered(clusterer, doubled).label.reshape(-1, 4)
    assert np.all(label == label[:, :1])
    for cluster in np.unique(label[label >= 0]):
        assert len(np.unique(truth[label[:, 0] == cluster])) == 1


@BOTH
def test_the_same_input_gives_the_same_bytes(clusterer: Clusterer) -> None:
    space, _ = blobs(n=75, d=9)
    before = space.copy()
    first, second = clustered(clusterer, space), clustered(clusterer, space)
    assert first.label.tobytes() == second.label.tobytes()
    assert first.probability.tobytes() == second.probability.tobytes()
    np.testing.assert_array_equal(space, before)


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(clusterer: Clusterer, seed: int) -> None:
    space, _ = blobs(n=75, outliers=3, seed=seed)
    order = np.random.default_rng(seed).permutation(len(space))
    plain = clustered(clusterer, space).label[order]
    moved = clustered(clusterer, space[order]).label
    assert adjusted_rand_score(plain, moved) == 1
    np.testing.assert_array_equal(plain < 0, moved < 0)


@BOTH
def test_labels_count_from_zero(clusterer: Clusterer) -> None:
    label = clustered(clusterer, blobs(n=75)[0]).label
    found = np.unique(label[label >= 0])
    np.testing.assert_array_equal(found, np.arange(len(found)))


@BOTH
def test_options_are_plain_documented_data(clusterer: Clusterer) -> None:
    options = dataclasses.asdict(clusterer)
    assert json.loads(json.dumps(options)) == options
    assert all(field.metadata["doc"] for field in dataclasses.fields(clusterer))
    assert pickle.loads(pickle.dumps(clusterer)) == clusterer


@pytest.mark.parametrize(("n", "smallest"), [(20, 2), (100, 5), (400, 10)])
def test_the_smallest_cluster_grows_with_the_root_of_the_data(n: int, smallest: int) -> None:
    space = np.random.default_rng(0).uniform(size=(n, 2))
    default = clustered(Hdbscan(), space).label
    stated = clustered(Hdbscan(min_cluster_size=smallest), space).label
    np.testing.assert_array_equal(default, stated)
    _, counts = np.unique(default[default >= 0], return_counts=True)
    assert len(counts) > 1
    assert counts.min() >= smallest


@pytest.mark.parametrize("count", [1, 2, 5, 60, 100])
def test_ward_gives_as_many_clusters_as_asked(count: int) -> None:
    space, _ = blobs(n=60)
    label = clustered(Ward(n_clusters=count), space).label
    assert len(np.unique(label)) == min(count, 60)


def test_ward_offers_every_number_of_clusters_below_that_of_rows() -> None:
    space, _ = blobs(n=9)
    counts = [len(np.unique(one.label)) for one in Ward().candidates(space, seed=0)]
    assert counts == [2, 3, 4, 5, 6, 7, 8]
    counts = [len(np.unique(one.label)) for one in Ward(max_clusters=4).candidates(space, seed=0)]
    assert counts == [2, 3, 4]


@BOTH
def test_one_candidate_can_be_had_alone(clusterer: Clusterer) -> None:
    space, _ = blobs(n=60)
    every = clusterer.candidates(space, seed=0)
    for place in (0, len(every) - 1, len(every) + 5):
        (alone,) = clusterer.candidates(space, seed=0, only=place)
        expected = every[min(place, len(every) - 1)]
        np.testing.assert_array_equal(alone.label, expected.label)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Hdbscan, {"min_cluster_size": 1}),
        (Hdbscan, {"min_cluster_size": -2}),
        (Hdbscan, {"min_samples": 0}),
        (Ward, {"n_clusters": -1}),
        (Ward, {"max_clusters": 1}),
    ],
)
def test_wrong_options_are_refused(kind: type, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        kind(**options)
