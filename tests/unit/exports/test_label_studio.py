"""Label Studio's tasks, checked against its documented form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from offhand.exports.timeline import Timeline
from tests.unit.exports.timelines import export, hostile, plain


def read(timelines: list[Timeline], folder: Path) -> tuple[list[dict[str, Any]], ET.Element]:
    files = export("label_studio", timelines, folder)
    tasks = json.loads(files["activities.json"].read_text(encoding="utf-8"))
    return tasks, ET.fromstring(files["label_config.xml"].read_bytes())


def check(tasks: list[dict[str, Any]], interface: ET.Element) -> None:
    (control,) = interface.iter("TimelineLabels")
    (video,) = interface.iter("Video")
    labels = [label.attrib["value"] for label in control]
    assert len(set(labels)) == len(labels)
    assert control.attrib["toName"] == video.attrib["name"]
    assert video.attrib["value"] == "$video"
    ids = set()
    for task in tasks:
        assert isinstance(task["data"]["video"], str)
        assert task["data"][video.attrib["frameRate"].removeprefix("$")] > 0
        for prediction in task["predictions"]:
            assert set(prediction) == {"model_version", "result"}
            for region in prediction["result"]:
                assert region["from_name"] == control.attrib["name"]
                assert region["to_name"] == video.attrib["name"]
                assert region["type"] == "timelinelabels"
                assert set(region["value"]) == {"ranges", "timelinelabels"}
                (one,) = region["value"]["ranges"]
                assert 1 <= one["start"] <= one["end"]
                assert set(region["value"]["timelinelabels"]) <= set(labels)
                ids.add(region["id"])
    assert len(ids) == sum(len(task["predictions"][0]["result"]) for task in tasks)


@pytest.mark.parametrize("make", [plain, hostile])
def test_the_documented_form(make: Any, tmp_path: Path) -> None:
    check(*read(make(), tmp_path))


def test_frames_labels_and_counts(tmp_path: Path) -> None:
    tasks, interface = read(plain(), tmp_path)
    assert [label.attrib["value"] for label in interface.iter("Label")] == ["C3", "laying bricks"]
    first, second = tasks[0]["predictions"][0]["result"]
    assert first["value"]["ranges"] == [{"start": 1, "end": 100}]
    assert first["score"] == 0.75
    assert first["meta"] == {"text": ["4 repetitions, one every 2.0 s"]}
    assert second["value"]["ranges"] == [{"start": 126, "end": 201}]
    assert "score" not in second


def test_the_path_of_the_video(tmp_path: Path) -> None:
    tasks, _ = read(plain(), tmp_path)
    url = urlsplit(tasks[1]["data"]["video"])
    assert url.path == "/data/local-files/"
    assert parse_qs(url.query) == {"d": ["videos/second clip.mkv"]}
