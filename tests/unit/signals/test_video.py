"""The signal video: which frames its windows show, by a model that tells; then by a tiny one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from offhand.errors import ConfigError, SignalError, WeightsMissing
from offhand.models import vjepa2
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, Signal
from offhand.signals import video
from offhand.signals.base import join
from offhand.signals.video import LONGEST_GAP_S, WINDOWS_AT_ONCE, Video
from offhand.stages.measure import measure_signals
from offhand.video.sampling import RateLimit
from tests.fixtures.videos import even_times, texture, view, write

CLIP = Clip(clip_id="a", path="a")
N_FRAMES = 16


class _Teller:
    """Embeds a window as the numbers of its frames, which are written into their pixels."""

    n_dims = N_FRAMES
    n_frames = 64
    frame_step = 2
    made: list[tuple[Path, str]] = []  # noqa: RUF012

    def __init__(self, folder: Path = Path(), *, device: str = "auto") -> None:
        self.made.append((folder, device))

    def embed(self, windows: ByteArray) -> np.ndarray:
        pixels = windows[:, :, 0, 0].astype(np.float32)
        return np.asarray(pixels[..., 0] * 256 + pixels[..., 1])


@pytest.fixture(autouse=True)
def teller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let the teller stand for V-JEPA 2, and a folder for its weights."""
    monkeypatch.setattr(_Teller, "made", [])
    monkeypatch.setattr(vjepa2, "Vjepa2", _Teller)
    monkeypatch.setattr(video, "locate", lambda name: tmp_path / name)
    video._model.cache_clear()
    yield
    video._model.cache_clear()


def _picture(index: int) -> ByteArray:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[:, :, 0], picture[:, :, 1] = divmod(index, 256)
    return picture


def _measure(times_s: FloatArray, options: Video | None = None, *, block: int = 32) -> Signal:
    """Compute the signal of frames at some times, all of which pass the sampling."""
    state = (options or Video()).start(CLIP)
    chunks = []
    for start in range(0, len(times_s), block):
        part = range(start, min(start + block, len(times_s)))
        images = np.stack([_picture(index) for index in part])
        chunks += list(state.update(FrameBlock(time_s=times_s[part], images=images)))
    chunks += list(state.finish())
    return join(chunks)


def _sampled(rate: Fraction, length_s: float) -> FloatArray:
    """Return the times of the frames that a source of a constant rate delivers."""
    limit = RateLimit(Video().request.rate_hz)
    times_s = even_times(int(length_s * rate) + 1, rate)
    return np.array([time_s for time_s in times_s if limit.takes(float(time_s))])


def _shown(signal: Signal, times_s: FloatArray) -> FloatArray:
    """Return the times of the frames of each window, ``(windows, frames)``."""
    return times_s[signal.values.astype(int)]


def test_a_window_is_sixteen_evenly_spaced_frames_around_its_sample() -> None:
    times_s = _sampled(Fraction(30), 10.0)
    signal = _measure(times_s)
    np.testing.assert_allclose(signal.time_s, [1, 3, 5, 7, 9])
    assert signal.channels[:2] == ("v0000", "v0001")
    shown_s = _shown(signal, times_s)
    np.testing.assert_allclose(shown_s[0], np.arange(16) * 4 / 30, atol=1e-9)
    np.testing.assert_allclose(shown_s[3], 6 + np.arange(16) * 4 / 30, atol=1e-9)


@pytest.mark.parametrize("rate", [60, 50, 30, Fraction(30000, 1001), 25, 24, 15, 12, 7.5])
def test_frames_are_near_their_instants_whatever_the_source(rate: float) -> None:
    times_s = _sampled(Fraction(rate), 9.0)
    signal = _measure(times_s)
    wanted_s = signal.time_s[:, None] + np.linspace(-1, 1, 16)
    step_s = float(np.median(np.diff(times_s)))
    assert np.abs(_shown(signal, times_s) - wanted_s).max() <= 0.51 * step_s + 1e-9
    assert len(signal.time_s) >= 4


def test_the_size_of_blocks_does_not_matter() -> None:
    times_s = _sampled(Fraction(25), 23.0)
    one, other = _measure(times_s, block=1), _measure(times_s, block=32)
    np.testing.assert_array_equal(one.time_s, other.time_s)
    np.testing.assert_array_equal(one.values, other.values)
    assert len(one.time_s) > 2 * WINDOWS_AT_ONCE


@pytest.mark.parametrize(("hop_s", "expected"), [(1.0, 9), (0.5, 17), (3.0, 4)])
def test_windows_follow_each_other_by_the_hop(hop_s: float, expected: int) -> None:
    times_s = _sampled(Fraction(30), 10.0)
    signal = _measure(times_s, Video(hop_s=hop_s))
    assert len(signal.time_s) == expected
    full = signal.time_s if hop_s < 2 else signal.time_s[:3]
    np.testing.assert_allclose(np.diff(full), hop_s)
    assert not np.isnan(signal.values).any()


@pytest.mark.parametrize(
    ("length_s", "centres_s"),
    [(10.0, [1, 3, 5, 7, 9]), (10.8, [1, 3, 5, 7, 9]), (11.2, [1, 3, 5, 7, 9, 10.2])],
)
def test_the_end_of_a_clip_is_covered(length_s: float, centres_s: list[float]) -> None:
    times_s = _sampled(Fraction(30), length_s)
    signal = _measure(times_s)
    np.testing.assert_allclose(signal.time_s, centres_s, atol=0.07)
    if len(centres_s) == 6:
        assert signal.values[-1, -1] == len(times_s) - 1


def test_every_segment_of_two_seconds_holds_a_sample() -> None:
    times_s = _sampled(Fraction(30), 61.3)
    centres_s = _measure(times_s).time_s
    starts_s = np.arange(0, 59, 0.25)
    inside = (centres_s >= starts_s[:, None]) & (centres_s < starts_s[:, None] + 2)
    assert inside.any(axis=1).all()


def test_no_window_spans_a_gap() -> None:
    even = np.arange(0, 5.01, 1 / 15)
    times_s = np.concatenate([even, 5.0 + LONGEST_GAP_S + 0.1 + even])
    signal = _measure(times_s)
    shown_s = _shown(signal, times_s)
    assert np.diff(shown_s, axis=1).max() < 0.2
    assert np.diff(shown_s, axis=1).min() > 0
    assert np.all(np.diff(signal.time_s) > 0)
    assert (signal.time_s < 5).sum() == (signal.time_s > 5).sum() == 3


def test_a_gap_that_is_short_enough_is_bridged() -> None:
    even = np.arange(0, 5.01, 1 / 15)
    times_s = np.concatenate([even[even < 2.5], even[even > 2.5 + 0.8 * LONGEST_GAP_S]])
    np.testing.assert_allclose(_measure(times_s).time_s, [1, 3, 4], atol=0.07)


def test_a_clip_shorter_than_a_window_holds_its_ends_and_says_so() -> None:
    times_s = np.arange(0, 1.41, 1 / 15)
    signal = _measure(times_s)
    np.testing.assert_allclose(signal.time_s, [0.7])
    numbers = signal.values[0].astype(int)
    assert numbers[:3].tolist() == [0, 0, 0]
    assert numbers[-3:].tolist() == [21, 21, 21]
    assert np.diff(numbers[2:-2]).min() >= 1
    assert np.diff(numbers[2:-2]).max() <= 3
    assert "1 windows" in signal.notes["short"]


@pytest.mark.parametrize("length_s", [0.0, 0.5, 0.9])
def test_a_clip_much_shorter_than_a_window_is_unknown(length_s: float) -> None:
    times_s = 7 + np.arange(0, length_s + 0.01, 1 / 15)
    signal = _measure(times_s)
    assert signal.values.shape == (1, N_FRAMES)
    assert np.isnan(signal.values).all()
    assert signal.time_s[0] == pytest.approx(times_s.mean())
    assert "short" not in signal.notes


def test_unknown_and_known_windows_keep_their_rows() -> None:
    even = np.arange(0, 2.01, 1 / 15)
    times_s = np.concatenate([even, [3.0], 4 + even, [7.0], [8.0], 9 + even])
    signal = _measure(times_s)
    assert np.isnan(signal.values[:, 0]).tolist() == [False, True, False, True, True, False]
    np.testing.assert_allclose(signal.time_s, [1, 3, 5, 7, 8, 10])
    known = ~np.isnan(signal.values[:, 0])
    shown_s = times_s[signal.values[known].astype(int)]
    np.testing.assert_allclose(shown_s.mean(axis=1), signal.time_s[known], atol=0.01)


def test_frames_too_rare_for_a_window_are_unknown() -> None:
    signal = _measure(np.arange(6) * 1.0)
    assert np.isnan(signal.values).all()
    assert len(signal.time_s) == 6


def test_memory_stays_flat() -> None:
    state = Video().start(CLIP)
    most = 0
    for index, time_s in enumerate(np.arange(0, 60, 1 / 15)):
        list(state.update(FrameBlock(time_s=np.array([time_s]), images=_picture(index)[None])))
        assert state._frames[-1][1].base is None
        most = max(most, len(state._frames) + N_FRAMES * len(state._waiting))
    assert most <= 2 * 15 + 3 + N_FRAMES * WINDOWS_AT_ONCE


def test_what_the_user_masks_is_black(tmp_path: Path) -> None:
    mask = np.full((40, 60), 255, np.uint8)
    mask[:20] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    times_s = _sampled(Fraction(30), 3.0)
    state = Video().start(Clip(clip_id="a", path="a", mask_path=str(tmp_path / "mask.png")))
    images = np.full((len(times_s), 4, 6, 3), 200, np.uint8)
    list(state.update(FrameBlock(time_s=times_s, images=images)))
    _, window = state._waiting[0]
    assert window is not None
    assert np.all(window[:, :2] == 0)
    assert np.all(window[:, 2:] == 200)
    assert np.all(images == 200)


def test_the_notes_tell_model_and_window() -> None:
    notes = _measure(_sampled(Fraction(30), 5.0), Video(model="mine")).notes
    assert notes["model"] == "mine"
    assert notes["window"] == "16 frames over 2 s every 2 s (trained with 64)"


def test_a_clip_without_frames_is_an_error() -> None:
    with pytest.raises(SignalError, match="no frame"):
        list(Video().start(CLIP).finish())


def test_the_model_is_loaded_once_for_all_clips(tmp_path: Path) -> None:
    for _ in range(5):
        Video(model="mine", device="cpu").start(CLIP)
    assert _Teller.made == [(tmp_path / "mine", "cpu")]
    Video(model="other").start(CLIP)
    assert len(_Teller.made) == 2


def test_a_number_of_frames_that_the_model_cannot_take_is_an_error() -> None:
    with pytest.raises(ConfigError, match="n_frames is 15"):
        Video(n_frames=15).start(CLIP)


def test_a_model_that_is_nowhere_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(WeightsMissing, match="nowhere"):
        Video(model="/nowhere/at/all").start(CLIP)


def test_the_request_covers_the_published_input() -> None:
    request = Video().request
    assert (request.rate_hz, request.short_side_px, request.colour) == (15.0, 292, "rgb")
    assert Video(model="x").weights == ("x",)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model", ""),
        ("window_s", 0.0),
        ("window_s", float("nan")),
        ("hop_s", -1.0),
        ("hop_s", float("inf")),
        ("n_frames", 1),
        ("device", "tpu"),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        Video(**{option: value})


def test_a_tiny_model_runs_on_a_real_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("OFFHAND_HOME", raising=False)
    pytest.importorskip("torch", reason="torch is not installed: pip install 'offhand[hub]'")
    pytest.importorskip("transformers", reason="not installed: pip install 'offhand[hub]'")
    from tests.fixtures.checkpoints import write_vjepa2

    folder = write_vjepa2(tmp_path / "tiny")
    world = texture(seed=3)
    film = [view(world, (80, 60), x=0.2 * float(t)) for t in even_times(90, Fraction(30))]
    found = []
    for name, pictures in (("forward", film), ("backward", film[::-1])):
        write(tmp_path / f"{name}.mp4", pictures, codec="libx264", rate=Fraction(30))
        options = Video(model=str(folder), window_s=1.4, hop_s=1.4, n_frames=8, device="cpu")
        found.append(measure_signals(tmp_path / f"{name}.mp4", [options])[0]["video"])
    assert found[0].values.shape == (2, 48)
    assert found[0].channels[-1] == "v0047"
    np.testing.assert_allclose(found[0].time_s, [0.7, 2.1], atol=1e-6)
    assert np.isfinite(found[0].values).all()
    assert np.abs(found[0].values - found[1].values).max() > 1e-3
