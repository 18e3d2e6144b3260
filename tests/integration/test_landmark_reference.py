"""The landmarkers against MediaPipe's own, on real clips.

Run with ``OFFHAND_FOOTAGE`` naming a folder of clips, and with ``mediapipe`` installed, or
``OFFHAND_MEDIAPIPE_PYTHON`` naming a Python that has it; see docs/landmarks.md.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from offhand.models.body import PoseLandmarker
from offhand.models.hand import HandLandmarker
from offhand.records import ByteArray, FloatArray
from offhand.weights import locate
from tests.fixtures import mediapipe_reference

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.weights, pytest.mark.slow]

LIKE = 0.95
"""Share of the frames with as many hands, or bodies, as the reference finds."""

APART = 0.02
"""Median distance of the keypoints, as a share of the diagonal of the hand or body."""

EVERY = 5
"""Of the frames without tracking, one in so many is compared."""


@dataclass
class Agreement:
    """How two landmarkers agree on some frames."""

    like: list[bool] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)

    def add(self, ours: Sequence[FloatArray], theirs: Sequence[FloatArray]) -> None:
        self.like.append(len(ours) == len(theirs))
        for points in theirs if ours else ():
            size = np.linalg.norm(np.ptp(points, axis=0))
            distances = [np.linalg.norm(other - points, axis=1) for other in ours]
            self.apart.append(min(float(np.median(distance)) for distance in distances) / size)

    def __str__(self) -> str:
        apart = np.median(self.apart) if self.apart else math.nan
        return f"{np.mean(self.like):.3f} of {len(self.like)} frames, apart {apart:.4f}"


def reference_python() -> str:
    """Return a Python with mediapipe, or skip."""
    given = os.environ.get("OFFHAND_MEDIAPIPE_PYTHON")
    if given:
        return given
    if find_spec("mediapipe") is None:
        pytest.skip("no mediapipe here, and OFFHAND_MEDIAPIPE_PYTHON names no Python that has it")
    return sys.executable


def clips() -> list[Path]:
    """Return the clips to compare on, or skip."""
    folder = os.environ.get("OFFHAND_FOOTAGE")
    if not folder:
        pytest.skip("OFFHAND_FOOTAGE names no folder of clips")
    found = sorted(
        path for path in Path(folder).iterdir() if path.suffix in {".mp4", ".mkv", ".gif", ".mov"}
    )
    assert found, f"no clips in {folder}"
    return found


def frames(path: Path) -> ByteArray:
    with av.open(str(path)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(images)


def theirs(images: ByteArray, mode: str, python: str, scratch: Path) -> list[Any]:
    """Return for each image the hands and the bodies that MediaPipe finds."""
    np.save(scratch / "frames.npy", images)
    subprocess.run(
        [
            python,
            mediapipe_reference.__file__,
            str(locate("mediapipe_hands")),
            str(locate("mediapipe_pose")),
            str(scratch / "frames.npy"),
            mode,
            str(scratch / "found.pickle"),
        ],
        check=True,
        capture_output=True,
    )
    found: list[Any] = pickle.loads((scratch / "found.pickle").read_bytes())
    return found


def ours(images: ByteArray, mode: str) -> Iterator[tuple[list[FloatArray], list[FloatArray]]]:
    """Yield for each image the hands and the bodies that offhand finds."""
    hands = HandLandmarker(locate("mediapipe_hands"))
    bodies = PoseLandmarker(locate("mediapipe_pose"))
    for image in images:
        if mode == "IMAGE":
            hands.reset()
            bodies.reset()
        body = bodies(image)
        yield (
            [found.keypoints[:, :2] for found in hands(image)],
            [] if body is None else [body.keypoints[:, :2]],
        )


def compare(mode: str, scratch: Path, *, every: int) -> list[tuple[str, Agreement, Agreement]]:
    python = reference_python()
    table = []
    for clip in clips():
        images = frames(clip)[::every]
        hands, bodies = Agreement(), Agreement()
        for mine, reference in zip(
            ours(images, mode), theirs(images, mode, python, scratch), strict=True
        ):
            hands.add(mine[0], reference[0])
            bodies.add(mine[1], reference[1])
        table.append((clip.name, hands, bodies))
        logger.info("%s %s: hands %s; bodies %s", mode, clip.name, hands, bodies)
    return table


def pooled(parts: Sequence[Agreement]) -> Agreement:
    whole = Agreement(
        like=[like for part in parts for like in part.like],
        apart=[apart for part in parts for apart in part.apart],
    )
    assert len(whole.apart) >= 20, "hardly anything to compare on these clips"
    return whole


@pytest.mark.usefixtures("with_weights")
def test_single_images_agree(tmp_path: Path) -> None:
    table = compare("IMAGE", tmp_path, every=EVERY)
    for kind in zip(*[row[1:] for row in table], strict=True):
        # The networks are the same: what is left is rounding, which now and then decides.
        whole = pooled(kind)
        assert np.mean(whole.like) >= 0.98
        assert np.median(whole.apart) <= APART / 10


@pytest.mark.usefixtures("with_weights")
def test_videos_agree(tmp_path: Path) -> None:
    table = compare("VIDEO", tmp_path, every=1)
    hands, bodies = (pooled(kind) for kind in zip(*[row[1:] for row in table], strict=True))
    logger.info("all: hands %s; bodies %s", hands, bodies)
    assert np.mean(hands.like) >= LIKE
    # A body mostly out of the picture is followed by chance: a hundredth of a pixel decides.
    assert np.mean(bodies.like) >= LIKE - 0.02
    assert np.mean(hands.like + bodies.like) >= LIKE
    assert np.median(hands.apart) <= APART
    assert np.median(bodies.apart) <= APART
