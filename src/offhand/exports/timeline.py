"""What every export is made from: one timeline a clip, corrections applied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One segment of a clip, as one modality sees it.

    Attributes
    ----------
    segment_id
        Number of the segment in its clip.
    start_s, stop_s
        Half-open interval in seconds of the recording.
    label
        Its cluster; below 0 for none.
    activity
        The cluster's name: the one a person gave, else such as ``C3``; empty for none.
    status
        ``activity``; ``not work`` or ``hidden`` where a person said so; ``noise`` for a segment in
        no cluster; ``not described`` where the modality does not describe it.
    probability
        Strength of membership, 0 to 1; NaN where the clusterer has none.
    """

    segment_id: int
    start_s: float
    stop_s: float
    label: int
    activity: str
    status: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Bout:
    """A stretch in which something repeats, and is counted.

    Attributes
    ----------
    start_s, stop_s
        Half-open interval in seconds of the recording.
    count
        Repetitions.
    period_s
        Median time from one to the next; NaN where a person gave the count alone.
    rep_times_s
        When each repetition is complete; none where a person gave the count alone.
    confidence
        Estimated probability that the count is right within one; NaN for a person's count.
    by_hand
        Whether the count is a person's.
    """

    start_s: float
    stop_s: float
    count: int
    period_s: float
    rep_times_s: tuple[float, ...]
    confidence: float
    by_hand: bool


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One clip.

    Attributes
    ----------
    clip_id
        Its name in every table.
    path
        The video file, absolute.
    duration_s
        From the start of the recording to the end of the last frame.
    frame_rate
        Mean rate, per second.
    width, height
        Pixels, upright.
    modality
        Whose clusters the intervals carry.
    intervals
        In order of time; they tile the clip.
    bouts
        Accepted ones, in order of time.
    """

    clip_id: str
    path: str
    duration_s: float
    frame_rate: float
    width: int
    height: int
    modality: str
    intervals: tuple[Interval, ...]
    bouts: tuple[Bout, ...]
