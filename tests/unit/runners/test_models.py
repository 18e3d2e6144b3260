"""Sessions of signals in a process that holds models for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offhand.errors import SignalError
from offhand.records import Clip, FrameBlock
from offhand.runners.models import IDLE_S, ModelHost
from offhand.runners.work import Lost, work
from tests.fixtures.models import SIDE_PX, Projection, write_model

CLIPS = [Clip(clip_id=name, path=f"{name}.mp4") for name in ("one", "two")]


@pytest.fixture
def projection(tmp_path: Path) -> Projection:
    model = write_model(tmp_path / "model")
    return Projection(model=str(model), journal=str(tmp_path / "journal"), fails="bad")


def _block(seed: int, start_s: float) -> FrameBlock:
    images = np.random.default_rng(seed).integers(0, 256, (8, SIDE_PX, SIDE_PX), dtype=np.uint8)
    return FrameBlock(time_s=start_s + np.arange(8) / 10, images=images)


def test_sessions_do_not_mix(projection: Projection) -> None:
    host = ModelHost()
    blocks = {clip.clip_id: [_block(n, 0.0), _block(n + 2, 1.0)] for n, clip in enumerate(CLIPS)}
    found: dict[str, list[np.ndarray]] = {clip.clip_id: [] for clip in CLIPS}
    for clip in CLIPS:
        host.start(clip.clip_id, projection, clip)
    for turn in range(2):
        for clip in CLIPS:
            for chunk in host.update(clip.clip_id, blocks[clip.clip_id][turn]):
                found[clip.clip_id].append(chunk.values)
    for clip in CLIPS:
        assert host.finish(clip.clip_id) == []
        alone = projection.start(clip)
        expected = [c.values for block in blocks[clip.clip_id] for c in alone.update(block)]
        np.testing.assert_array_equal(np.stack(found[clip.clip_id]), np.stack(expected))


def test_an_unknown_session_is_a_loss_and_no_failure(projection: Projection) -> None:
    host = ModelHost()
    with pytest.raises(Lost):
        host.update("gone", _block(0, 0.0))
    host.start("one", projection, CLIPS[0])
    host.finish("one")
    with pytest.raises(Lost):
        host.finish("one")


def test_a_loss_is_not_the_outcome_of_a_task(projection: Projection) -> None:
    def lose(task: None, report: object) -> None:
        raise Lost("a node is gone")

    with pytest.raises(Lost, match="a node is gone"):
        work(lose, None, 0, lambda share: None)


def test_what_an_extractor_raises_is_raised(projection: Projection) -> None:
    host = ModelHost()
    host.start("bad", projection, Clip(clip_id="bad", path="bad.mp4"))
    with pytest.raises(SignalError, match="the projection fails"):
        host.update("bad", _block(0, 0.0))


def test_sessions_whose_tasks_have_died_are_forgotten(
    projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = [0.0]
    monkeypatch.setattr("offhand.runners.models.time.monotonic", lambda: clock_s[0])
    host = ModelHost()
    for name, at_s in (("dead", 0.0), ("slow", 10.0), ("new", IDLE_S + 5.0)):
        clock_s[0] = at_s
        host.start(name, projection, CLIPS[0])
    with pytest.raises(Lost):
        host.finish("dead")
    assert host.finish("slow") == []
