"""JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.exports.timelines import HOSTILE, export, hostile, plain


def read(path: Path) -> list[dict[str, Any]]:
    def strict(constant: str) -> None:
        pytest.fail(f"not JSON: {constant}")

    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    return [json.loads(line, parse_constant=strict) for line in lines]


def test_intervals_and_bouts(tmp_path: Path) -> None:
    entries = read(export("jsonl", plain(), tmp_path)["activities.jsonl"])
    assert [entry["kind"] for entry in entries] == ["interval"] * 4 + ["bout"] * 2 + ["interval"]
    assert entries[0] == {
        "kind": "interval",
        "clip_id": "clip",
        "path": "/videos/clip.mp4",
        "modality": "late_fusion",
        "segment_id": 0,
        "start_s": 0.0,
        "stop_s": 10.0,
        "label": 0,
        "activity": "laying bricks",
        "status": "activity",
        "probability": 0.75,
    }
    assert entries[4]["rep_times_s"] == [3.0, 5.0, 7.0, 9.0]
    assert entries[5]["activity"] == "C3"
    assert entries[5]["period_s"] is None
    assert entries[5]["by_hand"] is True


def test_names_round_trip(tmp_path: Path) -> None:
    entries = read(export("jsonl", hostile(), tmp_path)["activities.jsonl"])
    names = [entry["activity"] for entry in entries if entry["clip_id"] == "names"]
    assert names == [name.replace("\ud800", "\ufffd") for name in HOSTILE]
