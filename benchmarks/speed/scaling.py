"""Print how well decoding scales from one worker to two, for each runner.

    python -m benchmarks.speed.scaling CLIP... [--tasks 4] [--seconds 60] [--pairs 3]

A task decodes a clip on one thread and measures the classical signals, as in a run; clips are used
in turn until there are enough tasks. One worker and two are timed in turn, each with workers that
have started and have loaded what they need. The efficiency of a pair is t1 / (2 t2). A machine
limits it too: so bare decoding is timed in the same way, by one process and by two.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from offhand.records import Clip
from offhand.runners.base import Runner
from offhand.runners.local import LocalRunner
from offhand.runners.ray import RayRunner
from offhand.signals.motion import Motion
from offhand.signals.picture import Picture
from offhand.stages.measure import MeasureTask, measure
from offhand.store.workspace import Workspace

WARM_S = 1.0
"""Length that is decoded before the time is taken, by every worker."""

BARE = """
import sys, av
for path in sys.argv[2:]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        for frame in container.decode(stream):
            if frame.time > float(sys.argv[1]):
                break
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--tasks", type=int, default=4, help="tasks of a timing, an even number")
    parser.add_argument("--seconds", type=float, default=60.0, help="length used of each clip")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--runner", choices=["local", "ray", "bare"], action="append")
    arguments = parser.parse_args()
    paths = list(islice(cycle(arguments.clips), arguments.tasks))
    print("| | t1, s | t2, s | efficiency of the pairs | median | CPU s, one worker | two |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.runner or ["bare", "local", "ray"]:
        with _workers(name) as run:
            pairs = [
                (run(paths, arguments.seconds, 1), run(paths, arguments.seconds, 2))
                for _ in range(arguments.pairs)
            ]
        found = [one[0] / (2 * two[0]) for one, two in pairs]
        (t1, cpu1), (t2, cpu2) = (
            [statistics.median(values) for values in zip(*half, strict=True)]
            for half in zip(*pairs, strict=True)
        )
        each = ", ".join(f"{value:.2f}" for value in found)
        print(
            f"| {name} | {t1:.1f} | {t2:.1f} | {each} | {statistics.median(found):.2f} "
            f"| {cpu1:.1f} | {cpu2:.1f} |",
            flush=True,
        )


@contextmanager
def _workers(name: str) -> Iterator[Callable[[list[Path], float, int], tuple[float, float]]]:
    """Give what times the tasks with so many workers: wall seconds, processor seconds."""
    if name == "bare":
        yield _bare
    elif name == "local":
        with LocalRunner(1) as one, LocalRunner(2) as two:
            yield _timed({1: one, 2: two})
    else:
        with RayRunner():  # one cluster for both
            one, two = RayRunner(jobs=1), RayRunner(jobs=2)
            yield _timed({1: one, 2: two})


def _timed(runners: dict[int, Runner]) -> Callable[[list[Path], float, int], tuple[float, float]]:
    """Return what runs the stage ``signals`` on one of these runners."""

    def run(paths: list[Path], seconds: float, workers: int) -> tuple[float, float]:
        runner = runners[workers]
        _measure(runner, paths[:1] * 2 * workers, WARM_S)
        cpu, began = _cpu_s(), time.perf_counter()
        _measure(runner, paths, seconds)
        return time.perf_counter() - began, _cpu_s() - cpu

    return run


def _measure(runner: Runner, paths: list[Path], seconds: float) -> None:
    """Decode clips into a workspace that is new."""
    out = tempfile.mkdtemp(prefix="offhand-bench-")
    workspace = Workspace.create(out)
    tasks = [
        MeasureTask(
            workspace=str(workspace.path),
            clip=Clip(clip_id=f"clip_{number}", path=str(path), to_s=seconds),
            extractors=(Motion(), Picture()),
            threads=1,
        )
        for number, path in enumerate(paths)
    ]
    for outcome in runner.run(measure, tasks):
        if outcome.error:
            raise SystemExit(outcome.error)
    shutil.rmtree(out)


def _bare(paths: list[Path], seconds: float, workers: int) -> tuple[float, float]:
    """Time decoding that drops every frame, clips shared evenly by the processes."""
    cpu, began = _cpu_s(), time.perf_counter()
    command = [sys.executable, "-c", BARE, str(seconds)]
    shares = [[str(path) for path in paths[number::workers]] for number in range(workers)]
    processes = [subprocess.Popen([*command, *share]) for share in shares]
    for process in processes:
        if process.wait():
            raise SystemExit("bare decoding failed")
    return time.perf_counter() - began, _cpu_s() - cpu


def _cpu_s() -> float:
    """Return the processor seconds that the whole machine has spent, user and system."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=5)
    return sum(int(value) for value in (fields[1], fields[2], fields[3])) / 100


if __name__ == "__main__":
    main()
