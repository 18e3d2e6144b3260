"""Working through an iterable in a thread of its own, a little ahead of who reads it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.2
"""Time after which a thread that waits for room looks whether anybody still reads."""


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def ahead(items: Iterable[T], *, depth: int) -> Iterator[T]:
    """Yield the items in their order, while a thread prepares up to ``depth`` more.

    Decoding waits for nobody then, and what is made of the frames for no decoder: both let go of
    Python's lock while they work. An error of the iteration is raised here, in its place.

    Parameters
    ----------
    items
        Iterated in the thread alone, and to its end unless the reader stops before.
    depth
        Items that may wait.
    """
    waiting: queue.Queue[_Item[T] | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(entry: _Item[T] | _End) -> None:
        while not stopped.is_set():
            try:
                return waiting.put(entry, timeout=_POLL_S)
            except queue.Full:
                continue

    def work() -> None:
        error = None
        try:
            for item in items:
                put(_Item(item))
                if stopped.is_set():
                    return
        except BaseException as raised:
            error = raised
        put(_End(error))

    thread = threading.Thread(target=work, name="offhand-ahead", daemon=True)
    thread.start()
    try:
        while isinstance(entry := waiting.get(), _Item):
            yield entry.value
        if entry.error is not None:
            raise entry.error
    finally:
        stopped.set()
        thread.join()
