"""Videos that several tests read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.videos import even_times, marked, write


@pytest.fixture(scope="session")
def long_clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same 4 s at 15 frames/s in several containers."""
    folder = tmp_path_factory.mktemp("long")
    pictures = marked(even_times(60))
    made = {
        "fast.mp4": write(
            folder / "fast.mp4", pictures, container_options={"movflags": "faststart"}
        ),
        "moov_last.mp4": write(folder / "moov_last.mp4", pictures),
        "open_gop.mp4": write(
            folder / "open_gop.mp4",
            pictures,
            options={"preset": "medium", "x264-params": "open-gop=1"},
        ),
        "sound.mp4": write(folder / "sound.mp4", pictures, audio_s=4.0),
    }
    for name in ("plain.mkv", "plain.ts"):
        made[name] = write(folder / name, pictures)
    for name in ("sound.mkv", "sound.ts"):
        made[name] = write(folder / name, pictures, audio_s=4.0)
    made["plain.webm"] = write(folder / "plain.webm", pictures, codec="libvpx-vp9")
    made["plain.avi"] = write(
        folder / "plain.avi", pictures, codec="mpeg4", options={"b": "3000000"}
    )
    return made
