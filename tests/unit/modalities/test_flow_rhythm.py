"""The rhythm of the optical flow."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.modalities.flow_rhythm import CHANNELS, FlowRhythm
from offhand.records import Features, Segments, Signal
from tests.fixtures.motion import motion_signal


def describe(signal: Signal, edges_s: list[float], **options: float) -> Features:
    edges = np.array(edges_s, np.float64)
    cut = Segments(clip_id="a", start_s=edges[:-1], stop_s=edges[1:])
    return FlowRhythm(**options).describe({"motion": signal}, cut)


def column(features: Features, name: str) -> np.ndarray:
    return features.values[:, features.columns.index(name)]


def test_the_period_of_each_segment() -> None:
    features = describe(motion_signal([(12, 1 / 1.3), (12, 1 / 0.6)]), [0, 12, 24])
    np.testing.assert_allclose(column(features, "period_s"), [1.3, 0.6], rtol=0.01)
    assert column(features, "strength").min() > 0.8


def test_noise_has_no_period() -> None:
    features = describe(motion_signal([(60, 0)], noise=0.1), list(range(0, 61, 6)))
    assert np.isnan(column(features, "period_s")).mean() >= 0.8
    assert np.isfinite(column(features, "strength")).all()


def test_mean_flow() -> None:
    signal = motion_signal([(12, 1)])
    features = describe(signal, [0, 12])
    assert column(features, "flow_mean")[0] == pytest.approx(
        signal.channel("flow_speed").mean(), rel=0.01
    )


def test_only_band_powers_enter_the_distance() -> None:
    features = describe(motion_signal([(12, 1)]), [0, 12], n_bands=4)
    weight = dict(zip(features.columns, features.weights, strict=True))
    assert {name for name, w in weight.items() if w == 0} == {"period_s", "strength", "flow_mean"}
    assert sum(features.weights) == 4 * len(CHANNELS)


def test_bands_above_half_the_sampling_rate_are_missing() -> None:
    features = describe(motion_signal([(12, 1)], rate_hz=6.0), [0, 12])
    fast = [name for name in features.columns if name.endswith(("_3.10hz", "_4.66hz"))]
    assert len(fast) == 2 * len(CHANNELS)
    for name in fast:
        assert np.isnan(column(features, name)).all()
    assert np.isfinite(column(features, "flow_x_0.92hz")).all()
