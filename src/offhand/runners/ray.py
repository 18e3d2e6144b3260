"""Tasks on a Ray cluster; every node must see the clips and the workspace under the same paths."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from offhand.errors import OffhandError
from offhand.runners.base import Outcome, Report
from offhand.runners.work import DIED, work

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

CRASHES = 2
"""Times that a task may lose its process before it is taken to be the cause."""

LOSSES = 5
"""Times that a task may lose its node."""

AHEAD = 2
"""Tasks submitted for each one that can run: a cluster's queue stays short."""

POLL_S = 0.5
KNOCK_S = 10.0


class RayRunner:
    """Run tasks on a Ray cluster, or on this machine where no address is given.

    A task that fails is not tried again; one whose node is lost is, and one whose process dies is
    once, as the process may have been killed for reasons of its own.

    Parameters
    ----------
    address
        Of the cluster, such as ``auto`` or ``ray://host:10001``; ``None`` for a new one on this
        machine.
    jobs
        Tasks at a time; ``None`` for one a processor of the cluster.

    Raises
    ------
    OffhandError
        Ray is not installed, or there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, *, jobs: int | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(f"jobs is {jobs}, must be at least 1")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise OffhandError("--runner ray needs Ray: pip install 'offhand[ray]'") from error
        self._ray: Any = ray
        self._address, self._jobs = address, jobs
        self._started = False

    def __enter__(self) -> Self:
        if not self._ray.is_initialized():
            try:
                _knock(self._address)
                self._ray.init(
                    address=self._address,
                    include_dashboard=False if self._address is None else None,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
            except (OSError, RuntimeError, ValueError) as error:
                raise OffhandError(f"no Ray cluster at {self._address} ({error})") from error
            self._started = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._started:
            self._ray.shutdown()

    def run(
        self,
        function: Callable[[Task, Report], Result],
        tasks: Sequence[Task],
        *,
        on_progress: Callable[[float], None] | None = None,
    ) -> Iterator[Outcome[Result]]:
        """Yield outcomes as they come; see :class:`offhand.runners.base.Runner`."""
        ray = self._ray
        remote = ray.remote(num_cpus=1, max_retries=0)(_work)
        waiting = deque(range(len(tasks)))
        crashes, losses = [0] * len(tasks), [0] * len(tasks)
        pending: dict[Any, int] = {}
        done = 0
        while waiting or pending:
            while waiting and len(pending) < AHEAD * self._width():
                index = waiting.popleft()
                pending[remote.remote(function, tasks[index], index)] = index
            ready, _ = ray.wait(list(pending), num_returns=1, timeout=POLL_S)
            for reference in ready:
                index = pending.pop(reference)
                try:
                    outcome = ray.get(reference)
                except ray.exceptions.WorkerCrashedError:
                    crashes[index] += 1
                    if crashes[index] < CRASHES:
                        waiting.append(index)
                        continue
                    outcome = Outcome(index=index, error=DIED)
                except ray.exceptions.RayError as error:
                    losses[index] += 1
                    if losses[index] <= LOSSES:
                        logger.info("task %d goes to another node: %s", index, error)
                        waiting.append(index)
                        continue
                    outcome = Outcome(index=index, error=f"its node was lost too often ({error})")
                done += 1
                yield outcome
            if on_progress is not None:
                on_progress(float(done))

    def release(self) -> None:
        """Do nothing: Ray ends idle processes itself."""

    def _width(self) -> int:
        """Return how many tasks can run at a time, as the cluster is now."""
        processors = int(self._ray.cluster_resources().get("CPU", 1))
        return max(1, min(self._jobs or processors, processors))


def _knock(address: str | None) -> None:
    """Raise OSError where nothing listens at ``host:port``: Ray would try for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _work(function: Callable[[Task, Report], Result], task: Task, index: int) -> Outcome[Result]:
    """Run one task in a process of the cluster."""
    return work(function, task, index, _ignore)


def _ignore(share: float) -> None:
    """Take no note of progress inside a task."""
    del share
