"""Copies and cuts: the times of the frames are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhand.errors import VideoError
from offhand.records import Clip, FrameRequest
from offhand.video.cut import cut
from offhand.video.decode import FrameReader
from offhand.video.proxy import write_proxy
from tests.fixtures.videos import even_times, marked, write

REQUEST = FrameRequest(rate_hz=None, short_side_px=60, colour="grey")


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray, FrameReader]:
    reader = FrameReader(Clip(clip_id="x", path=str(path)), [REQUEST])
    blocks = [block for _, block in reader]
    times_s = np.concatenate([block.time_s for block in blocks])
    return times_s, np.concatenate([block.images for block in blocks]), reader


def test_a_copy_has_the_times_and_the_pictures_of_the_clip(tmp_path: Path) -> None:
    times_s = np.cumsum(np.tile([0.05, 0.1], 40)) - 0.05
    source = write(tmp_path / "a.avi", marked(even_times(80)), codec="mpeg4")
    source = write(tmp_path / "b.mp4", marked(times_s), times_s=times_s, clockwise_deg=90)
    shares: list[float] = []
    write_proxy(str(source), tmp_path / "b.webm", on_progress=shares.append)
    original, copy = decoded(source), decoded(tmp_path / "b.webm")
    assert copy[2].info.codec == "vp9"
    assert copy[2].info.rotation_deg == 0
    assert (copy[2].info.width, copy[2].info.height) == (120, 160)
    assert np.allclose(copy[0], original[0], atol=0.002)
    assert np.abs(copy[1].astype(int) - original[1]).mean() < 6
    assert shares == sorted(shares)


def test_what_progress_raises_ends_the_work_and_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "a.mp4", marked(even_times(200)))

    def stop(share: float) -> None:
        raise VideoError("enough")

    with pytest.raises(VideoError, match="enough"):
        write_proxy(str(source), tmp_path / "a.webm", on_progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_a_cut_begins_at_zero_and_is_half_open(tmp_path: Path) -> None:
    source = write(tmp_path / "a.mp4", marked(even_times(90)))
    cut(str(source), tmp_path / "cut.mp4", start_s=2.0, stop_s=4.0)
    whole, part = decoded(source), decoded(tmp_path / "cut.mp4")
    assert np.allclose(part[0], even_times(30), atol=0.002)
    assert np.abs(part[1].astype(int) - whole[1][30:60]).mean() < 6


def test_a_cut_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    source = write(tmp_path / "a.mp4", marked(even_times(30)))
    with pytest.raises(VideoError):
        cut(str(source), tmp_path / "cut.mp4", start_s=50.0, stop_s=51.0)
    assert not (tmp_path / "cut.mp4").exists()
