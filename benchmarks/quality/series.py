"""Series to count in, with known repetitions: synthetic ones, and those of a wrist sensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from offhand.records import FloatArray
from offhand.rhythm.resample import to_uniform
from offhand.rhythm.witnesses import RATE_HZ, Witness

WRIST_HZ = 50.0
WRIST_REPETITIONS = 20
DRIFT_S = 2.0
"""Standard deviation of the average that is taken off an integrated acceleration."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Witnesses with known repetitions.

    Attributes
    ----------
    witnesses
        As :func:`offhand.rhythm.repetitions.count_repetitions` takes them.
    rep_times_s
        When each repetition is complete.
    period_s
        Usual length of a repetition.
    """

    witnesses: list[Witness]
    rep_times_s: FloatArray
    period_s: float


def synthetic(
    rng: np.random.Generator,
    *,
    noise: float,
    period_s: float | None = None,
    count: int | None = None,
    missing: float = 0.0,
) -> Series:
    """Return three witnesses of one movement between two rests.

    Length and size of each repetition vary (7 %, 15 %), the tempo drifts, and each witness has
    coloured noise of its own.

    Parameters
    ----------
    rng
        Where everything is drawn from.
    noise
        Standard deviation of the noise, relative to the amplitude of the movement.
    period_s, count
        Drawn if left out: 0.5 to 4 s, 4 to 15.
    missing
        Share of the samples that is lost, in gaps of three.
    """
    period_s = period_s or float(np.exp(rng.uniform(np.log(0.5), np.log(4.0))))
    count = count or int(rng.integers(4, 16))
    lengths = period_s * np.exp(rng.normal(0, 0.07, count))
    lengths *= np.exp(np.linspace(0, rng.normal(0, 0.15), count))
    before_s, after_s = rng.uniform(1, 4, 2)
    time_s = np.arange(0, before_s + lengths.sum() + after_s, 1 / RATE_HZ)
    edges = before_s + np.concatenate([[0], lengths.cumsum()])
    phase = np.interp(time_s, edges, np.arange(count + 1), left=np.nan, right=np.nan)
    size = np.interp(time_s, edges[:-1], np.exp(rng.normal(0, 0.15, count)))
    overtone, shift = rng.uniform(0, 0.5), rng.uniform(0, 2 * np.pi)
    wave = size * (np.sin(2 * np.pi * phase) + overtone * np.sin(4 * np.pi * phase + shift))
    wave = np.where(np.isnan(phase), 0.0, wave)
    lost = np.convolve(rng.random(len(time_s)) < missing / 3, np.ones(3), mode="same") > 0.5

    def witness(name: str, source: str, components: int, *, together: bool = False) -> Witness:
        direction = rng.normal(size=components)
        direction /= np.linalg.norm(direction)
        values = wave[:, None] * direction
        values = values + noise * _coloured(rng, len(time_s), components) / np.sqrt(components)
        values[lost] = np.nan
        return Witness(
            name=name, values=values, source=source, together=together, traced=not together
        )

    return Series(
        witnesses=[
            witness("flow", "motion", 2),
            witness("residual", "motion", 2),
            witness("picture", "picture", 6, together=True),
        ],
        rep_times_s=edges[1:],
        period_s=period_s,
    )


def aperiodic(rng: np.random.Generator) -> Series:
    """Return witnesses of nothing but noise: white, 1/f, or a random walk, each its own."""
    like = synthetic(rng, noise=1.0)
    witnesses = [
        replace(one, values=_coloured(rng, len(one.values), one.values.shape[1]))
        for one in like.witnesses
    ]
    return Series(witnesses=witnesses, rep_times_s=np.empty(0), period_s=like.period_s)


def wrist(path: Path) -> list[list[Witness]]:
    """Return the series of ``watch_dataset.npy`` of the PyPI package seglearn (BSD-3).

    Each has two witnesses. Acceleration is integrated to a speed, as video gives speeds.

    Parameters
    ----------
    path
        The file; it is unpickled, so it must come from the package.
    """
    stored: dict[str, Any] = np.load(path, allow_pickle=True).item()
    found = []
    for series in stored["X"]:
        seconds = len(series) / WRIST_HZ
        _, even = to_uniform(
            np.arange(len(series)) / WRIST_HZ, series, rate_hz=RATE_HZ, start_s=0, stop_s=seconds
        )
        speed = (even[:, :3] - even[:, :3].mean(axis=0)).cumsum(axis=0) / RATE_HZ
        speed = speed - gaussian_filter1d(speed, DRIFT_S * RATE_HZ, axis=0)
        found.append(
            [
                Witness(name="speed", values=speed, source="acceleration", together=True),
                Witness(name="rotation", values=even[:, 3:], source="rotation", together=True),
            ]
        )
    return found


def _coloured(rng: np.random.Generator, n: int, components: int) -> FloatArray:
    """Return noise ``(n, components)`` of standard deviation 1: white, 1/f or 1/f^2."""
    frequency = np.fft.rfftfreq(n)[:, None]
    frequency[0] = np.inf
    spectrum = np.fft.rfft(rng.normal(size=(n, components)), axis=0)
    series = np.fft.irfft(spectrum * frequency ** (-rng.integers(0, 3) / 2), n, axis=0)
    return np.asarray(series / series.std(axis=0))
