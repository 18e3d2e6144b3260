"""What every runner does with one task, in the process where it runs."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from threadpoolctl import threadpool_limits

from offhand.errors import OffhandError
from offhand.runners.base import Outcome, Report

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

DIED = (
    "its process died: the file may be damaged in a way that crashes a decoder, or memory ran out"
)
"""Error of a task that took its process down with it."""


class Lost(Exception):
    """What a task needed on another machine is gone: the task is to be run again."""


def work(
    function: Callable[[Task, Report], Result], task: Task, index: int, report: Report
) -> Outcome[Result]:
    """Run one task; what it raises becomes its outcome, except :class:`Lost`.

    Numerics are single-threaded, so that they give the same bytes on any machine.

    Parameters
    ----------
    function, task, index
        What to run, on what, and its place among the tasks.
    report
        Told how far it is.
    """
    with threadpool_limits(1):
        report(0.0)
        try:
            return Outcome(index=index, result=function(task, report))
        except Lost:
            raise
        except OffhandError as error:
            return Outcome(index=index, error=str(error))
        except Exception as error:
            logger.exception("unexpected error in %s", function.__name__)
            return Outcome(
                index=index,
                error=f"{type(error).__name__}: {error} (a defect in offhand: please report it)",
            )
        finally:
            _give_back()


def _give_back() -> None:
    """Return memory that is free to the system, where the C library keeps it until it is told."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
