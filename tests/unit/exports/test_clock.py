"""Times in the units of other tools."""

from __future__ import annotations

import pytest

from offhand.exports.clock import frame_numbers, is_rate, timestamp


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "00:00:00.000"),
        (59.9996, "00:01:00.000"),
        (3661.5, "01:01:01.500"),
        (360_000.001, "100:00:00.001"),
    ],
)
def test_timestamp(time_s: float, text: str) -> None:
    assert timestamp(time_s, point=".") == text


def test_frames_of_neighbours_meet_and_do_not_overlap() -> None:
    assert frame_numbers(0.0, 1.0, rate_hz=10.0) == (1, 10)
    assert frame_numbers(1.0, 1.05, rate_hz=10.0) == (11, 11)
    assert frame_numbers(1.05, 2.0, rate_hz=10.0) == (12, 20)
    assert frame_numbers(0.3, 0.7, rate_hz=10.0) == (4, 7)


def test_an_interval_without_a_frame_gets_one() -> None:
    assert frame_numbers(0.01, 0.02, rate_hz=10.0) == (2, 2)


def test_rates() -> None:
    assert is_rate(29.97)
    assert not any(map(is_rate, (0.0, -1.0, float("nan"), float("inf"))))
