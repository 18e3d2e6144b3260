"""Tabular events of BORIS."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.unit.exports.timelines import HOSTILE, export, hostile, plain

BORIS_8 = (
    "Observation id|Observation date|Description|Observation duration|Observation type|Source|"
    "Time offset (s)|Media duration (s)|FPS|Subject|Behavior|Behavioral category|Behavior type|"
    "Time|Media file name|Image index|Image file path|Comment"
)


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream, dialect="excel-tab")
        rows = list(table)
        return list(table.fieldnames or ()), rows


def test_columns_and_events(tmp_path: Path) -> None:
    header, rows = read(export("boris", plain(), tmp_path)["clip.tsv"])
    assert "|".join(header) == BORIS_8
    events = [(row["Behavior"], row["Behavior type"], row["Time"]) for row in rows]
    assert events == [
        ("laying bricks", "START", "0.000"),
        ("laying bricks", "STOP", "10.000"),
        ("C3", "START", "12.500"),
        ("C3", "STOP", "20.040"),
    ]
    assert rows[0]["Observation id"] == "clip"
    assert rows[0]["Source"] == "player #1:/videos/clip.mp4"
    assert rows[0]["Media duration (s)"] == "25.000"
    assert rows[0]["FPS"] == "10.000"
    assert rows[0]["Comment"] == "4 repetitions, one every 2.0 s"
    assert rows[2]["Comment"] == "3 repetitions"


def test_every_event_is_one_line(tmp_path: Path) -> None:
    file = export("boris", hostile(), tmp_path)["names.tsv"]
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1 + 2 * len(HOSTILE)
    _, rows = read(file)
    assert {None} & set().union(*rows) == set()
    assert [row["Behavior type"] for row in rows] == ["START", "STOP"] * len(HOSTILE)


def test_what_is_not_known(tmp_path: Path) -> None:
    _, rows = read(export("boris", hostile(), tmp_path)["odd.tsv"])
    assert {row["FPS"] for row in rows} == {"NA"}
