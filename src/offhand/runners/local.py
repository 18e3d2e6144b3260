"""Tasks in processes of this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from offhand.records import ONE_PROCESSOR, Needs
from offhand.runners.base import Outcome, Report
from offhand.runners.forkserver import import_rest, workers
from offhand.runners.work import DIED, work
from offhand.signals.base import Host, SignalExtractor

Task = TypeVar("Task")
Result = TypeVar("Result")

POLL_S = 0.2
"""Time between looks at the progress."""

NOT_STARTED = -1.0
"""Progress of a task that no process has taken up."""


class LocalRunner:
    """Run tasks in worker processes; a crash costs the task that caused it and no other.

    Parameters
    ----------
    jobs
        Tasks at a time.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}, must be at least 1")
        self._jobs = jobs
        self._pool: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close(kill=error is not None)

    def run(
        self,
        function: Callable[[Task, Report], Result],
        tasks: Sequence[Task],
        *,
        needs: Needs = ONE_PROCESSOR,
        on_progress: Callable[[float], None] | None = None,
    ) -> Iterator[Outcome[Result]]:
        """Yield outcomes as they come; see :class:`offhand.runners.base.Runner`.

        So many tasks run as ``jobs`` says, whatever they need.
        """
        del needs
        with tempfile.TemporaryDirectory(prefix="offhand-") as folder:
            board = Path(folder) / "progress"
            left = set(range(len(tasks)))
            while left:
                np.full(len(tasks), NOT_STARTED).tofile(board)
                try:
                    yield from self._attempt(function, tasks, set(left), left, board, on_progress)
                except BrokenProcessPool:
                    # a task that was running killed its process: find out which, one at a time
                    running = {i for i in left if np.fromfile(board)[i] != NOT_STARTED}
                    for index in sorted(running or left):
                        self._close(kill=True)
                        try:
                            yield from self._attempt(
                                function, tasks, {index}, left, board, on_progress
                            )
                        except BrokenProcessPool:
                            left.discard(index)
                            yield Outcome(index=index, error=DIED)
                    self._close(kill=True)

    def host(self, extractors: Sequence[SignalExtractor]) -> Host | None:
        """Return ``None``: each process loads the models that it needs."""
        del extractors
        return None

    def release(self) -> None:
        """End the idle worker processes; the next tasks get new ones."""
        self._close(kill=False)

    def _attempt(
        self,
        function: Callable[[Task, Report], Result],
        tasks: Sequence[Task],
        chosen: set[int],
        left: set[int],
        board: Path,
        on_progress: Callable[[float], None] | None,
    ) -> Iterator[Outcome[Result]]:
        """Run the chosen tasks, taking out of ``left`` each one that ended."""
        if self._pool is None:
            self._pool = workers(self._jobs)
        pending: dict[Future[Outcome[Result]], int] = {
            self._pool.submit(_work, function, tasks[index], index, str(board)): index
            for index in sorted(chosen)
        }
        while pending:
            done, _ = wait(pending, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                index = pending[future]
                outcome = future.result()
                del pending[future]
                left.discard(index)
                yield outcome
            if on_progress is not None:
                share = np.fromfile(board)[list(pending.values())]
                on_progress(len(tasks) - len(left) + float(share.clip(0.0).sum()))

    def _close(self, *, kill: bool) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=kill)
            self._pool = None


def _work(
    function: Callable[[Task, Report], Result], task: Task, index: int, board: str
) -> Outcome[Result]:
    """Run one task in a worker process, which writes its progress into a file of all of them."""
    import_rest()
    with open(board, "r+b", buffering=0) as slots:  # noqa: PTH123

        def report(share: float) -> None:
            os.pwrite(slots.fileno(), np.float64(min(max(share, 0.0), 1.0)).tobytes(), index * 8)

        return work(function, task, index, report)
