"""Copies of clips that no browser can be sent as they are."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from offhand.errors import VideoError
from offhand.records import Clip
from offhand.video.decode import FrameReader
from offhand.viewer.proxies import Proxies
from tests.fixtures.videos import even_times, marked, write
from tests.unit.files.test_archive import pack


def test_a_video_in_an_archive_is_copied(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", marked(even_times(15)))
    clip = f"{pack(tmp_path / 's.tar', {'a.mp4': film.read_bytes()})}::a.mp4"
    proxies = Proxies(tmp_path / "proxies")
    try:
        assert proxies.progress("a", clip).error == "nobody asked for it"
        until_s = time.monotonic() + 30
        while (job := proxies.ask("a", clip)).status != "ready" and time.monotonic() < until_s:
            time.sleep(0.05)
        assert (job.status, job.error) == ("ready", "")
        reader = FrameReader(Clip(clip_id="a", path=str(proxies.path("a", clip))), [])
        assert list(reader) == []
        assert reader.info.n_frames == 15
        with pytest.raises(VideoError, match="no such file in the archive"):
            proxies.ask("b", clip.replace("a.mp4", "b.mp4"))
    finally:
        proxies.close()
