"""Models in actors of a Ray cluster: the same results, loaded once, and lost without harm."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import offhand
from offhand.records import Clip
from offhand.runners.base import Outcome
from offhand.runners.local import LocalRunner
from offhand.runners.models import ModelHost
from offhand.runners.ray import RayRunner
from offhand.signals.base import SignalExtractor
from offhand.signals.motion import Motion
from offhand.stages.measure import MeasureTask, measure
from offhand.store.workspace import Workspace
from tests.fixtures.models import Projection, write_model
from tests.fixtures.videos import even_times, marked, write

ray: Any = pytest.importorskip("ray", reason="no Ray: pip install 'offhand[ray]'")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes on this machine; the second one says that it has a GPU."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    nodes.add_node(num_cpus=1, num_gpus=1)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Clips of many blocks each."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        Clip(clip_id=name, path=str(write(folder / f"{name}.mp4", marked(even_times(300), seed=n))))
        for n, name in enumerate(("one", "two", "three", "four"))
    ]


@pytest.fixture
def projection(tmp_path: Path) -> Projection:
    model = write_model(tmp_path / "model")
    return Projection(model=str(model), journal=str(tmp_path / "journal"))


def _measured(
    runner: Any,
    out: Path,
    clips: list[Clip],
    extractors: tuple[SignalExtractor, ...],
    on_progress: Callable[[float], None] | None = None,
) -> tuple[list[Outcome[Any]], dict[str, bytes]]:
    """Run the stage that decodes; return outcomes in order, and the content of the store."""
    workspace = Workspace.create(out)
    with runner:
        host = runner.host(extractors)
        tasks = [
            MeasureTask(
                workspace=str(workspace.path),
                clip=clip,
                extractors=extractors,
                threads=1,
                host=host,
            )
            for clip in clips
        ]
        found = sorted(
            runner.run(measure, tasks, on_progress=on_progress), key=lambda one: one.index
        )
    store = workspace.path / "store"
    files = {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*.parquet"))
    }
    return found, files


def _lines(path: str) -> list[str]:
    return Path(path).read_text().split() if Path(path).exists() else []


def test_models_in_actors_give_the_same_bytes_and_are_loaded_once(
    cluster: Any, clips: list[Clip], projection: Projection, tmp_path: Path
) -> None:
    extractors = (Motion(), projection)
    alone, expected = _measured(LocalRunner(1), tmp_path / "local", clips, extractors)
    Path(projection.journal).unlink()
    runner = RayRunner(cluster.address, gpus_per_model=1.0)
    found, files = _measured(runner, tmp_path / "ray", clips, extractors)
    assert [one.error for one in found] == [""] * 4
    assert [one.result for one in found] == [one.result for one in alone]
    assert len(expected) == 8
    assert files == expected
    assert len(_lines(projection.journal)) == 1  # one actor with a whole GPU, four clips


def test_a_gpu_is_shared_by_actors(cluster: Any, projection: Projection) -> None:
    with RayRunner(cluster.address, gpus_per_model=0.4) as runner:
        assert runner.host([Motion()]) is None
        pool: Any = runner.host([Motion(), projection])
        shares = ray.get([actor.__ray_call__.remote(_gpu_ids) for actor in pool.actors])
        assert shares == [["0"], ["0"]]
        assert ray.available_resources().get("GPU", 0.0) == pytest.approx(0.2)
        runner.release()
        assert runner.host([Motion()]) is None


def _gpu_ids(host: ModelHost) -> list[str]:
    return [str(gpu) for gpu in ray.get_runtime_context().get_accelerator_ids()["GPU"]]


def test_an_actor_that_dies_costs_nothing(
    cluster: Any, clips: list[Clip], projection: Projection, tmp_path: Path
) -> None:
    _, expected = _measured(LocalRunner(1), tmp_path / "local", clips, (projection,))
    Path(projection.journal).unlink()
    Path(projection.journal + ".frames").unlink()
    extractors = (replace(projection, pause_s=0.05),)
    killed: list[int] = []

    def kill_one(done: float) -> None:
        if not killed and len(_lines(projection.journal + ".frames")) > 3:
            killed.append(int(_lines(projection.journal)[0]))
            os.kill(killed[0], signal.SIGKILL)

    runner = RayRunner(cluster.address, gpus_per_model=1.0)
    found, files = _measured(runner, tmp_path / "ray", clips, extractors, kill_one)
    assert killed
    assert [one.error for one in found] == [""] * 4
    assert sorted(files.values()) == sorted(expected.values())
    assert len(set(_lines(projection.journal))) == 2


def test_a_node_with_actors_that_is_lost_costs_nothing(
    cluster: Any, clips: list[Clip], projection: Projection, tmp_path: Path
) -> None:
    """The actors of the lost node start again on the one that has room."""
    _, expected = _measured(LocalRunner(1), tmp_path / "local", clips, (projection,))
    doomed = cluster.add_node(num_cpus=1, num_gpus=1)
    extractors = (replace(projection, pause_s=0.05),)
    Path(projection.journal + ".frames").unlink()
    removed: list[bool] = []

    def remove(done: float) -> None:
        if not removed and len(_lines(projection.journal + ".frames")) > 6:
            removed.append(True)
            cluster.remove_node(doomed, allow_graceful=False)

    runner = RayRunner(cluster.address, gpus_per_model=0.5)
    found, files = _measured(runner, tmp_path / "ray", clips, extractors, remove)
    assert removed
    assert [one.error for one in found] == [""] * 4
    assert sorted(files.values()) == sorted(expected.values())


def test_what_an_extractor_raises_in_an_actor_is_the_clips_failure(
    cluster: Any, clips: list[Clip], projection: Projection, tmp_path: Path
) -> None:
    extractors = (replace(projection, fails="two"),)
    runner = RayRunner(cluster.address)
    found, files = _measured(runner, tmp_path / "ray", clips, extractors)
    assert [one.error for one in found] == ["", "the projection fails", "", ""]
    assert len(files) == 3


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_model_of_the_hub_gives_the_same_results_from_an_actor(
    cluster: Any, good_clips: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="no torch: pip install 'offhand[hub]'")
    from tests.fixtures.checkpoints import write_dinov2

    config = offhand.load_config(
        overrides=[
            f"signals.appearance.model={write_dinov2(tmp_path / 'dinov2')}",
            "general.modalities=ego_motion,video_embedding",
            "general.signals=",
        ]
    )
    local = offhand.run(good_clips, tmp_path / "local", config=config, jobs=1)
    on_ray = offhand.run(
        good_clips, tmp_path / "ray", config=config, ray_address=cluster.address, gpus_per_model=0.5
    )
    assert "video_embedding" in on_ray.modalities()
    for folder in ("results", "store/signals"):
        files = [
            {
                path.relative_to(one.path).as_posix(): path.read_bytes()
                for path in sorted((one.path / folder).rglob("*.parquet"))
            }
            for one in (local, on_ray)
        ]
        assert files[0]
        assert files[0] == files[1]
