"""Coordinates and candidates are stored once, and read in place of computing them again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import pooled
from offhand.clustering.fusion import LateFusion
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.selection.candidates import candidates, choose
from offhand.selection.remedies import compare_alignments
from offhand.stages.cluster import ClusterTask, cluster, cluster_files, read_candidates
from offhand.stages.fuse import FuseTask, fuse, weights_path
from offhand.stages.spaces import FeatureFiles, SightFiles, store_space
from offhand.store import parquet
from offhand.store.workspace import Workspace


@pytest.fixture
def features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FeatureFiles, ...]:
    """Return features of six clips of ten segments."""
    monkeypatch.setattr(pooled, "PER_CLIP", 10)
    return pooled.made_up(Workspace.create(tmp_path / "out"), 60)[0]


def quiet(share: float) -> None:
    """Tell nobody."""


def test_stored_coordinates_are_those_computed(features: tuple[FeatureFiles, ...]) -> None:
    files = features[0]
    table = parquet.read_features(Path(files.paths[0]))
    hidden = replace(table, values=np.where(np.arange(10)[:, None] < 3, np.nan, table.values))
    parquet.write_features(Path(files.paths[0]), hidden, key=files.clip_keys[0])
    before = files.space()
    store_space(files, quiet)
    after = files.space()
    assert before.described.sum() == 57
    assert after.space.tobytes("A") == before.space.tobytes("A")
    for name in ("clip_id", "segment_id", "described"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


def test_stored_coordinates_are_read_alone(features: tuple[FeatureFiles, ...]) -> None:
    expected = features[0].space().space
    store_space(features[0], quiet)
    for path in features[0].paths:
        Path(path).unlink()
    np.testing.assert_array_equal(features[0].space().space, expected)


@pytest.mark.parametrize("change", [{"clip_keys": tuple("abcdef")}, {"modality_fingerprint": "n"}])
def test_coordinates_of_other_features_are_not_read(
    features: tuple[FeatureFiles, ...], change: dict[str, object]
) -> None:
    store_space(features[0], quiet)
    for path in features[0].paths:
        Path(path).unlink()
    with pytest.raises(Exception, match="cannot be read"):
        replace(features[0], **change).space()  # type: ignore[arg-type]


@pytest.mark.parametrize("clusterer", [Ward(), Hdbscan()], ids=lambda one: one.name)
@pytest.mark.parametrize("is_fused", [False, True])
def test_stored_candidates_are_those_found(
    features: tuple[FeatureFiles, ...], tmp_path: Path, clusterer: Ward | Hdbscan, is_fused: bool
) -> None:
    folder, described = str(tmp_path / "out"), SightFiles(features=features)
    fusion = FuseTask(workspace=folder, described=described, fusion=LateFusion())
    fuse(fusion, quiet)
    task = ClusterTask(
        workspace=folder,
        modality=LateFusion.name if is_fused else features[0].modality,
        described=described,
        fusion_weights=str(weights_path(fusion)) if is_fused else "",
        clusterer=clusterer,
        seed=0,
    )
    cluster(task, quiet)
    sight = described.read()
    expected = candidates(sight, task.weights(), clusterer, seed=0)
    found, chosen = read_candidates(task, sight)
    assert chosen == choose(expected, sight.pairs)
    np.testing.assert_array_equal(found.space[0], expected.space[0])
    assert len(found.trials) == len(expected.trials) > 0
    for one, other in zip(found.trials, expected.trials, strict=True):
        assert len(one) == len(other) > 0
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours.label, theirs.label)
            assert ours.reliability == theirs.reliability
            assert ours.target is theirs.target


def test_a_clustering_without_its_candidates_is_made_again(
    features: tuple[FeatureFiles, ...], tmp_path: Path
) -> None:
    task = ClusterTask(
        workspace=str(tmp_path / "out"),
        modality=features[0].modality,
        described=SightFiles(features=features),
        clusterer=Ward(),
        seed=0,
    )
    cluster(task, quiet)
    cluster_files(task).candidates.unlink()
    cluster(task, quiet)
    assert cluster_files(task).candidates.is_file()


def test_remedies_are_compared_on_whole_clips(
    features: tuple[FeatureFiles, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    sight = SightFiles(features=features).read()
    seen = []

    class Watched(Ward):
        def candidates(self, space, *, seed, only=None):  # type: ignore[no-untyped-def]
            seen.append(len(space))
            return super().candidates(space, seed=seed, only=only)

    monkeypatch.setattr("offhand.selection.remedies.MAX_ALIGNED", 35)
    scores = compare_alignments(sight, Watched(), seed=0)
    assert set(seen) == {30}
    assert len(scores) == 3 * len(features)


def test_the_growth_of_times_is_an_exponent() -> None:
    sizes = [1000, 10_000, 200_000]
    assert pooled.growth(sizes, [2e-6 * n**1.1 for n in sizes]) == pytest.approx(1.1)
    assert np.isnan(pooled.growth([1000], [3.0]))
