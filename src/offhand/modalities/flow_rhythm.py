"""Rhythm of the optical flow: which tempi, in which direction, how strongly.

The clusters rest on the power of the signed flow, of its speed, and of the residual motion in the
work zone, in bands of tempo. Period, strength and mean flow (the seed's three features) inform the
reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from offhand.modalities.base import (
    mean_known,
    resolved_hz,
    segment_series,
    tabulate,
    tempo_columns,
    tempo_features,
)
from offhand.records import Features, LongSignal, Segments, option
from offhand.rhythm.flow import flow_period
from offhand.rhythm.spectrum import band_edges

RATE_HZ = 15.0
CHANNELS = ("flow_x", "flow_y", "flow_speed", "residual_x", "residual_y", "residual_speed")
INFORMATIVE = ("period_s", "strength", "flow_mean")


@dataclass(frozen=True, kw_only=True)
class FlowRhythm:
    """Band powers of flow and residual motion.

    Attributes
    ----------
    n_bands
        Number of tempo bands between ``low_hz`` and ``high_hz``.
    low_hz, high_hz
        Slowest and fastest tempo.
    """

    name: ClassVar[str] = "flow_rhythm"
    version: ClassVar[int] = 3
    signals: ClassVar[tuple[str, ...]] = ("motion",)
    optional_signals: ClassVar[tuple[str, ...]] = ()

    n_bands: int = option(10, "number of tempo bands")
    low_hz: float = option(0.12, "slowest tempo in cycles per second")
    high_hz: float = option(7.0, "fastest tempo in cycles per second")

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment by its flow; see :class:`offhand.records.Features`."""
        motion = signals["motion"].whole()
        edges = band_edges(self.low_hz, self.high_hz, self.n_bands)
        columns = tempo_columns(CHANNELS, edges)
        highest_hz = min(RATE_HZ / 2, resolved_hz(motion))
        rows = []
        for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
            series = segment_series(
                motion, CHANNELS, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s
            )
            row = tempo_features(series, columns, edges, rate_hz=RATE_HZ, highest_hz=highest_hz)
            period = flow_period(series[:, :3], rate_hz=RATE_HZ)
            row["period_s"], row["strength"] = period.period_s, period.strength
            row["flow_mean"] = mean_known(series[:, 2])
            rows.append(row)
        return tabulate(self.name, segments, rows, informative=INFORMATIVE, columns=columns)
