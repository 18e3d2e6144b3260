"""The frames of a synthetic clip: repeatable, and moving as the script says."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import islice, pairwise

import cv2
import numpy as np
import pytest

from offhand.records import FloatArray
from offhand.synthetic.motion import Motion
from offhand.synthetic.render import render
from offhand.synthetic.script import PERIODS_S, Script, write_script


def _digest(script: Script, **options: bool) -> str:
    digest = hashlib.sha256()
    for _, frame in islice(render(script, **options), 0, 60, 5):  # type: ignore[arg-type]
        digest.update(frame.tobytes())
    return digest.hexdigest()


def _shifts_px(script: Script) -> FloatArray:
    """Measure how far the upper part of the picture moves from frame to frame, ``(n - 1, 2)``."""
    rows = script.size_px[1] // 2
    grey = [
        cv2.cvtColor(frame[:rows], cv2.COLOR_RGB2GRAY).astype(np.float32)
        for _, frame in render(script)
    ]
    window = cv2.createHanningWindow((script.size_px[0], rows), cv2.CV_32F)
    return np.array([cv2.phaseCorrelate(a, b, window)[0] for a, b in pairwise(grey)])


def test_frames_have_the_size_and_times_of_the_script() -> None:
    script = write_script(0, duration_s=5, size_px=(100, 64), rate=Fraction(10))
    frames = list(render(script))
    assert [time_s for time_s, _ in frames] == list(script.frame_times_s())
    assert all(f.shape == (64, 100, 3) and f.dtype == np.uint8 for _, f in frames)
    assert frames[0][1] is not frames[1][1]


def test_same_seed_same_bytes() -> None:
    script, other = (write_script(seed, duration_s=20, size_px=(96, 72)) for seed in (7, 8))
    assert _digest(script) == _digest(script)
    assert _digest(script) != _digest(other)
    assert _digest(script) != _digest(script, rim=True)


def test_a_frame_depends_on_its_time_alone() -> None:
    script = write_script(2, duration_s=20, size_px=(96, 72))
    by_time = dict(render(script, times_s=[3.0, 9.31, 12.2]))
    ((_, alone),) = render(script, times_s=[9.31])
    np.testing.assert_array_equal(by_time[9.31], alone)


@pytest.mark.parametrize(
    ("activity", "axis", "cycles"),
    [
        ("hammering", 1, 1),
        ("spreading", 0, 1),
        ("sawing", 1, 1),
        ("shovelling", 0, 1),
        ("walking", 1, 1),
        ("walking", 0, 2),
    ],
)
def test_the_picture_moves_at_the_period(activity: str, axis: int, cycles: int) -> None:
    # Cycles are jittered, so the movement is folded on the cycles before it is looked at.
    script = write_script(5, duration_s=16, activities=[activity], rate=Fraction(20))
    block = script.blocks[0]
    shift_px = _shifts_px(script)[:, axis]
    time_s = np.array(list(script.frame_times_s()))
    middle_s = (time_s[1:] + time_s[:-1]) / 2
    ends = np.array(block.cycle_s)
    phase = np.interp(middle_s, ends, np.arange(len(ends)), left=np.nan, right=np.nan)
    inside = np.isfinite(phase)

    def explained(turns_per_cycle: float) -> float:
        """Share of the movement that four harmonics of a rate explain."""
        angle = 2 * np.pi * turns_per_cycle * phase[inside, None] * np.arange(1, 5)
        basis = np.hstack([np.ones((inside.sum(), 1)), np.cos(angle), np.sin(angle)])
        fit = basis @ np.linalg.lstsq(basis, shift_px[inside], rcond=None)[0]
        return float(1 - np.var(shift_px[inside] - fit) / np.var(shift_px[inside]))

    assert np.std(shift_px[inside]) > 0.3
    assert explained(1 / cycles) > 0.5
    assert explained(1 / cycles) > 3 * explained(0.813 / cycles)


def test_the_vest_stays_where_it_is() -> None:
    script = write_script(1, duration_s=12, activities=["spreading"])
    frames = np.stack([frame for _, frame in islice(render(script), 0, 150, 15)])
    assert np.ptp(frames[:, 215:, 120:200], axis=0).max() == 0
    assert np.ptp(frames[:, :150], axis=0).mean() > 20


def test_the_rim_is_dark() -> None:
    ((_, frame),) = render(write_script(1), times_s=[4.0], rim=True)
    assert frame[:, :10].max() == 0
    assert frame[80:150, 120:200].mean() > 25


@pytest.mark.parametrize("activity", PERIODS_S)
def test_motion_has_no_jumps(activity: str) -> None:
    others = [name for name in PERIODS_S if name != activity][:1]
    script = write_script(1, duration_s=18, activities=[activity, *others])
    assert len(script.blocks) > 1
    motion = Motion(script)
    times_s = np.arange(0, 18, 0.002)
    camera = np.array([motion.camera(t) for t in times_s])
    assert np.abs(np.diff(camera[:, :2], axis=0)).max() < 0.016
    assert np.abs(np.diff(camera[:, 2])).max() < 0.2
    assert np.abs(np.diff(np.log(camera[:, 3]))).max() < 0.006
    tool = np.array([motion.tool(t)[1] for t in times_s])
    within = np.array([motion.block_index(t) for t in times_s])
    steps = np.abs(np.diff(tool, axis=0))[np.diff(within) == 0]
    assert steps[:, :2].max() < 0.02


def test_looks_differ_between_clips() -> None:
    scripts = [write_script(seed, size_px=(96, 72)) for seed in range(6)]
    means = [next(render(script))[1][:36].mean(axis=(0, 1)) for script in scripts]
    assert np.ptp(means, axis=0).min() > 15
