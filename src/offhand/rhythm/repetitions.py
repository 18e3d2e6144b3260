"""Counting: bouts on which the witnesses agree, their repetitions, and the reasons for refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import scipy

from offhand.records import FloatArray
from offhand.rhythm.bouts import Bout, find_bouts
from offhand.rhythm.periodicity import estimate_periods
from offhand.rhythm.strokes import count_strokes, excursion
from offhand.rhythm.tempo import FLOOR, PER_OCTAVE, power, prominence, tempi
from offhand.rhythm.witnesses import RATE_HZ, Witness

SHORTEST_S, LONGEST_S = 0.33, 7.5
"""Periods looked for."""

MIN_CYCLES = 2.5
"""Cycles that a stretch must hold."""

MIN_REPETITIONS = 3
"""Repetitions that a bout must hold: two could be anything done twice."""

MIN_BOUT_S = 2.5
"""Length of a bout: noise has fast cycles now and then, too."""

MIN_FRAMES_PER_CYCLE = 4.0
"""Frames that a cycle must hold."""

MIN_EXCURSION = 0.004
"""How far something must move, as a share of the picture's diagonal: about a pixel at 160 lines."""

HALF = 0.5
"""Share of its samples that must be known for a stretch to be counted, or a witness to be heard."""

SUPPORT = 0.4
"""Mean prominence of its tempo from which a witness supports a bout."""

FUNDAMENTAL = 0.6
"""Joint prominence from which a tempo explains away its overtones."""

OVERTONE = 0.3
"""How much more prominent the overtone must be for a witness to support a tempo by it."""

CONFIDENCE = (-3.41, 2.66, 5.20, -0.51)
"""Logistic regression of whether a count is right within one: the constant, and the weights of
:func:`confidence_terms`; fitted by ``python -m benchmarks.quality.repetitions``."""

TWIN_S = 1.5
"""Period from which two cycles that differ are taken for one repetition: below, left and right take
turns, as in walking."""

TWIN_MOTION, TWIN_PICTURE = 0.0, -0.2
"""Prominences at half the tempo from which neighbouring cycles are said to differ."""

TOO_SHORT = "too short"
DAMAGED = "footage damaged"
NO_PERIODICITY = "no periodicity"
DISAGREE = "witnesses disagree"
FEW_REPETITIONS = "too few repetitions"
FEW_FRAMES = "too few frames per cycle"
TOO_SMALL = "motion too small"
UNSURE = "low confidence"


@dataclass(frozen=True, kw_only=True)
class Repetitions:
    """A bout, or a stretch in which nothing is counted.

    Attributes
    ----------
    start_s, stop_s
        Where it lies.
    period_s
        Median time from one repetition to the next, NaN where there is none.
    rep_times_s
        ``(count,)``; what was seen, also where it is not accepted.
    n_strokes
        Strokes there and strokes back, each of which may be a repetition of alternating hands.
    confidence
        Estimated probability that the count is right within one, 0..1; NaN without a bout.
    reason
        Why the count is refused; empty where it is accepted.
    witnesses
        Mean prominence of the bout's tempo in each witness that was measured there, by name.
    second
        The prominence in the second most telling source, NaN without a bout.
    likeness
        Mean correlation of the strokes with the mean stroke, NaN without a bout.
    """

    start_s: float
    stop_s: float
    period_s: float
    rep_times_s: FloatArray
    n_strokes: int
    confidence: float
    reason: str
    witnesses: dict[str, float]
    second: float
    likeness: float

    @property
    def accepted(self) -> bool:
        """Whether the count is to be trusted."""
        return not self.reason

    @property
    def count(self) -> int:
        """Number of repetitions seen."""
        return len(self.rep_times_s)

    def shifted(self, by_s: float) -> Repetitions:
        """Return the same at a later time."""
        return replace(
            self,
            start_s=self.start_s + by_s,
            stop_s=self.stop_s + by_s,
            rep_times_s=self.rep_times_s + by_s,
        )


def count_repetitions(
    witnesses: Sequence[Witness],
    *,
    frame_rate: float,
    rising: bool = False,
    trimmed: bool = False,
    least_excursion: float = MIN_EXCURSION,
    min_confidence: float = 0.5,
) -> list[Repetitions]:
    """Find the bouts of a stretch, count their repetitions, and say what is refused and why.

    Parameters
    ----------
    witnesses
        Of equal length, from at least two sources.
    frame_rate
        Of what the witnesses were measured on, per second.
    rising
        Which stroke completes a repetition; see :func:`offhand.rhythm.strokes.count_strokes`.
    trimmed
        Whether the recording was cut to the repetitions; see there.
    least_excursion
        How far something must move, in the unit of the traced witnesses.
    min_confidence
        Below, a count is refused.

    Returns
    -------
    list of Repetitions
        In order of time, counted from the first sample; at least one. Where there is no bout, it
        is the whole stretch with the reason.
    """
    n = len(witnesses[0].values)
    tempi_hz = tempi()
    possible = (tempi_hz <= 1 / SHORTEST_S) & (
        tempi_hz >= max(1 / LONGEST_S, MIN_CYCLES * RATE_HZ / max(n, 1))
    )
    if not possible.any() or n < MIN_REPETITIONS * RATE_HZ * SHORTEST_S:
        return [_nothing(n, TOO_SHORT)]
    witnesses = [witness.bridged() for witness in witnesses]
    if np.mean([witness.known.mean() for witness in witnesses if witness.leads]) < HALF:
        return [_nothing(n, DAMAGED)]
    found = {witness.name: witness_prominence(witness) for witness in witnesses}
    motions = [witness.filled() for witness in witnesses if witness.traced]
    evidence = joint_prominence(witnesses, found)
    evidence = evidence - _overtones(evidence)
    evidence[~possible] = -np.inf
    bouts = find_bouts(evidence, tempi_hz, rate_hz=RATE_HZ)
    between = [(one.last + other.first) // 2 for one, other in pairwise(bouts)]
    edges = list(pairwise([0, *between, n])) if bouts else []
    counted = []
    for bout, within in zip(bouts, edges, strict=True):
        seen = _count(
            bout, witnesses, found, motions, within=within, rising=rising, trimmed=trimmed
        )
        if seen is not None:
            seen = replace(seen, confidence=_confidence(seen))
            reason = _refusal(
                seen, bout, motions, frame_rate=frame_rate, least_excursion=least_excursion
            )
            if not reason and seen.confidence < min_confidence:
                reason = UNSURE
            counted.append(replace(seen, reason=reason))
    if counted:
        return counted
    alone = any(
        not np.isnan(period.period_s)
        for witness in witnesses
        if witness.traced
        for period in estimate_periods(witness.values.T, rate_hz=RATE_HZ)
    )
    return [_nothing(n, DISAGREE if alone else NO_PERIODICITY)]


def _nothing(n: int, reason: str) -> Repetitions:
    return Repetitions(
        start_s=0.0,
        stop_s=n / RATE_HZ,
        period_s=np.nan,
        rep_times_s=np.empty(0),
        n_strokes=0,
        confidence=np.nan,
        reason=reason,
        witnesses={},
        second=np.nan,
        likeness=np.nan,
    )


def witness_prominence(witness: Witness) -> FloatArray:
    """Return the prominence of each tempo ``(tempi, n)`` in a witness."""
    found = power(witness.filled(), rate_hz=RATE_HZ, together=witness.together)
    return np.asarray(prominence(found).max(axis=0))


def joint_prominence(witnesses: Sequence[Witness], found: dict[str, FloatArray]) -> FloatArray:
    """Return the mean prominence over the witnesses known at each moment, -inf without any."""
    leading = [witness for witness in witnesses if witness.leads]
    known = np.stack([witness.known for witness in leading]).astype(np.float64)[:, None]
    total = known.sum(axis=0)
    mean = (np.stack([found[witness.name] for witness in leading]) * known).sum(axis=0)
    return np.where(total > 0, mean / np.maximum(total, 1.0), -np.inf)


def _overtones(evidence: FloatArray) -> FloatArray:
    """Return how far each tempo must be an overtone: there is evidence at half or a third of it.

    A movement that is no sinusoid also shows at twice and three times its tempo.
    """
    found = np.zeros_like(evidence)
    near = scipy.ndimage.maximum_filter1d(np.where(np.isfinite(evidence), evidence, 0.0), 3, axis=0)
    for divisor in (2, 3):
        steps = round(PER_OCTAVE * np.log2(divisor))
        found[steps:] = np.maximum(found[steps:], near[:-steps] - FUNDAMENTAL)
    return found


def _count(
    bout: Bout,
    witnesses: Sequence[Witness],
    found: dict[str, FloatArray],
    motions: Sequence[FloatArray],
    *,
    within: tuple[int, int],
    rising: bool,
    trimmed: bool,
) -> Repetitions | None:
    """Count a bout; ``None`` where it holds no stroke there and back."""
    tempi_hz = tempi()
    if _are_twins(bout, witnesses, found):
        bout = replace(bout, tempo=np.maximum(bout.tempo - PER_OCTAVE, 0))
    strokes = count_strokes(
        motions, bout, tempi_hz, within=within, rate_hz=RATE_HZ, rising=rising, trimmed=trimmed
    )
    if strokes is None:
        return None
    times = strokes.rep_times_s
    at = bout.tempo, np.arange(bout.first, bout.last)
    above = np.minimum(bout.tempo + PER_OCTAVE, len(tempi_hz) - 1), at[1]
    shown = {}
    for witness in witnesses:
        if witness.known[bout.first : bout.last].mean() >= HALF:
            each = found[witness.name]
            shown[witness.name] = float(max(each[at].mean(), each[above].mean() - OVERTONE))
    return Repetitions(
        start_s=strokes.start_s,
        stop_s=strokes.stop_s,
        period_s=float(np.median(np.diff(times))) if len(times) > 1 else np.nan,
        rep_times_s=times,
        n_strokes=strokes.n_strokes,
        confidence=np.nan,
        reason="",
        witnesses=shown,
        second=_second(shown, witnesses),
        likeness=strokes.likeness,
    )


def _are_twins(bout: Bout, witnesses: Sequence[Witness], found: dict[str, FloatArray]) -> bool:
    """Tell whether two cycles make one repetition, as where fetching and laying take turns."""
    if float(np.median(tempi()[bout.tempo])) > 1 / TWIN_S:
        return False
    low = np.maximum(bout.tempo - PER_OCTAVE, 0), np.arange(bout.first, bout.last)
    traced = max(found[each.name][low].mean() for each in witnesses if each.traced)
    pooled = [found[each.name][low].mean() for each in witnesses if each.together and each.leads]
    return bool(traced > TWIN_MOTION and pooled and max(pooled) > TWIN_PICTURE)


def _refusal(
    seen: Repetitions,
    bout: Bout,
    motions: Sequence[FloatArray],
    *,
    frame_rate: float,
    least_excursion: float,
) -> str:
    """Return why a bout is refused, or nothing."""
    if seen.count < MIN_REPETITIONS:
        return FEW_REPETITIONS
    if seen.stop_s - seen.start_s < MIN_BOUT_S:
        return TOO_SHORT
    if seen.second < SUPPORT:
        return DISAGREE
    if seen.period_s * frame_rate < MIN_FRAMES_PER_CYCLE:
        return FEW_FRAMES
    farthest = max(excursion(one, bout, seen.period_s, rate_hz=RATE_HZ) for one in motions)
    return TOO_SMALL if farthest < least_excursion else ""


def _second(prominent: dict[str, float], witnesses: Sequence[Witness]) -> float:
    """Return the prominence in the second most telling source: the first need not be right."""
    best: dict[str, float] = {}
    for witness in witnesses:
        if witness.name in prominent:
            shown = prominent[witness.name]
            best[witness.source] = max(shown, best.get(witness.source, shown))
    return sorted(best.values())[-2] if len(best) > 1 else FLOOR


def confidence_terms(seen: Repetitions) -> FloatArray:
    """Return what the confidence of a count is computed from, ``(3,)``."""
    return np.array([seen.second, seen.likeness, np.log(max(seen.count, 1))])


def _confidence(seen: Repetitions) -> float:
    """Return the probability that the count is right within one."""
    logit = CONFIDENCE[0] + float(np.dot(CONFIDENCE[1:], confidence_terms(seen)))
    return float(1 / (1 + np.exp(-logit)))
