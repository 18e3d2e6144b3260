"""Runs on Ray: the same results, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import offhand
from offhand.errors import OffhandError, VideoError
from offhand.runners.base import Report
from offhand.runners.ray import RayRunner
from offhand.runners.work import DIED
from offhand.store.workspace import Workspace

ray: Any = pytest.importorskip("ray", reason="no Ray: pip install 'offhand[ray]'")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes on this machine, each with one processor; the first one is where tests run."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def _slow(task: tuple[str, str], report: Report) -> str:
    """Note that a task began, and take a second for it."""
    folder, name = task
    begun = Path(folder) / name
    with begun.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(1.0)
    report(1.0)
    return name


def _fail(task: tuple[str, str], report: Report) -> str:
    folder, name = task
    with (Path(folder) / name).open("a") as file:
        file.write("begun\n")
    if name == "bad":
        raise VideoError("damaged")
    if name == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def _outcomes(address: str, function: Any, tasks: list[Any], on_progress: Any = None) -> list[Any]:
    with RayRunner(address) as runner:
        found = list(runner.run(function, tasks, on_progress=on_progress))
    return sorted(found, key=lambda outcome: outcome.index)


def test_a_bad_task_is_tried_once_and_a_crash_twice(cluster: Any, tmp_path: Path) -> None:
    tasks = [(str(tmp_path), name) for name in ("a", "bad", "crash", "b")]
    told: list[float] = []
    found = _outcomes(cluster.address, _fail, tasks, told.append)
    assert [outcome.result for outcome in found] == ["a", None, None, "b"]
    assert [outcome.error for outcome in found] == ["", "damaged", DIED, ""]
    begun = {path.name: len(path.read_text().split()) for path in tmp_path.iterdir()}
    assert begun == {"a": 1, "bad": 1, "crash": 2, "b": 1}
    assert told[-1] == 4.0


def test_a_process_that_is_killed_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    tasks = [(str(tmp_path), str(number)) for number in range(4)]
    killed: list[int] = []

    def kill_one(done: float) -> None:
        begun = sorted(tmp_path.iterdir())
        if begun and not killed:
            killed.append(int(begun[0].read_text().split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    found = _outcomes(cluster.address, _slow, tasks, kill_one)
    assert killed
    assert [outcome.result for outcome in found] == ["0", "1", "2", "3"]


def test_a_node_that_is_lost_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=2, resources={"doomed": 1.0})
    tasks = [(str(tmp_path), str(number)) for number in range(8)]
    removed: list[bool] = []

    def remove(done: float) -> None:
        if not removed and len(list(tmp_path.iterdir())) >= 3:
            removed.append(True)
            cluster.remove_node(node, allow_graceful=False)

    found = _outcomes(cluster.address, _slow, tasks, remove)
    assert removed
    assert [outcome.result for outcome in found] == [str(number) for number in range(8)]


def test_an_address_where_nobody_is_is_told_at_once() -> None:
    ray.shutdown()
    with pytest.raises(OffhandError, match=r"no Ray cluster at 127\.0\.0\.1:1 "):
        RayRunner("127.0.0.1:1").__enter__()


def test_the_results_are_those_of_the_local_runner(
    cluster: Any, good_clips: list[Path], tmp_path: Path
) -> None:
    local = offhand.run(good_clips, tmp_path / "local", jobs=1)
    on_ray = offhand.run(good_clips, tmp_path / "ray", ray_address=cluster.address)
    assert local.tables() == on_ray.tables()
    for name in local.tables():
        pd.testing.assert_frame_equal(local.table(name), on_ray.table(name), check_exact=True)
    files = [_content(workspace) for workspace in (local, on_ray)]
    assert files[0] == files[1]


def _content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.path / "results"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
