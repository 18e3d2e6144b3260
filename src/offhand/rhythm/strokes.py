"""The repetitions inside a bout: strokes there and back, followed by their phase.

The motion is demodulated at the bout's tempo; its principal complex direction gives one phase for
all components. A cycle has two strokes, half a cycle each. A stroke counts if it looks like the
others of its kind, and a repetition is complete when a stroke back follows a stroke there. Its time
is the middle of the stroke back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from offhand.records import BoolArray, FloatArray, IntArray
from offhand.rhythm.bouts import Bout

WIDTH_CYCLES = 0.6
"""Standard deviation of the window that the phase is measured in."""

DRIFT_CYCLES = 0.45
"""Standard deviation of the average that is taken off as drift."""

BEYOND_CYCLES = 2
"""How far beyond a bout strokes are looked for."""

LEAST_LIKENESS, LEAST_SIZE = 0.35, 0.42
"""Correlation with the mean stroke, and size relative to it, that a stroke needs."""

BRIDGED_STROKES = 4
"""Strokes in a row, inside a bout, that may look otherwise, such as at a glance aside."""

LEAST_VERTICAL = 0.1
"""Power of the vertical motion, relative to the horizontal, from which it tells the direction."""

SAMPLES = 12
"""Samples that a stroke is compared in."""


@dataclass(frozen=True, kw_only=True)
class Strokes:
    """What was counted.

    Attributes
    ----------
    start_s, stop_s
        Beginning of the first stroke, end of the last.
    rep_times_s
        ``(count,)``.
    n_strokes
        Strokes there and strokes back.
    likeness
        Mean correlation of the strokes with the mean stroke of their kind, up to 1.
    """

    start_s: float
    stop_s: float
    rep_times_s: FloatArray
    n_strokes: int
    likeness: float


def count_strokes(
    motions: Sequence[FloatArray],
    bout: Bout,
    tempi_hz: FloatArray,
    *,
    within: tuple[int, int],
    rate_hz: float,
    rising: bool,
    trimmed: bool,
) -> Strokes | None:
    """Count the repetitions of a bout.

    Parameters
    ----------
    motions
        Each ``(n, components)`` without NaN, weighted alike. Two components are motion to the right
        and down in the picture, and tell which stroke is the one back.
    bout
        Where, and at what tempo.
    tempi_hz
        The tempi that ``bout.tempo`` counts.
    within
        Samples ``[first, last)`` that strokes may lie in; a bout may begin a little late.
    rate_hz
        Samples per second.
    rising
        Whether the stroke back goes up in the picture (a camera that watches the worker), not down
        (a camera that the worker wears: the picture sinks as the head rises). Sideways strokes
        come back to the right, or to the left.
    trimmed
        Whether the recording was cut to the repetitions: a stroke back at its first sample then
        completes a repetition too.

    Returns
    -------
    Strokes or None
        Times from the first sample; ``None`` where there is no repetition.
    """
    n = len(motions[0])
    tempo_hz = tempi_hz[np.pad(bout.tempo, (bout.first, n - bout.last), mode="edge")]
    cycle = rate_hz / float(np.median(tempo_hz[bout.first : bout.last]))
    inner = slice(bout.first, bout.last)
    scaled = [
        motion / (np.sqrt((motion[inner] ** 2).sum(axis=1).mean()) + 1e-9) for motion in motions
    ]
    motion = np.concatenate(scaled, axis=1)
    motion = motion - scipy.ndimage.gaussian_filter1d(motion, DRIFT_CYCLES * cycle, axis=0)
    pairs = [part.shape[1] == 2 for part in scaled for _ in range(part.shape[1])]
    phase = _phase(motion, np.array(pairs), tempo_hz, inner, rate_hz=rate_hz)
    begin = max(within[0], int(bout.first - BEYOND_CYCLES * cycle))
    end = min(within[1], int(bout.last + BEYOND_CYCLES * cycle))
    number = np.arange(
        int(np.ceil(phase[begin] / np.pi)), int(np.floor(phase[end - 1] / np.pi)) + 1
    )
    middle = np.interp(np.pi * number, phase[begin:end], np.arange(begin, end))
    inside = (middle >= bout.first) & (middle < bout.last)
    if inside.sum() < 4:
        return None
    likeness, size = _compare(motion, phase, number, inside)
    kept = _unbroken((likeness >= LEAST_LIKENESS) & (size >= LEAST_SIZE), inside)
    number, middle, likeness = number[kept], middle[kept], likeness[kept]
    complete = (number % 2 == int(rising)) & (
        (number > number[0]) | (trimmed & (middle < cycle / 2))
    )
    if not complete.any():
        return None
    quarter_s = cycle / rate_hz / 4
    return Strokes(
        start_s=max(within[0] / rate_hz, float(middle[0]) / rate_hz - quarter_s),
        stop_s=min(within[1] / rate_hz, float(middle[-1]) / rate_hz + quarter_s),
        rep_times_s=middle[complete] / rate_hz,
        n_strokes=len(number),
        likeness=float(likeness.mean()),
    )


def excursion(motion: FloatArray, bout: Bout, period_s: float, *, rate_hz: float) -> float:
    """Return how far something moves there and back during a bout.

    Parameters
    ----------
    motion
        ``(n, components)`` speeds without NaN.
    bout
        Where.
    period_s
        Its period; what moves more slowly is left out.
    rate_hz
        Samples per second.

    Returns
    -------
    float
        From end to end of a sinusoid of the same power, in the speeds' unit of length.
    """
    way = motion[bout.first : bout.last].cumsum(axis=0) / rate_hz
    way = way - scipy.ndimage.gaussian_filter1d(way, DRIFT_CYCLES * period_s * rate_hz, axis=0)
    return float(2 * np.sqrt(2 * (way**2).sum(axis=1).mean()))


def _phase(
    motion: FloatArray, paired: BoolArray, tempo_hz: FloatArray, inner: slice, *, rate_hz: float
) -> FloatArray:
    """Return the phase ``(n,)``, never falling: a multiple of 2 pi amid a stroke down or right."""
    turned = 2 * np.pi * np.cumsum(tempo_hz) / rate_hz
    width = WIDTH_CYCLES / float(np.median(tempo_hz[inner])) * rate_hz
    around = np.arange(-int(4 * width), int(4 * width) + 1)
    window = np.exp(-0.5 * (around / width) ** 2)
    moving = motion * np.exp(-1j * turned)[:, None]
    wave = scipy.signal.fftconvolve(moving, (window / window.sum())[:, None], mode="full", axes=0)
    wave = wave[len(around) // 2 :][: len(motion)]
    _, directions = np.linalg.eigh(wave[inner].T @ wave[inner].conj())
    principal = directions[:, -1]
    aligned = (wave @ principal.conj()) * _towards(principal, paired)
    return np.asarray(np.maximum.accumulate(np.unwrap(np.angle(aligned) + turned)))


def _towards(principal: FloatArray, paired: BoolArray) -> complex:
    """Return the complex unit that the phase is counted from: down, else right, else anything."""
    right, down = principal[paired][0::2], principal[paired][1::2]
    if not len(down):
        axis = principal
    elif (np.abs(down) ** 2).sum() >= LEAST_VERTICAL * (np.abs(right) ** 2).sum():
        axis = down
    else:
        axis = right
    towards = axis.sum()
    if np.abs(towards) < 0.3 * np.linalg.norm(axis):  # the parts oppose each other
        towards = axis[np.abs(axis).argmax()]
    return complex(towards / np.abs(towards))


def _compare(
    motion: FloatArray, phase: FloatArray, number: IntArray, inside: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the correlation of each stroke with the mean one of its kind, and its size."""
    at = np.pi * (number[:, None] + np.linspace(-0.5, 0.5, SAMPLES, endpoint=False))
    sample = np.interp(at.ravel(), phase, np.arange(len(motion)))
    parts = [np.interp(sample, np.arange(len(motion)), part) for part in motion.T]
    stroke = np.stack(parts, axis=1).reshape(len(number), -1)
    kind = number % 2
    mean = np.stack([stroke[inside & (kind == which)].mean(axis=0) for which in (0, 1)])[kind]
    product = (stroke * mean).sum(axis=1)
    energy = (mean**2).sum(axis=1)
    return product / np.sqrt((stroke**2).sum(axis=1) * energy + 1e-12), product / (energy + 1e-12)


def _unbroken(good: BoolArray, inside: BoolArray) -> slice:
    """Return the run of good strokes around the bout's middle; short gaps inside it are bridged."""
    where = np.flatnonzero(inside)
    low = high = int(where[len(where) // 2])
    last, far = len(good) - 1, BRIDGED_STROKES
    while low > 0 and (good[low - 1] or (inside[low - 1] and good[max(0, low - far) : low].any())):
        low -= 1
    while high < last and (
        good[high + 1] or (inside[high + 1] and good[high + 2 : high + 1 + far].any())
    ):
        high += 1
    while low < high and not good[low]:
        low += 1
    while high > low and not good[high]:
        high -= 1
    return slice(low, high + 1)
