"""The rhythm followed along a clip."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from offhand.records import Clip, Signal
from offhand.rhythm.flow import STEP_S
from offhand.stages import follow
from offhand.stages.follow import CHANNELS, RATE_HZ


def swaying(length_s: float, *, rate_hz: float = 30.0, start_s: float = 0.0) -> Signal:
    """Return flow to and fro, twice as fast in the second half, with a gap of 3 s."""
    time_s = start_s + np.arange(round(length_s * rate_hz)) / rate_hz
    half = length_s / 2
    at_s = time_s - start_s
    phase = np.where(at_s < half, at_s / 2, half / 2 + (at_s - half))
    flow = np.sin(2 * np.pi * phase)
    flow[(at_s > half / 2) & (at_s < half / 2 + 3)] = np.nan
    values = np.column_stack([flow, 0.3 * flow, np.abs(flow)])
    return Signal(name="motion", time_s=time_s, channels=CHANNELS, values=values, notes={})


def followed(signal: Signal, *, from_s: float, stop_s: float) -> pd.DataFrame:
    clip = Clip(clip_id="a", path="a.mp4", from_s=from_s)
    return pd.concat(follow._rhythm(signal, clip, stop_s=stop_s), ignore_index=True)


def test_a_row_a_sample_with_the_period_around_it() -> None:
    table = followed(swaying(120, start_s=7.0), from_s=7.0, stop_s=127.0)
    np.testing.assert_allclose(table["time_s"], 7.0 + np.arange(120 * RATE_HZ) / RATE_HZ)
    slow, fast = (table["time_s"].between(*span) for span in ((45, 60), (75, 120)))
    assert table["period_s"][slow].to_numpy() == pytest.approx(2.0, rel=0.05)
    assert table["period_s"][fast].to_numpy() == pytest.approx(1.0, rel=0.05)
    gap = table["time_s"].between(7.0 + 31, 7.0 + 32)
    assert table["flow_magnitude"][gap].isna().all()
    changes = table["time_s"][table["strength"].diff().abs() > 0]
    assert changes.diff().min() > 0.9 * STEP_S


@pytest.mark.parametrize("steps", [1, 7, 50])
def test_parts_join_to_the_whole(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    signal = swaying(61.3)
    whole = followed(signal, from_s=0.0, stop_s=61.3)
    monkeypatch.setattr(follow, "STEPS_AT_ONCE", steps)
    parts = followed(signal, from_s=0.0, stop_s=61.3)
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-9)
