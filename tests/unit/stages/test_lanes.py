"""Working on one stream in several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from offhand.stages.lanes import Lane, in_lanes


def same(items: Iterator[int]) -> Iterator[int]:
    yield from items


def lane(divisor: int) -> Lane[int, tuple[int, int]]:
    def work(items: Iterator[int]) -> Iterator[tuple[int, int]]:
        for item in items:
            yield divisor, item
        yield divisor, -1

    return Lane(wants=lambda item: item % divisor == 0, work=work)


def test_each_lane_gets_what_it_wants_in_order_and_may_add_to_the_end() -> None:
    found = list(in_lanes(range(100), [lane(1), lane(2), lane(7)], depth=3))
    for divisor in (1, 2, 7):
        own = [item for of, item in found if of == divisor]
        assert own == [*range(0, 100, divisor), -1]
    assert list(in_lanes(range(3), [], depth=1)) == []


def test_a_slow_lane_does_not_hold_a_fast_one_back_before_its_queue_is_full() -> None:
    gate = threading.Event()

    def slow(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            gate.wait(10)
            yield -item

    lanes = [Lane(wants=lambda item: True, work=same), Lane(wants=lambda item: True, work=slow)]
    reading = in_lanes(range(1, 20), lanes, depth=3)
    assert [next(reading) for _ in range(4)] == [1, 2, 3, 4]
    gate.set()
    rest = list(reading)
    assert [item for item in rest if item > 0] == list(range(5, 20))
    assert [item for item in rest if item < 0] == [-item for item in range(1, 20)]


def test_items_are_made_no_further_ahead_than_told() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    reading = in_lanes(items(), [Lane(wants=lambda item: True, work=same)], depth=3)
    assert next(reading) == 0
    deadline = time.monotonic() + 5
    while len(made) < 9 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    # the one read; three results and three items that wait, and one of each without room
    assert len(made) == 9
    assert list(reading) == list(range(1, 100))


@pytest.mark.parametrize("where", ["items", "lane"])
def test_an_error_ends_all_and_is_raised(where: str) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        if where == "items":
            raise OSError("the disk")
        yield from range(5, 1_000_000)

    def work(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            if number == 5:
                raise OSError("the disk")
            yield number

    lanes = [Lane(wants=lambda item: True, work=of) for of in (same, work)]
    with pytest.raises(OSError, match="the disk"):
        list(in_lanes(items(), lanes, depth=2))
    assert not [thread for thread in threading.enumerate() if thread.name == "offhand-lane"]


def test_a_reader_that_stops_ends_the_threads() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.set()

    reading = in_lanes(items(), [Lane(wants=lambda item: True, work=same)], depth=1)
    assert next(reading) == 0
    reading.close()
    assert closed.wait(5)
    assert not [thread for thread in threading.enumerate() if thread.name == "offhand-lane"]
