from __future__ import annotations

import numpy as np
import pytest

from offhand.records import Signal
from offhand.rhythm.witnesses import (
    PICTURE_COMPONENTS,
    POSE_COMPONENTS,
    RATE_HZ,
    Witness,
    contrast,
    from_signals,
)
from offhand.signals.motion import CHANNELS
from offhand.signals.picture import CHANNELS as PIXELS
from offhand.signals.pose import CHANNELS as JOINTS


def signal(name: str, channels: tuple[str, ...], *, gap: slice = slice(0, 0)) -> Signal:
    values = np.random.default_rng(len(channels)).normal(size=(150, len(channels)))
    values[gap] = np.nan
    return Signal(name=name, time_s=np.arange(150) / 15, channels=channels, values=values)


def test_witnesses_of_a_stretch() -> None:
    signals = {"motion": signal("motion", CHANNELS), "picture": signal("picture", PIXELS)}
    found = {one.name: one for one in from_signals(signals, start_s=2.0, stop_s=8.0)}
    assert set(found) == {"flow", "residual", "picture", "advance"}
    assert {len(one.values) for one in found.values()} == {round(6 * RATE_HZ)}
    assert found["picture"].values.shape[1] == PICTURE_COMPONENTS
    assert found["flow"].source == found["residual"].source
    columns = [CHANNELS.index("flow_x"), CHANNELS.index("flow_y")]
    assert found["flow"].values == pytest.approx(signals["motion"].values[30:120, columns])


def test_a_body_is_a_witness_where_it_was_looked_for() -> None:
    signals = {"motion": signal("motion", CHANNELS), "picture": signal("picture", PIXELS)}
    signals["pose"] = signal("pose", JOINTS, gap=slice(60, 150))
    pose = from_signals(signals, start_s=0.0, stop_s=10.0)[-1]
    assert (pose.name, pose.values.shape[1], pose.leads) == ("pose", POSE_COMPONENTS, False)
    assert pose.known[:55].all()
    assert not pose.known[75:].any()


def test_contrast_does_not_see_light() -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (5, 64))
    assert contrast(pictures) == pytest.approx(contrast(0.5 * pictures + 30), abs=1e-5)


def test_short_gaps_are_bridged_and_long_ones_are_zero() -> None:
    values = np.linspace(0, 1, 150)[:, None] * np.ones((1, 2))
    values[40:44] = np.nan
    values[90:120] = np.nan
    one = Witness(name="flow", values=values, source="motion").bridged()
    assert one.known[40:44].all()
    assert not one.known[95:115].any()
    assert np.all(one.filled()[100] == 0)
    nothing = Witness(name="flow", values=np.full((30, 2), np.nan), source="motion")
    assert np.all(nothing.filled() == 0)
