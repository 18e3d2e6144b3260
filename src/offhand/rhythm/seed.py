"""The rule that the project began with, kept to compare with: two periods that agree."""

from __future__ import annotations

from dataclasses import dataclass

from offhand.records import FloatArray
from offhand.rhythm.estimators import autocorrelation_period, first_peak
from offhand.rhythm.selfsimilarity import LARGEST, diagonal_profile, self_similarity, thinned


@dataclass(frozen=True, kw_only=True)
class SeedCount:
    """What the rule says of a stretch.

    Attributes
    ----------
    picture_period_s
        From the self-similarity matrix of the pictures, NaN without a peak.
    flow_period_s
        From the autocorrelation of the flow's speed, NaN without a peak.
    accepted
        Whether the two agree.
    count
        Length over the mean of the two, rounded; 0 where they do not agree.
    """

    picture_period_s: float
    flow_period_s: float
    accepted: bool
    count: int


def seed_count(
    pictures: FloatArray,
    flow_speed: FloatArray,
    *,
    rate_hz: float,
    step: int = 1,
    tolerance: float = 0.3,
) -> SeedCount:
    """Apply the rule to a stretch.

    Parameters
    ----------
    pictures
        ``(ceil(n / step), d)``, every step-th sample; NaN rows are unknown.
    flow_speed
        ``(n,)``; NaN samples are unknown.
    rate_hz
        Samples per second.
    step
        Samples from one picture to the next.
    tolerance
        By how much the two periods may differ, relative to the longer.
    """
    few, every = thinned(pictures, largest=4 * LARGEST)
    by_picture = first_peak(diagonal_profile(self_similarity(few))) * step * every / rate_hz
    by_flow = autocorrelation_period(flow_speed, rate_hz=rate_hz)
    accepted = bool(abs(by_picture - by_flow) <= tolerance * max(by_picture, by_flow))
    count = round(len(flow_speed) / rate_hz / (0.5 * (by_picture + by_flow))) if accepted else 0
    return SeedCount(
        picture_period_s=by_picture, flow_period_s=by_flow, accepted=accepted, count=int(count)
    )
