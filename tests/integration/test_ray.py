"""Runs on Ray: the same results, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import offhand
from offhand.errors import OffhandError, VideoError
from offhand.records import Needs
from offhand.runners.base import Report
from offhand.runners.ray import RayRunner
from offhand.runners.work import DIED
from offhand.store.workspace import Workspace
from tests.fixtures.videos import even_times, marked, write

ray: Any = pytest.importorskip("ray", reason="no Ray: pip install 'offhand[ray]'")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


ONE_MODALITY = "general.modalities=ego_motion"


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


def test_local_is_a_new_cluster_beside_one_that_runs(cluster: Any, tmp_path: Path) -> None:
    with RayRunner() as runner:
        assert len(ray.nodes()) == 1
        (found,) = runner.run(_fail, [(str(tmp_path), "a")])
        assert found.result == "a"


def test_as_many_tasks_run_at_a_time_as_wanted(cluster: Any, tmp_path: Path) -> None:
    with RayRunner(cluster.address, jobs=1) as runner:
        tasks = [(str(tmp_path), str(number)) for number in range(3)]
        began = time.monotonic()
        assert len(list(runner.run(_slow, tasks))) == 3
        assert time.monotonic() - began >= 3.0


def test_a_stage_gets_what_it_needs(cluster: Any) -> None:
    with RayRunner(cluster.address) as runner:
        (found,) = runner.run(_reserved, [None], needs=Needs(memory_mb=700))
        assert found.result == {"CPU": 1.0, "memory": 700e6}
        # more than any node has: Ray would wait for ever
        (found,) = runner.run(_reserved, [None], needs=Needs(memory_mb=10**9))
        assert found.result["memory"] == max(_memories())


def _reserved(task: None, report: Report) -> dict[str, float]:
    resources: dict[str, float] = ray.get_runtime_context().get_assigned_resources()
    return resources


def _memories() -> list[float]:
    return [node["Resources"]["memory"] for node in ray.nodes() if node["Alive"]]


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six clips, each of which takes about a second to decode."""
    folder = tmp_path_factory.mktemp("long")
    return [
        write(folder / f"clip_{seed}.mp4", marked(even_times(1200), seed=seed)) for seed in range(6)
    ]


@pytest.fixture(scope="module")
def expected(long_clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of the local runner, with one modality."""
    config = offhand.load_config(overrides=[ONE_MODALITY])
    out = tmp_path_factory.mktemp("local") / "out"
    return _content(offhand.run(long_clips, out, config=config, jobs=2))


def test_the_results_are_those_of_the_local_runner(
    cluster: Any, good_clips: list[Path], tmp_path: Path
) -> None:
    local = offhand.run(good_clips, tmp_path / "local", jobs=1)
    on_ray = offhand.run(good_clips, tmp_path / "ray", ray_address=cluster.address)
    assert len(on_ray.modalities()) > 1
    assert _content(on_ray) == _content(local)


def test_a_process_and_a_node_lost_mid_run_leave_the_results_as_they_are(
    cluster: Any, long_clips: list[Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    node = cluster.add_node(num_cpus=1)
    lost: list[str] = []

    def disturb(stage: str, total: int, done: float) -> None:
        if stage != "signals" or len(lost) == 2:
            return
        busy = _busy(node)
        if busy and not lost:
            with suppress(psutil.Error):  # it ended meanwhile: another one, then
                busy[0].kill()
                lost.append("process")
        elif busy and done >= 2:
            cluster.remove_node(node, allow_graceful=False)
            lost.append("node")

    on_ray = offhand.run(
        long_clips,
        tmp_path / "ray",
        config=offhand.load_config(overrides=[ONE_MODALITY]),
        ray_address=cluster.address,
        on_progress=disturb,
    )
    assert lost == ["process", "node"]
    assert _content(on_ray) == expected


def _busy(node: Any) -> list[psutil.Process]:
    """Return the processes of a node that run a task."""
    (raylet,) = node.all_processes["raylet"]
    busy = []
    for worker in psutil.Process(raylet.process.pid).children(recursive=True):
        with suppress(psutil.Error):  # it ended meanwhile
            if "ray::_work" in "".join(worker.cmdline()):
                busy.append(worker)
    return busy


def test_a_driver_that_dies_loses_no_finished_work(
    cluster: Any, long_clips: list[Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "ray"
    command = [sys.executable, "-m", "offhand", "run", *map(str, long_clips), "-o", str(out)]
    command += ["--runner", "ray", "--ray-address", cluster.address, "--set", ONE_MODALITY]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60.0
    while len(_decoded(out)) < 2 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL, "the run ended by itself"
    finished = _decoded(out)
    assert 2 <= len(finished) < 2 * len(long_clips)
    assert not (out / "results").exists()

    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert finished.items() <= _decoded(out).items()
    assert _content(Workspace(out)) == expected


def _decoded(out: Path) -> dict[str, tuple[int, int]]:
    """Return the files of decoded signals, with what changes if one is written again."""
    found = {}
    for path in out.glob("store/signals/**/*.parquet"):
        if not path.name.startswith("."):
            status = path.stat()
            found[path.relative_to(out).as_posix()] = (status.st_ino, status.st_mtime_ns)
    return found


def _content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.path / "results"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
