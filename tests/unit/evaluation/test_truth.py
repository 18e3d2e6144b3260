"""Ground truth in its three formats, and what is wrong with damaged files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from offhand.errors import OffhandError
from offhand.evaluation.truth import instants, read_truth

BLOCKS = [
    {"activity": "sawing", "start_s": 0.0, "end_s": 4.5, "period_s_mean": 1.5, "reps": [1.0, 2.5]},
    {"activity": "walking", "start_s": 5.0, "end_s": 9.0, "reps": []},
]

ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="4500"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="5000"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="9000"/>
</TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="empty"/>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="speech"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a0"
 TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4"><ANNOTATION_VALUE>hello</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="activity">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>sawing</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>walking</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER></ANNOTATION_DOCUMENT>
"""

CSV = "clip,start_s,stop_s,label\none.mp4,5,9,walking\none.mp4,0,4.5,sawing\ntwo,0,3,idle\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "files",
    [{"one__json": json.dumps({"blocks": BLOCKS})}, {"one__eaf": ELAN}, {"labels__csv": CSV}],
    ids=["json", "elan", "csv"],
)
def test_every_format_gives_the_same_blocks(tmp_path: Path, files: dict[str, str]) -> None:
    truth = read_truth(write(tmp_path, **files))["one"]
    found = [(block.activity, block.start_s, block.stop_s) for block in truth.blocks]
    assert found == [("sawing", 0.0, 4.5), ("walking", 5.0, 9.0)]
    assert truth.has_repetitions == ("one__json" in files)
    np.testing.assert_allclose(truth.boundaries_s, [4.5, 5.0])


def test_repetitions_are_read_from_json(tmp_path: Path) -> None:
    file = write(tmp_path, one__json=json.dumps({"blocks": BLOCKS})) / "one.json"
    sawing, walking = read_truth(file)["one"].blocks
    np.testing.assert_array_equal(sawing.rep_times_s, [1.0, 2.5])
    assert sawing.period_s == 1.5
    assert len(walking.rep_times_s) == 0


def test_time_outside_blocks_is_not_labelled(tmp_path: Path) -> None:
    truth = read_truth(write(tmp_path, labels__csv=CSV))["one"]
    assert truth.at(np.array([-1.0, 0.0, 4.49, 4.5, 4.9, 5.0, 9.0])).tolist() == [
        *("", "sawing", "sawing", "", "", "walking", ""),
    ]
    time_s, activity = instants(truth, step_s=0.5)
    assert len(time_s) == 9 + 8
    assert set(activity) == {"sawing", "walking"}


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, labels__csv=CSV, camera__csv="time_s,x\n0,1\n", other__json='{"a": 1}')
    write(tmp_path, list__json="[1, 2]", notes__txt="x")
    assert sorted(read_truth(tmp_path)) == ["one", "two"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no ground truth found"),
        ({"notes__txt": ""}, "no ground truth found"),
        ({"a__json": "{"}, "not valid JSON"),
        ({"a__json": '{"blocks": [{"activity": "x"}]}'}, "block 0 needs"),
        ({"a__json": '{"blocks": [3]}'}, "block 0 needs"),
        ({"l__csv": "clip,start_s,stop_s,label\na,0,x,b\n"}, "line 2"),
        ({"l__csv": "clip,start_s,stop_s,label\na,5,4,b\n"}, "must end after it starts"),
        ({"l__csv": "clip,start_s,stop_s,label\na,0,5,b\na,4,6,c\n"}, "must not overlap"),
        ({"l__csv": "clip,start_s,stop_s,label\na,0,nan,b\n"}, "must end after it starts"),
        ({"a__eaf": "<a>"}, "not valid XML"),
        ({"a__eaf": "<a><TIER TIER_ID='x'/></a>"}, "no tier has annotations"),
        ({"a__eaf": "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"}, "entities are not read"),
        ({"one__json": json.dumps({"blocks": BLOCKS}), "l__csv": CSV}, "in another file too"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(OffhandError, match=said):
        read_truth(write(tmp_path, **files))


def test_a_table_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(b"clip,start_s\xff\xfe")
    with pytest.raises(OffhandError, match="UTF-8"):
        read_truth(tmp_path)
