from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from offhand.errors import WeightsError, WeightsMissing
from offhand.models.tflite import Network
from offhand.weights import locate, missing

needs_hands = pytest.mark.skipif(
    bool(missing("mediapipe_hands")), reason=missing("mediapipe_hands") or "present"
)
LANDMARKS: list[tuple[int, ...]] = [(63,), (1,), (1,), (63,)]


def test_threads_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads is 0"):
        Network(tmp_path / "a.tflite", inputs=(1,), outputs=[(1,)], threads=0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"a\.tflite: no such file"):
        Network(tmp_path / "a.tflite", inputs=(1,), outputs=[(1,)], threads=1)


def test_without_the_runtime_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(WeightsMissing, match="pip install ai-edge-litert"):
        Network(tmp_path / "a.tflite", inputs=(1,), outputs=[(1,)], threads=1)


@pytest.mark.parametrize(
    "content",
    [b"", b"no network" * 50, b"\x1c\x00\x00\x00TFL3" + b"\xff" * 80],
    ids=["empty", "text", "rubbish"],
)
def test_a_corrupt_file_is_an_error_that_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.tflite: .*offhand weights pull"):
        Network(path, inputs=(1,), outputs=[(1,)], threads=1)


@pytest.mark.weights
@needs_hands
def test_a_cut_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    content = (locate("mediapipe_hands") / "palm_detection_full.tflite").read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="offhand weights pull"):
        Network(path, inputs=(192, 192, 3), outputs=[(2016, 18), (2016, 1)], threads=1)


@pytest.mark.weights
@needs_hands
@pytest.mark.parametrize(
    ("inputs", "outputs", "kind"),
    [((192, 192, 3), LANDMARKS, "inputs"), ((224, 224, 3), LANDMARKS[:3], "outputs")],
)
def test_another_network_is_an_error(
    inputs: tuple[int, ...], outputs: list[tuple[int, ...]], kind: str
) -> None:
    path = locate("mediapipe_hands") / "hand_landmark_full.tflite"
    with pytest.raises(WeightsError, match=f"its {kind} .* another network"):
        Network(path, inputs=inputs, outputs=outputs, threads=1)


@pytest.mark.weights
@needs_hands
def test_results_have_the_shapes_and_stay_when_the_next_is_computed() -> None:
    path = locate("mediapipe_hands") / "hand_landmark_full.tflite"
    network = Network(path, inputs=(224, 224, 3), outputs=LANDMARKS, threads=1)
    first, second = np.random.default_rng(0).uniform(0, 1, (2, 224, 224, 3))
    found = network(first)
    assert [values.shape for values in found] == LANDMARKS
    kept = [values.copy() for values in found]
    other = network(second)
    assert np.abs(other[0] - kept[0]).max() > 0.1
    for values, before, again in zip(found, kept, network(first), strict=True):
        np.testing.assert_array_equal(values, before)
        np.testing.assert_array_equal(again, before)


@pytest.mark.weights
@needs_hands
def test_the_greeting_is_held_back_and_nothing_else() -> None:
    program = """
import os, sys
from pathlib import Path
from offhand.models import tflite
with tflite._without_greeting():
    os.write(2, b"a warning\\nINFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")
tflite._greeted = False
shapes = [(63,), (1,), (1,), (63,)]
tflite.Network(Path(sys.argv[1]), inputs=(224, 224, 3), outputs=shapes, threads=1)
os.write(2, b"after\\n")
"""
    path = locate("mediapipe_hands") / "hand_landmark_full.tflite"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, check=True, env=os.environ
    )
    assert done.stderr == b"a warning\nafter\n"
