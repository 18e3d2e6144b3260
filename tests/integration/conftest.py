"""Small clips that stand for a worker's folder, made once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhand.weights import MANIFEST, missing
from tests.fixtures.videos import even_times, marked, write

HOME = os.environ.get("OFFHAND_HOME", "")


@pytest.fixture(scope="module", autouse=True)
def no_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the weights of this machine, so that every machine tests the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFHAND_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def with_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the weights of this machine again."""
    monkeypatch.setenv("OFFHAND_HOME", HOME)
    for name, entry in MANIFEST.items():
        if not entry.extra and (reason := missing(name)):
            pytest.skip(reason)


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
