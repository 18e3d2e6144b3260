"""Imported by the server that workers are forked from, and by nothing else.

What all tasks need is imported before the first worker is forked, and the rest on a signal, when
the first tasks are under way: decoding need not wait for what clustering needs. Python runs the
handler of a signal in its main thread, so that nothing is half imported when a worker is forked.

Python's collector stays off: it writes into every object that it looks at, and a page that is
written to is no longer shared between server and workers, which turn it on again.
"""

import gc
import os
import signal
from contextlib import suppress
from importlib import import_module
from types import FrameType

from offhand.runners import forkserver

AT_ONCE = ("offhand.job", "offhand.runners.local")
"""Modules that tasks of the first stage need, with all that they import."""

LATER = (
    "offhand.stages.judge",
    "offhand.stages.project",
    "offhand.stages.count",
    "offhand.stages.follow",
    "offhand.stages.thumbnails",
    "ruptures",
    "scipy.cluster.hierarchy",
    "scipy.fft",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse.csgraph",
    "scipy.spatial.distance",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.discriminant_analysis",
)
"""Modules that workers need sooner or later; SciPy imports its own when they are asked for."""


def _import_rest(_number: int, _frame: FrameType | None) -> None:
    """Import the rest, once; what fails fails again, and tells why, in the worker that needs it."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for name in LATER:
        with suppress(ImportError):
            import_module(name)
    gc.freeze()


gc.disable()
for module in AT_ONCE:
    import_module(module)
gc.freeze()
forkserver.server_pid = os.getpid()
signal.signal(signal.SIGUSR1, _import_rest)
