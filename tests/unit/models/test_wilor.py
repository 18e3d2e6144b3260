"""The adapter to WiLoR, with a stand-in for the package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.models.wilor import FILES, Wilor

IMAGE = np.zeros((40, 60, 3), np.uint8)

PIPELINE = """
class WiLorHandPose3dEstimationPipeline:
    answer = []
    made = []

    def __init__(self, **options):
        self.made.append(options)

    def predict(self, image):
        return self.answer
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of that name with all its files, and a torch without a GPU."""
    root = tmp_path / "wilor_mini"
    (root / "pipelines").mkdir(parents=True)
    (root / "pretrained_models").mkdir()
    for folder in (root, root / "pipelines"):
        (folder / "__init__.py").write_text("")
    (root / "pipelines" / "wilor_hand_pose3d_estimation_pipeline.py").write_text(PIPELINE)
    for name in FILES:
        (root / "pretrained_models" / name).write_bytes(b"")
    monkeypatch.syspath_prepend(str(tmp_path))
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: False),
        device=lambda name: name,
        float16="half",
        float32="single",
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    importlib.invalidate_caches()
    yield root
    for name in [name for name in sys.modules if name.startswith("wilor_mini")]:
        del sys.modules[name]


def pipeline() -> Any:
    module = importlib.import_module("wilor_mini.pipelines.wilor_hand_pose3d_estimation_pipeline")
    return module.WiLorHandPose3dEstimationPipeline


def test_hands_are_read_from_the_answer(package: Path) -> None:
    model = Wilor()
    pipeline().answer[:] = [
        {"hand_bbox": [1, 2.5, 30, 20], "is_right": 1.0, "wilor_preds": {}},
        {"hand_bbox": [31, 2, 50, 20], "is_right": 0.0},
    ]
    right, left = model(IMAGE)
    assert (right.box, right.handedness) == ((1.0, 2.5, 30.0, 20.0), "right")
    assert left.handedness == "left"
    assert pipeline().made == [{"device": "cpu", "dtype": "single", "verbose": False}]


def test_no_hands(package: Path) -> None:
    assert Wilor()(IMAGE) == ()


@pytest.mark.parametrize("answer", [[{"box": 1}], [{"hand_bbox": [1, 2], "is_right": 1}], [3]])
def test_an_unknown_answer_is_an_error(package: Path, answer: list[Any]) -> None:
    model = Wilor()
    pipeline().answer[:] = answer
    with pytest.raises(WeightsError, match="unknown form"):
        model(IMAGE)


def test_nothing_is_downloaded(package: Path) -> None:
    (package / "pretrained_models" / "detector.pt").unlink()
    with pytest.raises(WeightsMissing, match=r"no detector\.pt.*non-commercial"):
        Wilor()


def test_another_interface_is_an_error(package: Path) -> None:
    (package / "pipelines" / "wilor_hand_pose3d_estimation_pipeline.py").write_text("")
    with pytest.raises(WeightsError, match="not the version known"):
        Wilor()


def test_an_image_of_another_form_is_refused(package: Path) -> None:
    with pytest.raises(ValueError, match="image of shape"):
        Wilor()(IMAGE[:, :, 0])
