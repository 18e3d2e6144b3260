"""Working through an iterable in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from offhand.video.ahead import ahead


def test_order_is_kept_and_nothing_is_lost() -> None:
    assert list(ahead(range(100), depth=3)) == list(range(100))


def test_works_while_the_reader_does_something_else_but_no_further_than_told() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    reading = ahead(items(), depth=3)
    assert next(reading) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 5  # the one read, three that wait, and one for which there is no room
    assert list(reading) == list(range(1, 100))


def test_an_error_is_raised_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk")

    reading = ahead(items(), depth=3)
    assert next(reading) == 1
    with pytest.raises(OSError, match="the disk"):
        next(reading)


def test_a_reader_that_stops_ends_the_thread() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.set()

    reading = ahead(items(), depth=1)
    assert next(reading) == 0
    reading.close()  # type: ignore[attr-defined]
    assert closed.wait(5)
    assert not [thread for thread in threading.enumerate() if thread.name == "offhand-ahead"]
