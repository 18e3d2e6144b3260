"""FiftyOne's dataset on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.exports.timelines import export, hostile, plain


def read(files: dict[str, Path]) -> tuple[dict[str, Any], dict[str, str]]:
    labels, data = (
        json.loads(files[name].read_text(encoding="utf-8")) for name in ("labels.json", "data.json")
    )
    return labels, data


@pytest.mark.parametrize("make", [plain, hostile])
def test_the_documented_form(make: Any, tmp_path: Path) -> None:
    labels, data = read(export("fiftyone", make(), tmp_path))
    assert set(labels) == {"classes", "labels"}
    assert len(set(labels["classes"])) == len(labels["classes"])
    assert {key.rpartition(".")[0] for key in data} == set(labels["labels"])
    assert all(path.startswith("/") for path in data.values())
    for detections in labels["labels"].values():
        for one in detections:
            assert set(one) <= {"label", "support", "timestamps", "confidence", "attributes"}
            assert 0 <= one["label"] < len(labels["classes"])
            assert ("support" in one) != ("timestamps" in one)
            start, stop = one.get("support") or one["timestamps"]
            assert start <= stop
            assert "support" not in one or start >= 1


def test_detections(tmp_path: Path) -> None:
    labels, data = read(export("fiftyone", plain(), tmp_path))
    assert labels["classes"] == ["C3", "laying bricks"]
    assert labels["labels"]["clip"] == [
        {
            "label": 1,
            "support": [1, 100],
            "confidence": 0.75,
            "attributes": {"segment_id": 0, "repetitions": 4},
        },
        {"label": 0, "support": [126, 201], "attributes": {"segment_id": 2, "repetitions": 3}},
    ]
    assert data == {"clip.mp4": "/videos/clip.mp4", "cam.1.mkv": "/videos/second clip.mkv"}


def test_seconds_where_the_rate_is_not_known(tmp_path: Path) -> None:
    labels, _ = read(export("fiftyone", hostile(), tmp_path))
    assert [one["timestamps"] for one in labels["labels"]["odd"]] == [[0.0004, 1.0]]
    assert labels["labels"]["empty"] == []


def test_fiftyone_reads_it(tmp_path: Path) -> None:
    fiftyone = pytest.importorskip("fiftyone")
    export("fiftyone", plain(), tmp_path)
    dataset = fiftyone.Dataset.from_dir(
        dataset_dir=str(tmp_path),
        dataset_type=fiftyone.types.FiftyOneTemporalDetectionDataset,
        label_field="activity",
    )
    try:
        found = {
            sample.filepath: [(one.label, list(one.support)) for one in sample.activity.detections]
            for sample in dataset
        }
    finally:
        dataset.delete()
    assert found["/videos/clip.mp4"] == [("laying bricks", [1, 100]), ("C3", [126, 201])]
