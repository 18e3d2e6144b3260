"""Camera motion, and the flow that stands in for it."""

from __future__ import annotations

import numpy as np
import pytest

from offhand.clustering.space import feature_space
from offhand.modalities.ego_motion import EgoMotion
from offhand.records import Features, Segments, Signal
from tests.fixtures.motion import FITTED, blanked, motion_signal


def describe(signal: Signal, edges_s: list[float]) -> Features:
    edges = np.array(edges_s, np.float64)
    cut = Segments(clip_id="a", start_s=edges[:-1], stop_s=edges[1:])
    return EgoMotion().describe({"motion": signal}, cut)


def column(features: Features, name: str) -> np.ndarray:
    return features.values[:, features.columns.index(name)]


def test_periods_of_camera_and_residual() -> None:
    features = describe(motion_signal([(12, 1 / 1.3)]), [0, 12])
    assert column(features, "camera_period_s")[0] == pytest.approx(1.3, rel=0.01)
    assert column(features, "residual_period_s")[0] == pytest.approx(1.3, rel=0.01)


def test_levels_and_their_ratio() -> None:
    signal = motion_signal([(12, 1)])
    features = describe(signal, [0, 12])
    camera, residual = (signal.channel(f"{name}_speed").mean() for name in ("camera", "residual"))
    assert column(features, "camera_speed")[0] == pytest.approx(camera)
    assert column(features, "residual_speed")[0] == pytest.approx(residual)
    assert column(features, "residual_ratio")[0] == pytest.approx(residual / camera)
    assert column(features, "camera_fit_share")[0] == 1
    assert column(features, "proxy")[0] == 0
    assert "proxy" not in features.notes


@pytest.mark.parametrize("rate_hz", [15.0, 10.0, 6.0])
def test_flow_stands_in_and_the_row_says_so(rate_hz: float) -> None:
    signal = motion_signal([(30, 1 / 1.3)], rate_hz=rate_hz)
    features = describe(blanked(signal, 10, 20, FITTED), [0, 10, 20, 30])
    np.testing.assert_array_equal(column(features, "proxy"), [0, 1, 0])
    np.testing.assert_array_equal(column(features, "camera_fit_share"), [1, 0, 1])
    assert "1 of 3" in features.notes["proxy"]
    assert column(features, "camera_period_s")[1] == pytest.approx(1.3, rel=0.01)
    assert np.isnan(column(features, "residual_speed")[1])
    assert np.isnan(column(features, "residual_ratio")[1])
    inside = (signal.time_s >= 10) & (signal.time_s < 20)
    assert column(features, "camera_speed")[1] == pytest.approx(
        signal.channel("flow_speed")[inside].mean()
    )
    _, described = feature_space(features.values, features.weights)
    assert described.all()


def test_a_few_failed_fits_do_not_call_for_flow() -> None:
    features = describe(blanked(motion_signal([(10, 1)]), 3, 5, FITTED), [0, 10])
    assert column(features, "proxy")[0] == 0
    assert column(features, "camera_fit_share")[0] == pytest.approx(0.8, abs=0.01)


def test_where_nothing_was_recorded_nothing_stands_in() -> None:
    features = describe(motion_signal([(10, 1)]), [0, 10, 14])
    assert np.isnan(features.values[1]).all()
    assert "proxy" not in features.notes
