"""Which interval a bout belongs to."""

from __future__ import annotations

import pytest

from offhand.exports.activity import activities, bouts_by_segment, home, lasts, repetitions, title
from tests.unit.exports.timelines import NAN, bout, interval, timeline


def test_a_bout_belongs_where_most_of_it_lies() -> None:
    first, second = interval(0, 0.0, 5.0, "a"), interval(1, 5.0, 20.0, "b")
    most_in_second, outside = bout(3.0, 8.0, 2), bout(30.0, 31.0, 2)
    clip = timeline(first, second, bouts=(most_in_second, outside))
    assert home(most_in_second, clip) is second
    assert home(outside, clip) is None
    assert home(bout(4.0, 6.0, 2), clip) is first
    assert home(bout(NAN, NAN, 2), clip) is None
    assert bouts_by_segment(clip) == {1: [most_in_second]}


def test_activities_are_those_that_last() -> None:
    kept = interval(0, 0.0, 1.0, "a")
    noise = interval(1, 1.0, 2.0, status="noise")
    assert activities(timeline(kept, noise, interval(2, 2.0, 2.0, "b"))) == [kept]
    assert not lasts(interval(0, NAN, 1.0))
    assert title(kept) == "a"
    assert title(noise) == "(noise)"


@pytest.mark.parametrize(
    ("count", "period_s", "text"),
    [
        (1, NAN, "1 repetition"),
        (3, NAN, "3 repetitions"),
        (12, 2.349, "12 repetitions, one every 2.3 s"),
    ],
)
def test_repetitions_in_words(count: int, period_s: float, text: str) -> None:
    assert repetitions(bout(0.0, 9.0, count, period_s=period_s)) == text
