"""CSV tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from tests.unit.exports.timelines import HOSTILE, export, hostile, plain


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_activities(tmp_path: Path) -> None:
    rows = read(export("csv", plain(), tmp_path)["activities.csv"])
    assert len(rows) == 5
    assert rows[0] == {
        "clip_id": "clip",
        "path": "/videos/clip.mp4",
        "modality": "late_fusion",
        "segment_id": "0",
        "start_s": "0.0",
        "stop_s": "10.0",
        "label": "0",
        "activity": "laying bricks",
        "status": "activity",
        "probability": "0.75",
    }
    assert rows[1]["status"] == "noise"
    assert rows[1]["probability"] == ""


def test_repetitions(tmp_path: Path) -> None:
    rows = read(export("csv", plain(), tmp_path)["repetitions.csv"])
    assert [list(row.values()) for row in rows] == [
        ["clip", "laying bricks", "1.0", "9.0", "4", "2.0", "0.9", "false"],
        ["clip", "C3", "11.0", "16.0", "3", "", "", "true"],
    ]


def test_names_round_trip(tmp_path: Path) -> None:
    rows = read(export("csv", hostile(), tmp_path)["activities.csv"])
    names = [row["activity"] for row in rows if row["clip_id"] == "names"]
    assert names == [name.replace("\ud800", "\ufffd") for name in HOSTILE]


def test_pandas_reads_numbers_and_gaps(tmp_path: Path) -> None:
    files = export("csv", plain(), tmp_path)
    activities = pd.read_csv(files["activities.csv"])
    assert activities["start_s"].dtype == "float64"
    assert activities["label"].dtype == "int64"
    assert activities["probability"].isna().sum() == 4
    assert pd.read_csv(files["repetitions.csv"])["by_hand"].tolist() == [False, True]
