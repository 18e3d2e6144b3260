"""How the head moves: camera motion against what the camera does not explain.

The clusters rest on the power of signed camera motion and of residual motion in bands of tempo.
Where the camera fit fails, the flow stands in for the camera, and the row says so (``proxy``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offhand.modalities.base import (
    mean_known,
    resolved_hz,
    segment_series,
    tabulate,
    tempo_columns,
    tempo_features,
)
from offhand.records import Features, LongSignal, Segments, option
from offhand.rhythm.periodicity import estimate_periods
from offhand.rhythm.spectrum import band_edges

RATE_HZ = 15.0
CHANNELS = ("camera_x", "camera_y", "camera_roll", "camera_zoom", "residual_speed")
STAND_INS = {"camera_x": "flow_x", "camera_y": "flow_y", "camera_speed": "flow_speed"}
INFORMATIVE = (
    "camera_speed",
    "residual_speed",
    "residual_ratio",
    "camera_period_s",
    "residual_period_s",
    "camera_fit_share",
    "proxy",
)


@dataclass(frozen=True, kw_only=True)
class EgoMotion:
    """Band powers of camera and residual motion.

    Attributes
    ----------
    n_bands
        Number of tempo bands between ``low_hz`` and ``high_hz``.
    low_hz, high_hz
        Slowest and fastest tempo.
    min_fit_share
        Share of a segment's samples whose camera fit must have worked; below, flow stands in.
    """

    name: ClassVar[str] = "ego_motion"
    version: ClassVar[int] = 3
    signals: ClassVar[tuple[str, ...]] = ("motion",)
    optional_signals: ClassVar[tuple[str, ...]] = ()

    n_bands: int = option(10, "number of tempo bands")
    low_hz: float = option(0.12, "slowest tempo in cycles per second")
    high_hz: float = option(7.0, "fastest tempo in cycles per second")
    min_fit_share: float = option(
        0.5, "share of samples with a camera fit below which the flow stands in for it"
    )

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment by its camera motion; see :class:`offhand.records.Features`."""
        motion = signals["motion"].whole()
        edges = band_edges(self.low_hz, self.high_hz, self.n_bands)
        columns = tempo_columns(CHANNELS, edges)
        highest_hz = min(RATE_HZ / 2, resolved_hz(motion))
        rows = []
        for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
            inside = (motion.time_s >= start_s) & (motion.time_s < stop_s)
            fitted = ~np.isnan(motion.channel("camera_x")[inside])
            share = float(fitted.mean()) if len(fitted) else np.nan
            proxy = share < self.min_fit_share
            names = [STAND_INS.get(name, name) if proxy else name for name in CHANNELS]
            series = segment_series(motion, names, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s)
            row = tempo_features(series, columns, edges, rate_hz=RATE_HZ, highest_hz=highest_hz)
            speed = STAND_INS["camera_speed"] if proxy else "camera_speed"
            camera_mean = mean_known(motion.channel(speed)[inside])
            residual_mean = mean_known(motion.channel("residual_speed")[inside])
            row["camera_speed"], row["residual_speed"] = camera_mean, residual_mean
            row["residual_ratio"] = residual_mean / camera_mean if camera_mean > 0 else np.nan
            *camera, residual = estimate_periods(series[:, [0, 1, -1]].T, rate_hz=RATE_HZ)
            clearest = max(camera, key=lambda p: (not np.isnan(p.period_s), p.strength))
            row["camera_period_s"] = clearest.period_s
            row["residual_period_s"] = residual.period_s
            row["camera_fit_share"] = share
            row["proxy"] = float(proxy) if len(fitted) else np.nan
            rows.append(row)
        n_proxy = sum(row["proxy"] == 1 for row in rows)
        notes = {}
        if n_proxy:
            notes["proxy"] = (
                f"camera fit failed in {n_proxy} of {len(rows)} segments: flow stands in for it"
            )
        return tabulate(
            self.name, segments, rows, informative=INFORMATIVE, columns=columns, notes=notes
        )
