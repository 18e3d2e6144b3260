"""Where a steady tempo starts and stops: the best path through prominence by tempo and time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from offhand.records import FloatArray, IntArray

THRESHOLD = 0.4
"""Prominence that a tempo must exceed on average."""

ENTER = 1.0
"""Prominence times cycles above the threshold that a bout must bring in."""

DRIFT = 0.25
"""What a step to the next tempo costs, in the same unit."""

SAME_TEMPO = 9
"""Steps of tempo between two bouts that may be one: three eighths of an octave."""

SLIP_CYCLES = 1.0
"""Cycles without evidence that a bout may hold."""


@dataclass(frozen=True, kw_only=True)
class Bout:
    """A stretch with a steady tempo.

    Attributes
    ----------
    first, last
        Samples ``[first, last)``.
    tempo
        ``(last - first,)``: index of the tempo at each sample; it drifts slowly.
    """

    first: int
    last: int
    tempo: IntArray


def find_bouts(evidence: FloatArray, tempi_hz: FloatArray, *, rate_hz: float) -> list[Bout]:
    """Return the bouts of the best path (Viterbi 1967, doi:10.1109/TIT.1967.1054010).

    At every sample the path is at one tempo or at none. A tempo earns its evidence above
    ``THRESHOLD``, per cycle rather than per second, so that slow work counts as much as fast.

    Parameters
    ----------
    evidence
        ``(tempi, n)``; ``-inf`` where a tempo is not possible.
    tempi_hz
        ``(tempi,)``.
    rate_hz
        Samples per second.
    """
    path = _best_path((evidence - THRESHOLD) * tempi_hz[:, None] / rate_hz)
    none = len(tempi_hz)
    changes = np.diff(path == none)
    edges = np.flatnonzero(np.concatenate([[True], changes, [True]]))
    found: list[Bout] = []
    for first, last in pairwise(edges.tolist()):
        if path[first] == none:
            continue
        bout = Bout(first=first, last=last, tempo=path[first:last])
        if found and _is_slip(found[-1], bout, tempi_hz, rate_hz=rate_hz):
            bout = _joined(found.pop(), bout)
        found.append(bout)
    return found


def _is_slip(before: Bout, after: Bout, tempi_hz: FloatArray, *, rate_hz: float) -> bool:
    """Tell whether what lies between two bouts is no more than a slip within one."""
    one, other = int(before.tempo[-1]), int(after.tempo[0])
    cycle = rate_hz / min(float(tempi_hz[one]), float(tempi_hz[other]))
    return abs(one - other) <= SAME_TEMPO and after.first - before.last <= SLIP_CYCLES * cycle


def _joined(before: Bout, after: Bout) -> Bout:
    gap = np.linspace(before.tempo[-1], after.tempo[0], after.first - before.last + 2)[1:-1]
    tempo = np.concatenate([before.tempo, gap.round().astype(np.int64), after.tempo])
    return Bout(first=before.first, last=after.last, tempo=tempo)


def _best_path(gain: FloatArray) -> IntArray:
    """Return ``(n,)``: the tempo at each sample, or the number of tempi for none."""
    none, n = gain.shape
    choices, entered = np.empty((n, none), dtype=np.intp), [none] * n
    options = np.full((4, none), -np.inf)  # from the same tempo, the one below, above, from none
    value, idle = np.full(none, -ENTER), 0.0
    for sample in range(n):
        options[0] = value
        np.subtract(value[:-1], DRIFT, out=options[1, 1:])
        np.subtract(value[1:], DRIFT, out=options[2, :-1])
        options[3] = idle - ENTER
        options.argmax(axis=0, out=choices[sample])
        best = int(value.argmax())
        entered[sample] = best if value[best] > idle else none
        idle = max(idle, float(value[best]))
        value = options.max(axis=0) + gain[:, sample]
    path = np.empty(n, dtype=np.int64)
    state = int(value.argmax()) if value.max() > idle else none
    for sample in range(n - 1, -1, -1):
        path[sample] = state
        if state == none:
            state = entered[sample]
        else:
            state = (state, state - 1, state + 1, none)[choices[sample, state]]
    return path
