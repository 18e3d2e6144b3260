from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.counting import Bout, calibration_error, matches, score
from offhand.evaluation.truth import Block
from tests.naive import most_matches


def block(start_s: float, *times: float, activity: str = "tapping") -> Block:
    return Block(
        activity=activity,
        start_s=start_s,
        stop_s=start_s + 10,
        period_s=1.5,
        rep_times_s=np.array(times, np.float64),
    )


def bout(start_s: float, stop_s: float, *times: float) -> Bout:
    return Bout(
        start_s=start_s, stop_s=stop_s, rep_times_s=np.array(times, np.float64), confidence=0.9
    )


def test_blocks_are_answered_where_bouts_cover_half_of_them() -> None:
    blocks = [block(0, 2, 4, 6, 8), block(10), block(20, 22, 25)]
    found = score(blocks, [bout(1, 9, 2.1, 4.9, 6.2), bout(14, 21, 15, 19.95, 20.5)])
    first, last = found.blocks
    assert (first.counted, first.answered, first.error) == (3, True, 0.25)
    assert (last.counted, last.answered) == (2, False)  # 19.95 lies within the slack
    assert (found.matched, found.counted, found.true) == (2, 6, 6)
    assert (found.idle_s, found.idle_counted_s) == (10, 6)


def test_nothing_counted() -> None:
    found = score([block(0, 2, 4)], [])
    assert not found.blocks[0].answered
    assert (found.matched, found.counted) == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_matches_are_the_most_there_can_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, found = np.sort(rng.uniform(0, 6, 5)), np.sort(rng.uniform(0, 6, 6))
    best = most_matches(found.tolist(), true.tolist(), 0.5)
    assert matches(true, found, tolerance_s=0.5) == best


def test_calibration_error_is_the_gap_between_confidence_and_share_right() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    right = np.array([True] * 9 + [False] + [True] * 5 + [False] * 5)
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)
    assert calibration_error(np.ones(4), np.ones(4, bool)) == 0
