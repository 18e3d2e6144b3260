"""From time-stamped samples to a uniform grid."""

from __future__ import annotations

import numpy as np

from offhand.records import FloatArray

LONGEST_GAP_S = 0.5
"""Samples further apart than this are not joined by interpolation."""

MARGIN_S = 10.0
"""Samples further outside the grid than this have no say: a day's samples are not gone through for
each of its segments."""


def to_uniform(
    time_s: FloatArray,
    values: FloatArray,
    *,
    rate_hz: float,
    start_s: float,
    stop_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Interpolate samples onto a uniform grid, with NaN where a gap is too long to bridge.

    Parameters
    ----------
    time_s
        ``(n,)``, increasing.
    values
        ``(n, d)``; NaN samples are gaps.
    rate_hz
        Rate of the grid.
    start_s, stop_s
        The grid covers ``[start_s, stop_s)``.

    Returns
    -------
    grid_s : FloatArray
        ``(m,)``.
    uniform : FloatArray
        ``(m, d)``.
    """
    grid_s = (
        start_s + np.arange(max(0, int(np.ceil((stop_s - start_s) * rate_hz - 1e-9)))) / rate_hz
    )
    first, last = np.searchsorted(time_s, [start_s - MARGIN_S, stop_s + MARGIN_S])
    time_s, values = time_s[first:last], values[first:last]
    uniform = np.full((len(grid_s), values.shape[1]), np.nan)
    gaps = np.isnan(values)
    alike = values.shape[1] > 0 and bool((gaps == gaps[:, :1]).all())
    for columns in [slice(None)] if alike else [slice(c, c + 1) for c in range(values.shape[1])]:
        known = ~gaps[:, columns][:, 0]
        at_s, levels = time_s[known], values[known, columns]
        if len(at_s) == 0:
            continue
        following = np.searchsorted(at_s, grid_s, side="left")
        after, before = following.clip(0, len(at_s) - 1), (following - 1).clip(0)
        gap_s = at_s[after] - at_s[before]
        share = (grid_s - at_s[before]) / np.where(gap_s > 0, gap_s, np.inf)
        near = np.minimum(np.abs(grid_s - at_s[before]), np.abs(grid_s - at_s[after]))
        outside = (grid_s < at_s[0] - LONGEST_GAP_S) | (grid_s > at_s[-1] + LONGEST_GAP_S)
        filled = levels[before] + (levels[after] - levels[before]) * share[:, None]
        filled[((gap_s > LONGEST_GAP_S) & (near > 0.5 / rate_hz)) | outside] = np.nan
        uniform[:, columns] = filled
    return grid_s, uniform
