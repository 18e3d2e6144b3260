"""Coverage: in which share of the frames something (a hand, a body) is seen, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from scipy.stats import t as student_t

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

    Neighbouring frames are alike, so the stretches are what is sampled: the variance is that of
    the ratio estimator over stretches as clusters (Cochran 1977, chapter 11), with the correction
    for the part of the clip that was examined. The interval is that of Korn and Graubard (Survey
    Methodology 24, 1998): the exact binomial one for the effective number of frames. Where the
    stretches do not differ at all, or there is but one, each counts as one frame.

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
    effective = _effective_size(
        np.bincount(stretch, weights=hits).astype(np.float64), sizes, 1 - stretch_s / every_s
    )
    low, high = _binomial_interval(share, effective)
    return Coverage(share=share, low=low, high=high, n_frames=n_frames, n_stretches=len(sizes))


def _effective_size(hits: FloatArray, sizes: FloatArray, unseen: float) -> float:
    """Return how many independent frames tell as much as stretches of ``sizes`` with ``hits``.

    ``unseen`` is the share of the clip that was not examined.
    """
    n_stretches, n_frames = len(sizes), float(sizes.sum())
    share = hits.sum() / n_frames
    if n_stretches == 1:
        return 1.0
    residual = hits - share * sizes
    variance = unseen * n_stretches / (n_stretches - 1) * float(np.sum(residual**2)) / n_frames**2
    if variance == 0:
        return float(n_stretches)
    tail = (1 + LEVEL) / 2
    narrower = student_t.ppf(tail, n_frames - 1) / student_t.ppf(tail, n_stretches - 1)
    effective = share * (1 - share) / variance * narrower**2
    return float(min(max(effective, 1.0), n_frames))


def _binomial_interval(share: float, n: float) -> tuple[float, float]:
    """Return the exact binomial interval of a share among ``n`` draws; ``n`` need not be whole."""
    hits, tail = share * n, (1 - LEVEL) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if share < 1 else 1.0
    return low, high
