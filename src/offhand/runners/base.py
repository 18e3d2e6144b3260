"""The contract of a runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from offhand.records import ONE_PROCESSOR, Needs
from offhand.signals.base import Host, SignalExtractor

Task = TypeVar("Task")
Result = TypeVar("Result")

Report = Callable[[float], None]
"""Called by a task with the share of it that is done, in 0..1."""


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Result]):
    """How one task ended.

    Attributes
    ----------
    index
        Its place in the sequence of tasks.
    result
        What it returned, ``None`` where it failed.
    error
        Why it failed, empty where it did not.
    """

    index: int
    result: Result | None = None
    error: str = ""


class Runner(Protocol):
    """Runs a function on tasks that do not depend on each other."""

    def run(
        self,
        function: Callable[[Task, Report], Result],
        tasks: Sequence[Task],
        *,
        needs: Needs = ONE_PROCESSOR,
        on_progress: Callable[[float], None] | None = None,
    ) -> Iterator[Outcome[Result]]:
        """Yield the outcome of every task, in any order.

        Whatever a task raises, and the death of its process, becomes its outcome, so that one clip
        costs no other; an exception that is no :class:`offhand.errors.OffhandError` is a defect,
        and is logged with its trace.

        Parameters
        ----------
        function
            A module-level function of a task and of a report of its progress.
        tasks
            Picklable tasks.
        needs
            What each of them needs; a runner whose number of tasks at a time is the user's choice
            takes no note of it.
        on_progress
            Called now and then with the number of tasks done, fractions included.
        """
        ...

    def host(self, extractors: Sequence[SignalExtractor]) -> Host | None:
        """Return what begins these signals, ``None`` where that is the task's own process.

        It may be part of a task, until :meth:`release`.
        """
        ...

    def release(self) -> None:
        """Let go of the memory that finished tasks left behind; later tasks start anew."""
        ...
