from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from offhand.records import Clip, FrameBlock, Signal
from offhand.signals.base import join
from offhand.signals.motion import Motion
from offhand.signals.picture import SIDE_PX, Picture


def measured(images: np.ndarray, mask: Path | None = None) -> Signal:
    state = Picture().start(Clip(clip_id="a", path="a", mask_path=mask and str(mask)))
    chunks = []
    for start in range(0, len(images), 3):
        part = images[start : start + 3]
        time_s = (start + np.arange(len(part))) / 15.0
        chunks += list(state.update(FrameBlock(time_s=time_s, images=part)))
    return join([*chunks, *state.finish()])


def test_a_field_is_the_mean_of_its_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 160, 320), dtype=np.uint8)
    found = measured(images)
    assert found.values.shape == (5, SIDE_PX**2)
    expected = images[2, 10:20, 40:60].mean()  # row 1, column 2
    assert found.channel("pixel_1_2")[2] == pytest.approx(expected, abs=0.6)


def test_the_mask_leaves_fields_black(tmp_path: Path) -> None:
    images = np.full((2, 160, 160), 200, np.uint8)
    mask = np.full((160, 160), 255, np.uint8)
    mask[:, :80] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    found = measured(images, tmp_path / "mask.png")
    assert found.channel("pixel_3_3")[0] == 0
    assert found.channel("pixel_3_12")[0] == pytest.approx(200, abs=1)


def test_no_frame_is_an_empty_signal() -> None:
    assert measured(np.empty((0, 160, 160), np.uint8)).values.shape == (0, SIDE_PX**2)


def test_frames_are_shared_with_motion() -> None:
    assert Picture().request == Motion().request
