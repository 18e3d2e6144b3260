"""The script of a synthetic clip: tiling, tempo, and the truth it states."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from offhand.synthetic.script import PERIODS_S, Block, Script, truth, write_script


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("duration_s", [5.0, 13.3, 60.0, 200.7])
def test_blocks_tile_the_clip(seed: int, duration_s: float) -> None:
    script = write_script(seed, duration_s=duration_s)
    blocks = script.blocks
    assert blocks[0].start_s == 0
    assert blocks[-1].stop_s == duration_s == script.duration_s
    assert all(a.stop_s == b.start_s for a, b in pairwise(blocks))
    assert all(a.activity != b.activity for a, b in pairwise(blocks))
    assert all(3.5 < b.stop_s - b.start_s < 19 for b in blocks)


@pytest.mark.parametrize("seed", range(8))
def test_repetitions_fit_their_period(seed: int) -> None:
    for block in write_script(seed, duration_s=120).blocks:
        if block.activity == "looking":
            assert block.repetition_s == ()
            assert math.isnan(block.period_s)
            continue
        assert block.period_s == pytest.approx(PERIODS_S[block.activity], rel=0.35)
        lengths_s = np.diff(block.cycle_s)
        assert len(lengths_s) == len(block.repetition_s) >= (1 if block.stop_s == 120 else 3)
        assert np.all(np.abs(lengths_s / block.period_s - 1) < 0.25)
        worked_s = block.stop_s - block.start_s
        assert worked_s / block.period_s - 3.5 < len(block.repetition_s) < worked_s / block.period_s
        assert block.start_s < block.repetition_s[0]
        assert block.repetition_s[-1] < block.stop_s


def test_periods_are_jittered_by_five_percent() -> None:
    scripts = [write_script(seed, activities=["walking"]) for seed in range(5)]
    ratios = np.concatenate([np.diff(s.blocks[0].cycle_s) / s.blocks[0].period_s for s in scripts])
    assert 0.035 < ratios.std() < 0.065


def test_every_activity_comes_up_before_one_repeats() -> None:
    for seed in range(10):
        names = [block.activity for block in write_script(seed, duration_s=90).blocks]
        assert set(names[:6]) == set(PERIODS_S)


def test_one_activity_fills_the_clip() -> None:
    (block,) = write_script(1, duration_s=40, activities=["sawing"]).blocks
    assert (block.start_s, block.stop_s) == (0, 40)
    assert len(block.repetition_s) > 25


def test_the_seed_decides() -> None:
    assert write_script(4) == write_script(4)
    assert write_script(4).blocks != write_script(5).blocks


def test_truth_is_plain_and_complete() -> None:
    script = write_script(3, clip="a", duration_s=60, rate=Fraction(30000, 1001))
    stated = truth(script)
    assert json.loads(json.dumps(stated, allow_nan=False)) == stated
    assert list(stated) == ["clip", "fps", "frames", "blocks"]
    assert stated["clip"] == "a"
    assert stated["fps"] == pytest.approx(29.97, abs=0.001)
    assert stated["frames"] == len(list(script.frame_times_s())) == 1799
    assert truth(write_script(3))["fps"] == 15
    for block, said in zip(script.blocks, stated["blocks"], strict=True):
        assert said["rep_count"] == len(said["reps"]) == len(block.repetition_s)
        assert said["end_s"] == pytest.approx(block.stop_s, abs=1e-6)
        if block.activity == "looking":
            assert said["period_s_mean"] is None
        else:
            assert said["period_s_mean"] == pytest.approx(block.period_s, abs=1e-6)
    assert all(a["end_s"] == b["start_s"] for a, b in pairwise(stated["blocks"]))


def test_frames_lie_inside_the_clip() -> None:
    script = write_script(0, duration_s=10.01, rate=Fraction(25))
    times_s = list(script.frame_times_s())
    assert times_s[0] == 0
    assert 10.01 - 1 / 25 <= times_s[-1] < 10.01
    np.testing.assert_allclose(np.diff(times_s), 0.04, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"duration_s": 4.0},
        {"duration_s": math.nan},
        {"activities": []},
        {"activities": ["juggling"]},
        {"activities": ["sawing", "sawing"]},
        {"size_px": (320, 8)},
        {"rate": Fraction(0)},
        {"clip": ""},
        {"seed": -1},
    ],
)
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"is|are"):
        write_script(**{"seed": 0, **options})  # type: ignore[arg-type]


def test_bad_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="no activity"):
        Block(activity="juggling", start_s=0, stop_s=5)
    with pytest.raises(ValueError, match="cannot span"):
        Block(activity="sawing", start_s=5, stop_s=5)
    with pytest.raises(ValueError, match="beginning and an end"):
        Block(activity="sawing", start_s=0, stop_s=5, cycle_s=(1.0,))
    with pytest.raises(ValueError, match="increase"):
        Block(activity="sawing", start_s=0, stop_s=5, cycle_s=(1.0, 6.0))
    with pytest.raises(ValueError, match="tile"):
        Script(
            clip="a",
            blocks=(
                Block(activity="looking", start_s=0, stop_s=5),
                Block(activity="looking", start_s=6, stop_s=9),
            ),
        )
