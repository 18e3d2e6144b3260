"""Records refuse what they cannot mean."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from offhand.records import (
    Clip,
    ClipInfo,
    Clusters,
    Features,
    FrameBlock,
    FrameRequest,
    Segments,
    Signal,
    option,
)

NAN, INF = float("nan"), float("inf")


def signal(**other: Any) -> Signal:
    given = {
        "name": "motion",
        "time_s": np.array([0.0, 0.5, 1.0]),
        "channels": ("x", "y"),
        "values": np.arange(6.0).reshape(3, 2),
    }
    return Signal(**given | other)


def segments(
    start_s: list[float], stop_s: list[float], change_s: list[float] | None = None
) -> Segments:
    return Segments(
        clip_id="a",
        start_s=np.array(start_s),
        stop_s=np.array(stop_s),
        change_s=None if change_s is None else np.array(change_s),
    )


def features(**other: Any) -> Features:
    given = {
        "modality": "m",
        "clip_id": np.array(["a", "a"]),
        "segment_id": np.array([0, 1]),
        "columns": ("p", "q", "r"),
        "weights": np.array([0.0, 1.0, 2.0]),
        "values": np.zeros((2, 3)),
    }
    return Features(**given | other)


@pytest.mark.parametrize(
    "record",
    [
        Clip(clip_id="a", path="a.mp4"),
        ClipInfo(),
        FrameRequest(rate_hz=None, short_side_px=16, colour="rgb"),
        FrameBlock(time_s=np.empty(0), images=np.empty((0, 4, 4), np.uint8)),
        signal(),
        segments([], []),
        features(),
        Clusters(label=np.array([0]), probability=np.array([NAN])),
    ],
    ids=lambda record: type(record).__name__,
)
def test_records_are_frozen(record: Any) -> None:
    for field in dataclasses.fields(record):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field.name, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"clip_id": ""},
        {"from_s": -0.1},
        {"from_s": NAN},
        {"from_s": INF},
        {"from_s": 3.0, "to_s": 3.0},
        {"to_s": NAN},
        {"to_s": -1.0},
    ],
)
def test_clip(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"clip_id|from_s|to_s"):
        Clip(**{"clip_id": "a", "path": "a.mp4"} | wrong)


def test_an_open_clip() -> None:
    assert Clip(clip_id="a", path="a.mp4", from_s=3.0).to_s is None


@pytest.mark.parametrize("wrong", [{"rate_hz": 0}, {"rate_hz": NAN}, {"short_side_px": 15}])
def test_frame_request(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FrameRequest(**{"rate_hz": 15.0, "short_side_px": 160, "colour": "grey"} | wrong)


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [1.0, 0.0], [0.0, NAN], [0.0, INF]])
def test_frame_block(times: list[float]) -> None:
    with pytest.raises(ValueError, match="times"):
        FrameBlock(time_s=np.array(times), images=np.zeros((2, 4, 4), np.uint8))


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": np.zeros((3, 1))},
        {"values": np.zeros((2, 2))},
        {"values": np.zeros(3)},
        {"time_s": np.array([0.0, 1.0, 1.0])},
        {"time_s": np.array([0.0, 2.0, 1.0])},
        {"time_s": np.array([0.0, NAN, 1.0])},
        {"channels": ("x", "x")},
    ],
)
def test_signal(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape|times|unique"):
        signal(**wrong)


def test_one_sample_at_no_time() -> None:
    with pytest.raises(ValueError, match="times"):
        signal(time_s=np.array([NAN]), values=np.zeros((1, 2)))


def test_a_signal_gives_its_channels_by_name() -> None:
    np.testing.assert_array_equal(signal().channel("y"), [1, 3, 5])
    with pytest.raises(KeyError, match=r"'z'.*'motion'.*'x', 'y'"):
        signal().channel("z")


@pytest.mark.parametrize(
    ("start_s", "stop_s"),
    [
        ([0.0], [0.0]),
        ([1.0], [0.0]),
        ([0.0, 0.5], [1.0, 2.0]),
        ([1.0, 0.0], [2.0, 1.0]),
        ([0.0], [NAN]),
        ([NAN], [1.0]),
        ([0.0], [INF]),
        ([0.0, 1.0], [1.0]),
        ([[0.0]], [[1.0]]),
    ],
)
def test_segments(start_s: Any, stop_s: Any) -> None:
    with pytest.raises(ValueError, match=r"segment|vectors"):
        segments(start_s, stop_s)


def test_segments_may_leave_gaps() -> None:
    assert len(segments([0.0, 1.5], [1.0, 2.0])) == 2


def test_each_segment_has_a_change_point_or_none_has() -> None:
    assert segments([0.0, 1.5], [1.0, 2.0], [0.0, 1.75]).change_s is not None
    with pytest.raises(ValueError, match="change_s"):
        segments([0.0, 1.5], [1.0, 2.0], [0.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": np.zeros((2, 2))},
        {"values": np.zeros((3, 3))},
        {"segment_id": np.array([0])},
        {"columns": ("p", "q", "p")},
        {"weights": np.array([0.0, 1.0])},
        {"weights": np.array([0.0, 1.0, -1.0])},
        {"weights": np.array([0.0, 1.0, NAN])},
    ],
)
def test_features(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape|unique|weights"):
        features(**wrong)


@pytest.mark.parametrize(
    ("label", "probability"),
    [([0, 1], [0.5]), ([[0]], [[0.5]]), ([0], [1.5]), ([0], [-0.5])],
)
def test_clusters(label: Any, probability: Any) -> None:
    with pytest.raises(ValueError, match="probability"):
        Clusters(label=np.array(label), probability=np.array(probability))


def test_notes_are_not_shared() -> None:
    signal().notes["a"] = "b"
    assert signal().notes == {}


def test_an_option_carries_its_documentation() -> None:
    field = option(3, "how many")
    assert (field.default, field.metadata["doc"]) == (3, "how many")
