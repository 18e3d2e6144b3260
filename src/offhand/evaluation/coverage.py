"""Coverage: in which share of the frames something (a hand, a body) is seen, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from offhand.records import FloatArray

LEVEL = 0.95
"""Confidence of an interval."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """A share of frames.

    Attributes
    ----------
    share
        Of the frames that were examined, 0..1; NaN if there were none.
    low, high
        95 % interval for the share of all frames; the share itself where all were examined, NaN
        where none was.
    n_frames
        Frames examined.
    n_stretches
        Stretches they came from; 1 where all frames were examined.
    """

    share: float
    low: float
    high: float
    n_frames: int
    n_stretches: int


def coverage(time_s: FloatArray, seen: FloatArray, *, stretch_s: float, every_s: float) -> Coverage:
    """Estimate in which share of a clip's frames something is seen, from sampled stretches.

    Neighbouring frames are alike, so the stretches are what is sampled, not the frames. The
    interval is the exact binomial one (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404) with
    each stretch as one draw: the share within a stretch lies in 0..1 and can vary no more than that
    of draws that show all or nothing. Stretches of unequal length count as fewer (Kish's effective
    number). So the interval errs towards being wide, for whatever comes and goes in the clip.

    Parameters
    ----------
    time_s
        Times of the examined frames, ``(n,)``.
    seen
        1 (or more) where something is seen, 0 where not, ``(n,)``; NaN frames are left out.
    stretch_s, every_s
        The sampling: the first ``stretch_s`` of every ``every_s`` seconds; equal where every frame
        was examined.

    Raises
    ------
    ValueError
        The lengths differ, or the sampling is none.
    """
    if time_s.shape != seen.shape or time_s.ndim != 1:
        raise ValueError(f"shapes are {time_s.shape} and {seen.shape}, must be one vector's")
    if not 0 < stretch_s <= every_s:
        raise ValueError(f"stretch_s is {stretch_s}, must lie above 0, up to every_s ({every_s})")
    known = ~np.isnan(seen)
    hits = (seen[known] > 0).astype(np.float64)
    n_frames = len(hits)
    if not n_frames:
        return Coverage(share=math.nan, low=math.nan, high=math.nan, n_frames=0, n_stretches=0)
    share = float(hits.mean())
    if stretch_s == every_s:
        return Coverage(share=share, low=share, high=share, n_frames=n_frames, n_stretches=1)
    _, stretch = np.unique(time_s[known] // every_s, return_inverse=True)
    sizes = np.bincount(stretch).astype(np.float64)
    low, high = binomial_interval(share, float(sizes.sum() ** 2 / (sizes**2).sum()))
    return Coverage(share=share, low=low, high=high, n_frames=n_frames, n_stretches=len(sizes))


def binomial_interval(share: float, n: float) -> tuple[float, float]:
    """Return the exact binomial 95 % interval of a share (0..1) among ``n`` draws.

    ``n`` need not be whole (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).
    """
    hits, tail = share * n, (1 - LEVEL) / 2
    low = float(scipy.stats.beta.ppf(tail, hits, n - hits + 1)) if share > 0 else 0.0
    high = float(scipy.stats.beta.ppf(1 - tail, hits + 1, n - hits)) if share < 1 else 1.0
    return low, high
