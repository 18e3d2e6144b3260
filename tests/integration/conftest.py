"""Small clips that stand for a worker's folder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.videos import even_times, marked, write


@pytest.fixture(scope="session")
def good_clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three sound clips of 6 s."""
    folder = tmp_path_factory.mktemp("good")
    times_s = even_times(90)
    return [
        write(
            folder / f"{name}.mp4",
            marked(times_s, seed=seed),
            container_options={"movflags": "faststart"},
        )
        for seed, name in enumerate(("one", "two", "three"))
    ]
