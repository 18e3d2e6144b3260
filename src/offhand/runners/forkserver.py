"""Worker processes that start at once: forked from one that imports for all of them.

A fresh process imports NumPy, SciPy, pandas and scikit-learn for a second or two, at each renewal
of the workers; a fork of a process that did so shares its memory and starts in milliseconds. The
server (:mod:`offhand.runners.server`) runs nothing else: it computes nothing, holds no frames and
has no thread of its own but those that libraries start on import, so that forking it is safe.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import types
from multiprocessing import context, forkserver, parent_process, popen_forkserver, process
from typing import Any

import loky
from loky.backend import get_context

ALLOCATION = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(8 << 20),
}
"""Environment of the workers: how memory is taken and given back."""

server_pid: int | None = None
"""The server, in the processes forked from it; ``None`` elsewhere."""


def start() -> None:
    """Start the server, where the system has one, without waiting for it: it imports on its own.

    What is freed is to go back to the system: Arrow's own allocator holds tens of megabytes in each
    process that has written a table, and the C library holds arrays up to 32 MB, unless told. The
    least that it gives back at once is set too: by itself it would be 128 KB, which the temporary
    arrays of every frame exceed, so that pages would come and go all the time.
    """
    for name, value in ALLOCATION.items():
        os.environ.setdefault(name, value)
    if _available():
        forkserver.set_forkserver_preload(["offhand.runners.server"])
        forkserver.ensure_running()


def workers(jobs: int) -> Any:
    """Return an executor of so many processes, forked from the server where there is one."""
    start()
    chosen = _Context() if _available() else get_context("loky")
    return loky.ProcessPoolExecutor(
        max_workers=jobs,
        timeout=None,
        context=chosen,
        initializer=_adopt,
        initargs=(dict(os.environ),),
    )


def import_rest() -> None:
    """Have the server import, from now on, what workers of later stages need.

    Called by workers at the beginning of a task: it forks nobody in that time, and all of those
    that take up tasks are there when the first of them begins.
    """
    if os.getppid() == server_pid:
        os.kill(server_pid, signal.SIGUSR1)


def _adopt(environment: dict[str, str]) -> None:
    """Take over the environment as it is now: the server has the one that it was started in."""
    os.environ.clear()
    os.environ.update(environment)
    gc.enable()
    driver = parent_process()
    if os.getppid() == server_pid and driver is not None:
        threading.Thread(target=_end_with, args=(driver,), daemon=True).start()


def _end_with(driver: process.BaseProcess) -> None:
    """End this process when the driver is gone: one that was killed cannot end its workers.

    They would finish their tasks and then wait for others for ever.
    """
    driver.join()
    os._exit(1)


def _available() -> bool:
    """Tell whether to fork: not on macOS, whose frameworks do not survive it."""
    return sys.platform == "linux"


class _Popen(popen_forkserver.Popen):
    """A process that does not run the main script anew: tasks are functions of modules."""

    def _launch(self, process_obj: Any) -> None:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            super()._launch(process_obj)  # type: ignore[misc]
        finally:
            sys.modules["__main__"] = main


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:
        return _Popen(process_obj)


class _Context(context.ForkServerContext):
    Process = _Process
