"""How strongly each tempo stands out at each moment: a picture of rhythm over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from offhand.records import FloatArray, Signal
from offhand.rhythm.repetitions import joint_prominence, witness_prominence
from offhand.rhythm.tempo import tempi
from offhand.rhythm.witnesses import RATE_HZ, from_signals

PIECE_S = 120.0
MARGIN_S = 12.0
"""The longest wavelets reach so far: a piece is computed with this much on either side."""


def tempogram(
    signals: Mapping[str, Signal], *, start_s: float, stop_s: float, columns: int
) -> tuple[FloatArray, FloatArray]:
    """Return the evidence by which repetitions are counted, piece by piece.

    Parameters
    ----------
    signals
        ``motion`` and ``picture``; ``pose`` where it was measured.
    start_s, stop_s
        The stretch.
    columns
        Moments, evenly spaced.

    Returns
    -------
    evidence : FloatArray
        ``(tempi, columns)``: about 0 in noise, 1.9 for a pure tone; NaN where nothing was measured.
    tempi_hz : FloatArray
        ``(tempi,)``, increasing.
    """
    tempi_hz = tempi()
    evidence = np.full((len(tempi_hz), columns), np.nan)
    times_s = start_s + (np.arange(columns) + 0.5) * (stop_s - start_s) / columns
    for from_s in np.arange(start_s, stop_s, PIECE_S):
        own = np.flatnonzero((times_s >= from_s) & (times_s < from_s + PIECE_S))
        first_s = max(start_s, from_s - MARGIN_S)
        last_s = min(stop_s, from_s + PIECE_S + MARGIN_S)
        if not len(own) or last_s - first_s < 1.0:
            continue
        witnesses = [one.bridged() for one in from_signals(signals, start_s=first_s, stop_s=last_s)]
        found = {one.name: witness_prominence(one) for one in witnesses}
        joint = joint_prominence(witnesses, found)
        places = np.clip(((times_s[own] - first_s) * RATE_HZ).astype(int), 0, joint.shape[1] - 1)
        evidence[:, own] = joint[:, places]
    evidence[~np.isfinite(evidence)] = np.nan
    return evidence, tempi_hz
