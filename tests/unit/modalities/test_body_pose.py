"""Posture and rhythm of a jointed figure whose angles are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offhand.clustering.space import feature_space
from offhand.modalities.body_pose import COLUMNS, INFORMATIVE, BodyPose
from offhand.records import Features, FloatArray, Segments, Signal
from tests.fixtures.motion import blanked
from tests.fixtures.skeleton import FOREARM, UPPER_ARM, figure

TIME_S = np.arange(120) / 10


def wave(hz: float, time_s: FloatArray = TIME_S) -> FloatArray:
    return np.sin(2 * np.pi * hz * time_s)


def describe(pose: Signal, edges_s: Sequence[float] = (0, 12), **options: float) -> Features:
    edges = np.array(edges_s, np.float64)
    cut = Segments(clip_id="a", start_s=edges[:-1], stop_s=edges[1:])
    return BodyPose(**options).describe({"pose": pose}, cut)


def row(features: Features, index: int = 0) -> dict[str, float]:
    return dict(zip(features.columns, features.values[index].tolist(), strict=True))


def hidden(pose: Signal, *points: str, visibility: float = 0.1) -> Signal:
    values = pose.values.copy()
    for point in points:
        values[:, pose.channels.index(f"{point}_visibility")] = visibility
    return replace(pose, values=values)


def worker(**changes: Any) -> Signal:
    """Return a figure whose left arm works faster than its right one."""
    given: dict[str, Any] = {
        "lean_deg": 25.0 + 5.0 * wave(0.5),
        "arms_deg": (60.0 + 20.0 * wave(1.5), 30.0 + 5.0 * wave(1.5)),
        "elbows_deg": (90.0 + 20.0 * wave(1.5), 160.0),
        "bob": 0.1 * wave(0.5),
    }
    return figure(TIME_S, **{**given, **changes})


def test_eighteen_columns_count_and_four_inform() -> None:
    features = describe(worker())
    assert features.columns == (*INFORMATIVE, *COLUMNS)
    assert features.weights.tolist() == [0.0] * 4 + [1.0] * 18
    assert BodyPose.optional_signals == ()


def test_lengths_and_angles_at_rest() -> None:
    still = row(
        describe(
            figure(
                TIME_S,
                span=0.7,
                lean_deg=35.0,
                arms_deg=(90.0, 0.0),
                elbows_deg=(180.0, 60.0),
                hip_deg=120.0,
                knee_deg=80.0,
            )
        )
    )
    assert still["body_share"] == 1
    assert still["visibility"] == pytest.approx(0.9)
    assert still["shoulder_span"] == pytest.approx(0.7)
    assert still["torso_lean_deg"] == pytest.approx(35)
    assert still["hip_deg"] == pytest.approx(120, abs=6)  # hips are narrower than shoulders
    assert still["knee_deg"] == pytest.approx(80)
    elbows = {still["working_elbow_deg"], still["other_elbow_deg"]}
    assert sorted(elbows) == pytest.approx([60, 180])
    spreads = [name for name in COLUMNS if "spread" in name or "speed" in name]
    assert [still[name] for name in spreads] == pytest.approx([0] * 7, abs=1e-6)
    assert np.isnan(still["bob_period_s"])


def test_the_height_of_the_wrists() -> None:
    raised = row(describe(figure(TIME_S, arms_deg=(180.0, 180.0), elbows_deg=(180.0, 180.0))))
    hanging = row(describe(figure(TIME_S, arms_deg=(0.0, 0.0), elbows_deg=(180.0, 180.0))))
    for arm in ("working", "other"):
        assert raised[f"{arm}_wrist_height"] == pytest.approx(UPPER_ARM + FOREARM)
        assert hanging[f"{arm}_wrist_height"] == pytest.approx(-UPPER_ARM - FOREARM)
    assert hanging["wrist_span"] == pytest.approx(0.7)


def test_the_working_arm_is_the_faster_one() -> None:
    left = row(describe(worker()))
    assert left["working_elbow_deg"] == pytest.approx(90, abs=1)
    assert left["working_elbow_spread_deg"] == pytest.approx(20 / np.sqrt(2), rel=0.02)
    assert left["other_elbow_deg"] == pytest.approx(160)
    assert left["other_elbow_spread_deg"] == pytest.approx(0, abs=1e-6)
    assert left["torso_lean_spread_deg"] == pytest.approx(5 / np.sqrt(2), rel=0.02)
    assert left["working_wrist_speed"] > 2 * left["other_wrist_speed"]


def test_the_speed_of_the_wrist() -> None:
    swing_deg = 20.0
    arm = figure(
        TIME_S,
        arms_deg=(90 + swing_deg * wave(0.5), 20.0),
        elbows_deg=(180.0, 180.0),
        bob=wave(0.3),
    )
    mean_speed = (UPPER_ARM + FOREARM) * np.radians(swing_deg) * 4 * 0.5
    assert row(describe(arm))["working_wrist_speed"] == pytest.approx(mean_speed, rel=0.03)
    assert row(describe(arm))["other_wrist_speed"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("period_s", [0.7, 1.3, 2.8])
@pytest.mark.parametrize("rate_hz", [7.5, 10.0, 12.5])
def test_period_and_amplitude_of_the_bobbing(period_s: float, rate_hz: float) -> None:
    time_s = np.arange(0, 12, 1 / rate_hz)
    noise = np.random.default_rng(1).normal(0, 0.01, len(time_s))
    bobbing = figure(time_s, bob=0.15 * wave(1 / period_s, time_s) + noise)
    found = row(describe(bobbing))
    assert found["bob_period_s"] == pytest.approx(period_s, rel=0.02)
    assert found["bob_amplitude"] == pytest.approx(0.15, rel=0.1)
    slow, fast = found["bob_0.20hz"], found["bob_0.80hz"]
    assert (slow > fast + 2) if period_s > 1.25 else (fast > slow + 2)


def test_a_period_that_the_sampling_does_not_resolve_is_not_believed() -> None:
    time_s = np.arange(0, 20, 0.2)
    found = row(describe(figure(time_s, bob=0.15 * wave(1.6, time_s)), (0, 20)))
    assert np.isnan(found["bob_period_s"])
    assert np.isnan(found["bob_0.80hz"])  # it reaches up to 3.2 Hz
    assert np.isfinite(found["bob_0.20hz"])


def test_size_and_place_in_the_image_do_not_matter() -> None:
    near, far = worker(torso=0.4, at=(0.5, 0.6)), worker(torso=0.05, at=(1.4, 0.2))
    np.testing.assert_allclose(
        describe(near).values, describe(far).values, rtol=1e-9, atol=1e-9, equal_nan=True
    )


def test_a_mirrored_worker_does_the_same() -> None:
    plain, mirrored = describe(worker()), describe(worker(mirrored=True))
    np.testing.assert_allclose(plain.values, mirrored.values, atol=1e-9, equal_nan=True)


def test_a_left_handed_worker_does_the_same() -> None:
    right = worker(
        arms_deg=(30.0 + 5.0 * wave(1.5), 60.0 + 20.0 * wave(1.5)),
        elbows_deg=(160.0, 90.0 + 20.0 * wave(1.5)),
        lean_deg=-25.0 - 5.0 * wave(0.5),
    )
    plain, other = describe(worker()), describe(right)
    np.testing.assert_allclose(plain.values, other.values, atol=1e-9, equal_nan=True)


def test_what_is_hidden_is_missing_not_zero() -> None:
    legless = row(describe(hidden(worker(), "left_ankle", "right_ankle")))
    assert np.isnan(legless.pop("knee_deg"))
    assert not np.isnan(list(legless.values())).any()
    torso = hidden(worker(), "left_hip", "right_hip")
    headless = row(describe(torso))
    angles = {"working_elbow_deg", "other_elbow_deg", "knee_deg"}
    known = {name for name in COLUMNS if not np.isnan(headless[name])}
    assert known == {"working_elbow_deg", "working_elbow_spread_deg"} | (
        angles - {"knee_deg"} | {"other_elbow_spread_deg"}
    )
    assert 0 not in [headless[name] for name in COLUMNS]


def test_one_knee_is_enough() -> None:
    both = row(describe(worker(knee_deg=100.0)))
    one = row(describe(hidden(worker(knee_deg=100.0), "left_knee")))
    assert one["knee_deg"] == pytest.approx(both["knee_deg"])
    assert one["hip_deg"] == pytest.approx(both["hip_deg"], abs=15)


def test_one_arm_in_view_is_the_working_arm() -> None:
    found = row(describe(hidden(worker(), "left_wrist")))
    assert found["working_elbow_deg"] == pytest.approx(160)
    missing = {name for name in COLUMNS if np.isnan(found[name])}
    assert missing == {"wrist_span", *(name for name in COLUMNS if name.startswith("other_"))}


def test_a_wrist_behind_a_hidden_elbow_is_not_believed() -> None:
    found = row(describe(hidden(worker(), "right_elbow")))
    missing = {name for name in COLUMNS if np.isnan(found[name])}
    assert missing == {name for name in COLUMNS if name.startswith("other_")}


def test_a_keypoint_seen_too_rarely_counts_as_hidden() -> None:
    ankles = [f"{side}_ankle_{axis}" for side in ("left", "right") for axis in "xy"]
    rare = blanked(worker(knee_deg=100.0), 0, 7, ankles)
    assert np.isnan(row(describe(rare))["knee_deg"])
    assert row(describe(rare, min_share=0.3))["knee_deg"] == pytest.approx(100, abs=1)


def test_a_torso_that_turns_away_does_not_change_the_unit() -> None:
    pose = figure(TIME_S, span=0.7)
    values = pose.values.copy()
    for side in ("left", "right"):
        values[:70, pose.channels.index(f"{side}_hip_y")] -= 0.1  # half the torso
    found = row(describe(replace(pose, values=values)))
    assert found["shoulder_span"] == pytest.approx(0.7)


def test_visibility_is_a_threshold() -> None:
    dim = hidden(worker(), "left_ankle", "right_ankle", visibility=0.4)
    assert np.isnan(row(describe(dim))["knee_deg"])
    assert np.isfinite(row(describe(dim, min_visibility=0.3))["knee_deg"])


def test_no_body_is_a_row_of_nan_and_a_note() -> None:
    pose = blanked(worker(), 4, 8, worker().channels[:-1])
    features = describe(pose, (0, 4, 8, 12, 16))
    assert np.isnan(features.values[1][features.weights > 0]).all()
    assert row(features, 1)["body_share"] == 0
    assert np.isnan(features.values[3]).all()
    assert np.isfinite(features.values[[0, 2]][:, features.weights > 0]).all()
    assert "2 of 4 segments" in features.notes["no_body"]
    _, described = feature_space(features.values, features.weights)
    assert described.tolist() == [True, False, True, False]


def test_a_body_seen_too_rarely_is_not_described() -> None:
    pose = blanked(worker(), 2.5, 12, worker().channels[:-1])
    rare = describe(pose)
    assert row(rare)["body_share"] == pytest.approx(25 / 120)
    assert np.isnan(rare.values[0][rare.weights > 0]).all()
    assert "no_body" in rare.notes
    enough = describe(pose, min_share=0.1)
    assert row(enough)["torso_lean_deg"] == pytest.approx(25, abs=2)
    assert "no_body" not in enough.notes


def test_frames_without_a_look_are_bridged() -> None:
    pose = worker()
    values = pose.values.copy()
    values[5::10, :-1] = np.nan
    gappy = row(describe(replace(pose, values=values)))
    whole = row(describe(pose))
    assert gappy["body_share"] == pytest.approx(0.9)
    assert gappy["torso_lean_deg"] == pytest.approx(whole["torso_lean_deg"], abs=0.5)
    assert gappy["bob_0.20hz"] == pytest.approx(whole["bob_0.20hz"], abs=0.1)


@pytest.mark.parametrize("name", ["min_visibility", "min_share"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_options_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        BodyPose(**{name: value})
