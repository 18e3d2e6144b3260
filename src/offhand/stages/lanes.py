"""Work on one stream of items in several threads, each at its own pace."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_POLL_S = 0.2
"""Time after which a thread that waits looks whether anybody still reads."""

_END: Any = object()


@dataclass(frozen=True)
class Lane(Generic[Item, Made]):
    """Work that needs no other lane's.

    Attributes
    ----------
    wants
        Whether the lane is given an item.
    work
        Turns its items, in order, into results; it takes all of them.
    """

    wants: Callable[[Item], bool]
    work: Callable[[Iterator[Item]], Iterator[Made]]


@dataclass(frozen=True)
class _Ended:
    error: BaseException | None = None


class _Stopped(Exception):
    """Nobody reads any more."""


class _Line:
    """A queue that is left when everything stops."""

    def __init__(self, depth: int, stopped: threading.Event) -> None:
        self._entries: queue.Queue[Any] = queue.Queue(maxsize=depth)
        self._stopped = stopped

    def put(self, entry: Any) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                return self._entries.put(entry, timeout=_POLL_S)
        raise _Stopped

    def get(self) -> Any:
        while not self._stopped.is_set():
            with suppress(queue.Empty):
                return self._entries.get(timeout=_POLL_S)
        raise _Stopped


def in_lanes(
    items: Iterable[Item], lanes: Sequence[Lane[Item, Made]], *, depth: int
) -> Generator[Made, None, None]:
    """Yield what lanes make of the items they want, each lane's results in their order.

    Decoding waits for no model then, no model for another, and they use what cores there are: all
    let go of Python's lock while they work. An error, of the items or of a lane, ends all of it and
    is raised here.

    Parameters
    ----------
    items
        Iterated in a thread of its own, and to the end unless the reader stops before.
    lanes
        Each is run in a thread of its own.
    depth
        Items that may wait for each lane: how far it may fall behind.
    """
    stopped = threading.Event()
    made = _Line(depth, stopped)
    lines = [_Line(depth, stopped) for _ in lanes]
    tasks: list[tuple[Any, ...]] = [(_deal, items, lanes, lines)]
    tasks += [(_follow, lane, line, made) for lane, line in zip(lanes, lines, strict=True)]
    threads = [
        threading.Thread(target=_run, args=(made, *task), name="offhand-lane", daemon=True)
        for task in tasks
    ]
    for thread in threads:
        thread.start()
    try:
        left = len(threads)
        while left:
            entry = made.get()
            if not isinstance(entry, _Ended):
                yield entry
                continue
            if entry.error is not None:
                raise entry.error
            left -= 1
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _deal(items: Iterable[Item], lanes: Sequence[Lane[Item, Made]], lines: Sequence[_Line]) -> None:
    """Put each item into the lines of those who want it."""
    for item in items:
        for lane, line in zip(lanes, lines, strict=True):
            if lane.wants(item):
                line.put(item)
    for line in lines:
        line.put(_END)


def _follow(lane: Lane[Item, Made], line: _Line, made: _Line) -> None:
    """Do the work of a lane."""
    for result in lane.work(iter(line.get, _END)):
        made.put(result)


def _run(made: _Line, function: Callable[..., None], *arguments: Any) -> None:
    """Do a thread's part, and say how it ended."""
    ended = _Ended()
    try:
        function(*arguments)
    except _Stopped:
        return
    except BaseException as error:
        ended = _Ended(error)
    with suppress(_Stopped):
        made.put(ended)
