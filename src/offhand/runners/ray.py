"""Tasks on a Ray cluster; every node must see the clips and the workspace under the same paths."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from offhand import weights
from offhand.errors import OffhandError
from offhand.records import ONE_PROCESSOR, Needs
from offhand.runners.base import Outcome, Report
from offhand.runners.ray_models import ModelPool
from offhand.runners.work import DIED, work
from offhand.signals.base import Host, SignalExtractor

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

CRASHES = 2
"""Times that a task may lose its process before it is taken to be the cause."""

LOSSES = 5
"""Times that a task may lose its node, or an actor that held its models."""

AHEAD = 2
"""Tasks submitted for each one that can run: a cluster's queue stays short."""

GPUS_PER_MODEL = 0.5
"""Share of a GPU of a process that holds models: one of two prepares frames while the other
computes."""

POLL_S = 0.5
KNOCK_S = 10.0


class RayRunner:
    """Run tasks on a Ray cluster, or on this machine alone.

    A task that fails is not tried again; one whose node is lost is, and one whose process dies is
    once, as the process may have been killed for reasons of its own.

    Parameters
    ----------
    address
        Of the cluster, such as ``auto`` or ``host:6379``; ``local`` for a new one on this
        machine, whatever other one runs on it.
    jobs
        Tasks at a time; ``None`` for as many as the cluster has room for.
    gpus_per_model
        Share of a GPU, above 0 and up to 1, of each process that holds models of the hub for the
        tasks; where the cluster has no GPU there are none, and tasks run all models themselves.

    Raises
    ------
    OffhandError
        Ray is not installed, or there is no cluster at the address.
    """

    def __init__(
        self,
        address: str = "local",
        *,
        jobs: int | None = None,
        gpus_per_model: float = GPUS_PER_MODEL,
    ) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(f"jobs is {jobs}, must be at least 1")
        if not 0 < gpus_per_model <= 1:
            raise ValueError(f"gpus_per_model is {gpus_per_model}, must lie above 0, up to 1")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise OffhandError("--runner ray needs Ray: pip install 'offhand[ray]'") from error
        self._ray: Any = ray
        self._address, self._jobs, self._gpus_per_model = address, jobs, gpus_per_model
        self._pools: list[ModelPool] = []
        self._started = False

    def __enter__(self) -> Self:
        if not self._ray.is_initialized():
            try:
                _knock(self._address)
                self._ray.init(
                    address=self._address,
                    include_dashboard=False if self._address == "local" else None,
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
        self.release()
        if self._started:
            self._ray.shutdown()

    def run(
        self,
        function: Callable[[Task, Report], Result],
        tasks: Sequence[Task],
        *,
        needs: Needs = ONE_PROCESSOR,
        on_progress: Callable[[float], None] | None = None,
    ) -> Iterator[Outcome[Result]]:
        """Yield outcomes as they come; see :class:`offhand.runners.base.Runner`."""
        ray = self._ray
        remote = ray.remote(
            num_cpus=needs.cpus, memory=self._memory(needs.memory_mb), max_retries=0
        )(_work)
        waiting = deque(range(len(tasks)))
        crashes, losses = [0] * len(tasks), [0] * len(tasks)
        pending: dict[Any, int] = {}
        done = 0
        while waiting or pending:
            while waiting and len(pending) < self._most_pending(needs):
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
                    reason = _reason(error)
                    if losses[index] <= LOSSES:
                        logger.info("task %d is run again: %s", index, reason)
                        waiting.append(index)
                        continue
                    outcome = Outcome(
                        index=index, error=f"given up after {losses[index]} losses: {reason}"
                    )
                done += 1
                yield outcome
            if on_progress is not None:
                on_progress(float(done))

    def host(self, extractors: Sequence[SignalExtractor]) -> Host | None:
        """Return actors that hold models of the hub; ``None`` where no GPU or no such model is."""
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        if not gpus or not any(weights.is_of_hub(name) for s in extractors for name in s.weights):
            return None
        n = min(gpus * int(1 / self._gpus_per_model + 1e-6), self._processors())
        self._pools.append(ModelPool.of(n, gpus=self._gpus_per_model))
        return self._pools[-1]

    def release(self) -> None:
        """End the actors that hold models; Ray ends idle processes itself."""
        while self._pools:
            self._pools.pop().stop()

    def _processors(self) -> int:
        """Return how many processors the cluster has now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _most_pending(self, needs: Needs) -> int:
        """Return how many tasks may be running or queued."""
        most = AHEAD * max(1, self._processors() // needs.cpus)
        return min(most, self._jobs or most)

    def _memory(self, wanted_mb: int) -> int:
        """Return the memory in bytes that a task reserves: no more than the largest node has.

        Ray would let a task wait for ever that fits on no node.
        """
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return min(wanted_mb * 10**6, int(max(node.get("memory", 0) for node in nodes)))


def _knock(address: str) -> None:
    """Raise OSError where nothing listens at ``host:port``: Ray would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _reason(error: Any) -> str:
    """Return why Ray lost a task, in one line."""
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _work(function: Callable[[Task, Report], Result], task: Task, index: int) -> Outcome[Result]:
    """Run one task in a process of the cluster."""
    return work(function, task, index, _ignore)


def _ignore(share: float) -> None:
    """Take no note of progress inside a task."""
    del share
