"""The contract that every installed modality keeps."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from offhand.clustering.space import feature_space
from offhand.modalities.base import Modality, installed
from offhand.records import ClipInfo, Features, Segments, Signal
from offhand.store import signal_files
from offhand.store.fingerprint import of_step
from tests.fixtures.looks import embedding_signal, tools_signal
from tests.fixtures.motion import blanked, motion_signal
from tests.fixtures.skeleton import pose_signal

STRETCHES = [(12.0, 0.8), (10.0, 1.7), (14.0, 0.45), (4.0, 0.0), (5.0, 1.2)]
TOOLS = tuple(enumerate(STRETCHES, start=1))
GAP = 4
"""Index of the segment in which the signals hold only NaN; the next one has no samples."""

NAMES = sorted(installed())


def signals(rate_hz: float = 15.0, *, start_s: float = 0.0) -> dict[str, Signal]:
    """Return every kind of signal that a modality may read."""
    scores = [(length, [0.2 + tempo / 4, 0.3, 0.1, 0.05 * k]) for k, (length, tempo) in TOOLS]
    found = {
        "appearance": embedding_signal(STRETCHES, start_s=start_s),
        "motion": motion_signal(STRETCHES, rate_hz=rate_hz, start_s=start_s, noise=0.005),
        "pose": pose_signal(STRETCHES, rate_hz=rate_hz, start_s=start_s),
        "tools": tools_signal(scores, start_s=start_s),
        "video": embedding_signal(STRETCHES, name="video", rate_hz=0.5, start_s=start_s),
    }
    return {
        name: blanked(one, start_s + 40, start_s + 45, [c for c in one.channels if c != "examined"])
        for name, one in found.items()
    }


def segments(start_s: float = 0.0) -> Segments:
    edges_s = start_s + np.append(np.cumsum([0, *(length for length, _ in STRETCHES)]), 52.0)
    return Segments(clip_id="clip", start_s=edges_s[:-1], stop_s=edges_s[1:])


@pytest.fixture(params=NAMES)
def modality(request: pytest.FixtureRequest) -> Modality:
    return installed()[request.param]()


def described(modality: Modality, rate_hz: float = 15.0, *, start_s: float = 0.0) -> Features:
    given = signals(rate_hz, start_s=start_s)
    missing = set(modality.signals) - set(given)
    assert not missing, f"add a synthetic signal {missing} to this suite"
    return modality.describe({name: given[name] for name in modality.signals}, segments(start_s))


def test_the_built_in_ones_are_installed() -> None:
    expected = {"body_pose", "ego_motion", "flow_rhythm", "tool_presence", "video_embedding"}
    assert expected <= set(NAMES)


def test_name_version_and_signals(modality: Modality, request: pytest.FixtureRequest) -> None:
    assert installed()[modality.name] is type(modality)
    assert isinstance(modality.version, int)
    assert modality.version >= 1
    assert all(isinstance(name, str) for name in modality.signals)
    assert all(isinstance(name, str) for name in modality.optional_signals)
    assert not set(modality.signals) & set(modality.optional_signals)


def test_options_are_frozen_documented_plain_data(modality: Modality) -> None:
    assert dataclasses.is_dataclass(modality)
    for field in dataclasses.fields(modality):
        assert field.kw_only
        assert field.metadata["doc"]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(modality, field.name, None)
    options = dataclasses.asdict(modality)
    assert json.loads(json.dumps(options)) == options
    assert pickle.loads(pickle.dumps(modality)) == modality
    assert len(of_step(modality)) == 12


def test_one_row_a_segment(modality: Modality) -> None:
    features = described(modality)
    cut = segments()
    assert features.modality == modality.name
    assert features.values.shape == (len(cut), len(features.columns))
    assert features.clip_id.tolist() == ["clip"] * len(cut)
    assert features.segment_id.tolist() == list(range(len(cut)))
    assert len(set(features.columns)) == len(features.columns)
    assert features.weights.shape == (len(features.columns),)
    assert (features.weights > 0).any()


def test_no_segments_give_no_rows(modality: Modality) -> None:
    none = Segments(clip_id="clip", start_s=np.empty(0), stop_s=np.empty(0))
    given = {name: signals()[name] for name in modality.signals}
    features = modality.describe(given, none)
    assert features.values.shape == (0, len(described(modality).columns))


def test_missing_data_are_nan_and_the_rest_is_finite(modality: Modality) -> None:
    features = described(modality)
    used = features.values[:, features.weights > 0]
    assert np.isnan(used[GAP]).all()
    assert np.isnan(features.values[GAP + 1]).all()
    assert np.isfinite(used[:GAP]).all()
    assert not np.isinf(features.values).any()


def test_no_samples_at_all(modality: Modality) -> None:
    empty = {
        name: dataclasses.replace(signal, time_s=signal.time_s[:0], values=signal.values[:0])
        for name, signal in signals().items()
    }
    features = modality.describe({name: empty[name] for name in modality.signals}, segments())
    assert np.isnan(features.values).all()
    _, known = feature_space(features.values, features.weights)
    assert not known.any()


def test_inputs_are_not_changed_and_the_answer_repeats(modality: Modality) -> None:
    given, cut = signals(), segments()
    before = {name: signal.values.copy() for name, signal in given.items()}
    first, second = (modality.describe(given, cut) for _ in range(2))
    assert first.values.tobytes() == second.values.tobytes()
    assert (first.columns, first.notes) == (second.columns, second.notes)
    for name, signal in given.items():
        np.testing.assert_array_equal(signal.values, before[name])


def test_signals_may_be_stored_and_read_in_parts(
    modality: Modality, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_files, "GROUP_ROWS", 64)
    given, stored = {}, {}
    for name in (*modality.signals, *modality.optional_signals):
        values = signals()[name].values.astype(np.float32).astype(np.float64)  # as files hold them
        given[name] = dataclasses.replace(signals()[name], values=values)
    for name, signal in given.items():
        with signal_files.writer(tmp_path / name, name) as writer:
            for start_s in range(0, 52, 2):
                writer.write(signal.between(start_s, start_s + 2))
            writer.close("key", ClipInfo())
        stored[name] = signal_files.StoredSignal(tmp_path / name)
    there, here = (modality.describe(one, segments()) for one in (stored, given))
    assert (there.columns, there.notes) == (here.columns, here.notes)
    np.testing.assert_allclose(there.values, here.values, rtol=1e-9, atol=1e-9)


def test_the_time_of_day_does_not_matter(modality: Modality) -> None:
    early, late = described(modality), described(modality, start_s=4096.0)
    np.testing.assert_allclose(late.values, early.values, rtol=1e-4, atol=1e-6)


def test_other_segments_do_not_matter(modality: Modality) -> None:
    given = {name: signals()[name] for name in modality.signals}
    alone = Segments(clip_id="clip", start_s=np.array([12.0]), stop_s=np.array([22.0]))
    values = modality.describe(given, alone).values
    np.testing.assert_array_equal(values[0], described(modality).values[1])


def test_the_sampling_rate_hardly_matters(modality: Modality) -> None:
    slow, fast = described(modality, 15.0), described(modality, 20.0)
    used = slow.weights > 0
    active = slow.values[:3, used] > -8  # bands that hold more than measurement noise
    off = np.abs(slow.values[:3, used] - fast.values[:3, used])[active]
    assert active.sum() > 10
    assert np.median(off) < 0.1
    assert off.max() < 0.6


def test_unlike_segments_get_unlike_rows(modality: Modality) -> None:
    features = described(modality)
    space, known = feature_space(features.values, features.weights)
    assert known.tolist() == [True] * GAP + [False, False]
    distance = np.linalg.norm(space[:, None] - space[None], axis=2)
    assert distance[~np.eye(len(space), dtype=bool)].min() > 0.5
