"""Counts of series whose repetitions are known, and what must be refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality.series import Series, aperiodic, synthetic
from offhand.rhythm import repetitions as module
from offhand.rhythm.repetitions import Repetitions, count_repetitions
from offhand.rhythm.witnesses import RATE_HZ, Witness


def counted(
    witnesses: list[Witness],
    *,
    frame_rate: float = RATE_HZ,
    least_excursion: float = 0.0,
    rising: bool = False,
    trimmed: bool = False,
) -> list[Repetitions]:
    return count_repetitions(
        witnesses,
        frame_rate=frame_rate,
        least_excursion=least_excursion,
        rising=rising,
        trimmed=trimmed,
    )


def total(witnesses: list[Witness]) -> int:
    return sum(bout.count for bout in counted(witnesses) if bout.accepted)


def tone(period_s: float, *, seconds: float, phase: float = 0.0) -> np.ndarray:
    time_s = np.arange(0, seconds, 1 / RATE_HZ)
    return np.sin(2 * np.pi * (time_s / period_s + phase))[:, None]


def pair(flow: np.ndarray, picture: np.ndarray) -> list[Witness]:
    rng = np.random.default_rng(0)

    def noisy(values: np.ndarray) -> np.ndarray:
        return values + 0.1 * rng.normal(size=values.shape)

    down = noisy(np.hstack([0 * flow, flow]))
    return [
        Witness(name="flow", values=down, source="motion"),
        Witness(
            name="picture", values=noisy(picture), source="picture", together=True, traced=False
        ),
    ]


@pytest.mark.parametrize("period_s", [0.6, 0.8, 1.3, 2.2, 3.6])
@pytest.mark.parametrize("count", [5, 9, 15])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_tempo_is_counted(period_s: float, count: int, seed: int) -> None:
    rng = np.random.default_rng([seed, count, int(10 * period_s)])
    series = synthetic(rng, noise=0.25, period_s=period_s, count=count)
    bouts = [bout for bout in counted(series.witnesses) if bout.accepted]
    assert abs(sum(bout.count for bout in bouts) - count) <= 1
    assert bouts[0].period_s == pytest.approx(np.diff(series.rep_times_s).mean(), rel=0.2)


def test_every_repetition_has_its_time() -> None:
    series = synthetic(np.random.default_rng(3), noise=0.3, period_s=1.5, count=10)
    times = np.concatenate([bout.rep_times_s for bout in counted(series.witnesses)])
    late = np.array([np.abs(times[:, None] - series.rep_times_s).min(axis=1)])
    assert np.median(late) < 1.5 / 2
    assert np.ptp(np.diff(times)) < 1.5 / 2


def test_counts_of_many_draws_are_right_and_unbiased() -> None:
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(60):
        series = synthetic(rng, noise=0.5)
        errors.append(total(series.witnesses) - len(series.rep_times_s))
    assert np.mean(np.abs(errors) <= 1) >= 0.93
    assert abs(np.mean(errors)) < 0.6


def test_missing_samples_do_not_matter() -> None:
    rng = np.random.default_rng(6)
    errors = []
    for _ in range(20):
        series = synthetic(rng, noise=0.3, missing=0.15)
        errors.append(abs(total(series.witnesses) - len(series.rep_times_s)))
    assert np.mean(np.array(errors) <= 1) >= 0.85


def test_noise_is_refused() -> None:
    rng = np.random.default_rng(7)
    alarms = [any(bout.accepted for bout in counted(aperiodic(rng).witnesses)) for _ in range(60)]
    assert np.mean(alarms) <= 0.1


@pytest.mark.parametrize("overtone", [0.5, 1.0])
def test_an_overtone_is_not_counted_twice(overtone: float) -> None:
    wave = tone(2.0, seconds=16) + overtone * tone(1.0, seconds=16, phase=0.15)
    assert total(pair(wave, wave)) == pytest.approx(8, abs=1)


def test_bouts_of_different_tempo_are_apart() -> None:
    rest = np.zeros((30, 1))
    wave = np.vstack([rest, tone(1.0, seconds=10), rest, rest, tone(2.5, seconds=20), rest])
    bouts = [bout for bout in counted(pair(wave, wave)) if bout.accepted]
    assert [bout.period_s for bout in bouts] == pytest.approx([1.0, 2.5], rel=0.1)
    assert [bout.count for bout in bouts] == pytest.approx([10, 8], abs=1)
    assert bouts[0].stop_s < 14 < bouts[1].start_s + 2


def test_a_slow_change_of_tempo_is_followed() -> None:
    time_s = np.arange(0, 30, 1 / RATE_HZ)
    phase = time_s / 1.2 - 0.004 * time_s**2  # 1.2 to 1.7 s
    wave = np.sin(2 * np.pi * phase)[:, None]
    assert total(pair(wave, wave)) == pytest.approx(phase[-1], abs=1.2)


def test_the_size_of_the_movement_does_not_matter() -> None:
    series = synthetic(np.random.default_rng(8), noise=0.3)
    small = [replace(one, values=1e-3 * one.values) for one in series.witnesses]
    assert total(small) == total(series.witnesses)


def reason(witnesses: list[Witness], **options: float) -> str:
    found = counted(witnesses, **options)
    assert not any(bout.accepted for bout in found)
    return found[0].reason


def test_reasons_of_refusals() -> None:
    steady, other = tone(1.2, seconds=15), tone(2.9, seconds=15)
    assert reason(pair(steady[:10], steady[:10])) == module.TOO_SHORT
    assert reason(pair(steady, steady), frame_rate=3.0) == module.FEW_FRAMES
    assert reason(pair(steady, steady), least_excursion=1e3) == module.TOO_SMALL
    unknown = pair(steady, steady)
    for one in unknown:
        one.values[: 2 * len(steady) // 3] = np.nan
    assert reason(unknown) == module.DAMAGED
    still = np.zeros((len(steady), 12))  # a picture of nothing but noise
    assert reason(pair(steady, still)) == module.DISAGREE
    assert not any(bout.accepted for bout in counted(pair(steady, other)))
    noise = np.random.default_rng(1).normal(size=(225, 12))
    assert reason(pair(noise[:, :1], noise)) in (module.NO_PERIODICITY, module.DISAGREE)


def test_two_repetitions_are_too_few() -> None:
    rest = np.zeros((45, 1))
    wave = np.vstack([rest, tone(3.0, seconds=6.0), rest])
    bouts = counted(pair(wave, wave))
    assert not any(bout.accepted for bout in bouts)


def test_cycles_that_take_turns_are_one_repetition() -> None:
    """The stroke of 2.5 s alternates with another; the picture tells every second one alike."""
    slow, quick = tone(5.0, seconds=30), tone(2.5, seconds=30)
    flow = np.hstack([0.7 * slow, quick])
    rng = np.random.default_rng(2)
    witnesses = [
        Witness(name="flow", values=flow + 0.1 * rng.normal(size=flow.shape), source="motion"),
        Witness(
            name="picture",
            values=np.hstack([quick, slow]) + 0.1 * rng.normal(size=(len(quick), 2)),
            source="picture",
            together=True,
            traced=False,
        ),
    ]
    assert total(witnesses) == pytest.approx(6, abs=1)


def test_the_stroke_back_of_a_watching_camera_goes_up() -> None:
    wave = tone(2.0, seconds=12)
    worn = next(b for b in counted(pair(wave, wave)) if b.accepted)
    watched = next(b for b in counted(pair(wave, wave), rising=True) if b.accepted)
    apart = watched.rep_times_s[:, None] - worn.rep_times_s
    assert np.abs(apart).min() == pytest.approx(1.0, abs=0.2)


def test_a_trimmed_recording_counts_the_stroke_it_cut_into() -> None:
    wave = tone(2.0, seconds=12, phase=0.15)
    whole = total(pair(wave, wave))
    trimmed = counted(pair(wave, wave), trimmed=True)
    assert sum(bout.count for bout in trimmed if bout.accepted) == whole + 1


def test_what_was_drawn_is_known() -> None:
    series = synthetic(np.random.default_rng(0), noise=0.1, count=7)
    assert isinstance(series, Series)
    assert len(series.rep_times_s) == 7
    assert np.all(np.diff(series.rep_times_s) > 0)


def test_a_witness_that_was_hardly_there_is_not_heard() -> None:
    wave = tone(1.5, seconds=15)
    lost = pair(wave, wave)
    lost[1].values[: 2 * len(wave) // 3] = np.nan
    (bout,) = counted([*lost, replace(lost[0], name="other", source="other", traced=False)])
    assert set(bout.witnesses) == {"flow", "other"}
    assert bout.accepted
    (alone,) = counted(lost)
    assert alone.reason == module.DISAGREE


def test_a_body_testifies() -> None:
    """A body in view supports a count that the picture does not."""
    series = synthetic(np.random.default_rng(9), noise=0.2, period_s=1.6, count=8)
    noise = np.random.default_rng(0).normal(size=series.witnesses[2].values.shape)
    blind = [*series.witnesses[:2], replace(series.witnesses[2], values=noise)]
    assert total(blind) == 0
    body = replace(series.witnesses[2], name="pose", source="pose", leads=False)
    assert total([*blind, body]) == pytest.approx(8, abs=1)
