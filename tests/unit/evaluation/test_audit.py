"""Draws and error rates: exact small cases, plain formulas, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from offhand.evaluation.audit import Stratum, draw, error_rate, weighted_mean


def strata(*rows: tuple[int, int, int]) -> list[Stratum]:
    return [Stratum(n_population=a, n_checked=b, n_wrong=c) for a, b, c in rows]


def test_places_go_in_proportion_to_sizes() -> None:
    assert [len(part) for part in draw([100, 60, 40], 50, 0)] == [25, 15, 10]


def test_every_stratum_gets_one_and_then_a_second_item() -> None:
    assert [len(part) for part in draw([1000, 3, 1, 3], 4, 0)] == [1, 1, 1, 1]
    assert [len(part) for part in draw([1000, 3, 1, 3], 7, 0)] == [2, 2, 1, 2]
    assert [len(part) for part in draw([1000, 3, 1, 3], 20, 0)] == [15, 2, 1, 2]


def test_no_item_is_drawn_twice_and_no_more_than_there_are() -> None:
    parts = draw([7, 2], 100, 3)
    assert [sorted(part.tolist()) for part in parts] == [list(range(7)), [0, 1]]
    assert [part.tolist() for part in draw([], 0, 0)] == []


def test_a_larger_sample_holds_a_smaller_one() -> None:
    for small, large in zip(draw([90, 40, 6], 20, 5), draw([90, 40, 6], 60, 5), strict=True):
        assert large[: len(small)].tolist() == small.tolist()


def test_the_seed_decides() -> None:
    one, same, other = (draw([500], 20, seed)[0].tolist() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_every_item_of_a_stratum_is_drawn_as_often() -> None:
    seen = np.zeros(10)
    for seed in range(1000):
        seen[draw([10, 5], 6, seed)[0]] += 1
    assert seen / 1000 == pytest.approx(np.full(10, 0.4), abs=0.05)


def test_draws_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="2 items cannot be drawn from 3 strata"):
        draw([5, 5, 5], 2, 0)
    with pytest.raises(ValueError, match="at least one"):
        draw([5, 0], 3, 0)
    with pytest.raises(ValueError, match="3 wrong of 2 checked"):
        Stratum(n_population=5, n_checked=2, n_wrong=3)


@pytest.mark.parametrize(("n", "wrong"), [(20, 0), (20, 1), (50, 7), (50, 50), (1, 0), (2, 1)])
def test_one_endless_stratum_gives_the_interval_of_clopper_and_pearson(n: int, wrong: int) -> None:
    found = error_rate(strata((10**12, n, wrong)))
    low = beta.ppf(0.025, wrong, n - wrong + 1) if wrong else 0.0
    high = beta.ppf(0.975, wrong + 1, n - wrong) if wrong < n else 1.0
    assert found.rate == pytest.approx(wrong / n)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


def test_equal_strata_with_equal_rates_cost_only_degrees_of_freedom() -> None:
    whole = error_rate(strata((10**9, 60, 12)))
    parts = error_rate(strata((10**9, 30, 6), (10**9, 30, 6)))
    assert parts.rate == whole.rate
    assert parts.high - parts.low == pytest.approx(whole.high - whole.low, rel=0.02)


def test_rates_are_weighed_by_the_size_of_the_strata() -> None:
    found = error_rate(strata((900, 10, 1), (100, 10, 5)))
    assert found.rate == pytest.approx(0.9 * 0.1 + 0.1 * 0.5)
    assert (found.n_checked, found.n_wrong, found.n_population) == (20, 6, 1000)
    assert found.low < found.rate < found.high


def test_a_census_is_exact() -> None:
    found = error_rate(strata((10, 10, 2), (5, 5, 0)))
    assert found.rate == pytest.approx(2 / 15)
    assert found.high - found.low == pytest.approx(0.0, abs=1e-12)
    none = error_rate(strata((10, 10, 0)))
    assert (none.low, none.rate, none.high) == (0.0, 0.0, 0.0)
    every = error_rate(strata((3, 3, 3), (7, 7, 7)))
    assert (every.low, every.rate, every.high) == (1.0, 1.0, 1.0)


def test_the_interval_keeps_to_what_is_possible() -> None:
    nearly = error_rate(strata((100, 99, 0)))
    assert (nearly.low, nearly.high) == (0.0, pytest.approx(0.01))


def test_a_stratum_without_errors_is_not_taken_to_be_free_of_them() -> None:
    found = error_rate(strata((20, 20, 1), (1000, 5, 0)))
    assert found.high > 0.4  # five of a thousand say little


def test_without_errors_the_size_is_the_number_checked() -> None:
    found = error_rate(strata((1000, 20, 0), (2000, 40, 0)))
    assert found.high == pytest.approx(beta.ppf(0.975, 1, 60))


def test_strata_without_an_answer_are_not_spoken_for() -> None:
    found = error_rate(strata((300, 6, 3), (100, 0, 0)))
    assert found.covered == pytest.approx(0.75)
    assert found.rate == pytest.approx(0.5)
    nothing = error_rate(strata((300, 0, 0)))
    assert nothing.covered == 0.0
    assert math.isnan(nothing.rate)
    assert math.isnan(error_rate([]).covered)


@pytest.mark.parametrize(
    ("sizes", "n"), [((400, 300, 300), 60), ((200, 60, 30, 10, 5), 50), ((30,) * 16, 40)]
)
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4, "unlike"])
def test_the_interval_holds_the_true_rate(
    sizes: tuple[int, ...], n: int, rate: float | str
) -> None:
    rates = np.linspace(0, 0.5, len(sizes)) if rate == "unlike" else np.full(len(sizes), rate)
    rng = np.random.default_rng(7)
    held = 0
    for seed in range(200):
        wrong = [rng.random(size) < share for size, share in zip(sizes, rates, strict=True)]
        true = sum(part.sum() for part in wrong) / sum(sizes)
        rows = [
            (len(part), len(chosen), int(part[chosen].sum()))
            for part, chosen in zip(wrong, draw(sizes, n, seed), strict=True)
        ]
        found = error_rate(strata(*rows))
        held += found.low - 1e-12 <= true <= found.high + 1e-12
    assert held / 200 >= 0.93


def test_the_rate_is_not_biased() -> None:
    rng = np.random.default_rng(0)
    wrong = [rng.random(200) < 0.05, rng.random(50) < 0.5]
    rates = []
    for seed in range(1000):
        parts = zip(wrong, draw([200, 50], 30, seed), strict=True)
        rows = [(len(part), len(one), int(part[one].sum())) for part, one in parts]
        rates.append(error_rate(strata(*rows)).rate)
    true = np.concatenate(wrong).mean()
    assert np.mean(rates) == pytest.approx(true, abs=4 * np.std(rates) / math.sqrt(1000))


def test_weighted_mean() -> None:
    assert weighted_mean(np.array([0.0, 1.0]), np.array([3.0, 1.0])) == 0.25
    assert math.isnan(weighted_mean(np.empty(0), np.empty(0)))
