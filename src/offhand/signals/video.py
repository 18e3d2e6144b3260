"""What happens in the picture: one embedding a window of frames, by V-JEPA 2."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from offhand.errors import ConfigError, SignalError
from offhand.models.hub import DEVICES
from offhand.records import ByteArray, Clip, FloatArray, FrameBlock, FrameRequest, Signal, option
from offhand.signals.base import Mask
from offhand.weights import locate

SHORT_SIDE_PX = 292
"""To what the published preprocessing of the 256 px models scales the shorter side."""

OVERSAMPLING = 2.0
"""Frames that are asked for over frames that are shown: so the nearest one is never far."""

LONGEST_GAP_S = 0.5
"""No window spans a longer time without a frame."""

MIN_SHARE = 0.5
"""Share of a window that a stretch of frames must fill to be embedded at all."""

WINDOWS_AT_ONCE = 4
"""Windows that wait for each other, so that a GPU has enough to do; they are all a clip holds."""


class Embedder(Protocol):
    """A model that embeds windows of frames."""

    n_dims: int
    n_frames: int
    frame_step: int

    def embed(self, windows: ByteArray) -> npt.NDArray[np.float32]:
        """Return embeddings ``(n, d)`` of windows ``(n, frames, height, width, 3)``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Video:
    """Embeddings of windows of frames: channels ``v0000`` upwards, 1024 of V-JEPA 2's ViT-L.

    A window is ``n_frames`` frames at even spacing, the first and the last ``window_s`` apart; its
    sample lies at its centre. The model (Assran et al. 2025, arXiv:2506.09985) was trained on 16
    frames a window at 4 frames per second and, at the end, on 64. The default shows it 16, for a
    quarter of the tokens of 64, but faster (7.5 per second, every fourth frame of 30): strokes of
    work last about a second, and windows must fit into segments, which may be as short as 2 s.

    Windows start anew behind a gap in the recording and never span one. Where the last window of a
    stretch leaves half a step or more uncovered, another ends with the stretch. A stretch that is
    shorter than a window but fills half of it is embedded once, its first and last frames held
    (the notes say how often); a still shorter one gives NaN.

    Attributes
    ----------
    model
        Name of weights, or the folder of a V-JEPA 2 model.
    window_s
        Time from the first to the last frame of a window.
    hop_s
        Time from one window to the next.
    n_frames
        Frames of a window.
    device
        Where the model runs.
    """

    name: ClassVar[str] = "video"
    version: ClassVar[int] = 1

    model: str = option("vjepa2_vitl", "weights: vjepa2_vitl, or the folder of a V-JEPA 2 model")
    window_s: float = option(2.0, "time from the first to the last frame of a window, in seconds")
    hop_s: float = option(2.0, "time from one window to the next, in seconds")
    n_frames: int = option(16, "frames of a window that the model is shown, at even spacing")
    device: Literal["auto", "cuda", "mps", "cpu"] = option(
        "auto", "where the model runs: cuda, mps, cpu, or auto for the first there is"
    )

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model is empty")
        for name in ("window_s", "hop_s"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}, must be positive")
        if self.n_frames < 2:
            raise ValueError(f"n_frames is {self.n_frames}, must be at least 2")
        if self.device not in DEVICES:
            raise ValueError(f"device is {self.device!r}, must be one of {', '.join(DEVICES)}")

    @property
    def request(self) -> FrameRequest:
        """RGB frames, more often than they are shown."""
        return FrameRequest(
            rate_hz=OVERSAMPLING * (self.n_frames - 1) / self.window_s,
            short_side_px=SHORT_SIDE_PX,
            colour="rgb",
        )

    @property
    def weights(self) -> tuple[str, ...]:
        """The model's."""
        return (self.model,)

    def start(self, clip: Clip) -> VideoState:
        """Begin a clip; the model is loaded once per process.

        Raises
        ------
        WeightsMissing
            The weights, or the packages that run them, are not on this machine.
        WeightsError
            The weights are damaged, or of another model.
        ConfigError
            The model cannot take so many frames.
        SignalError
            The clip's mask image cannot be read.
        """
        model = _model(str(locate(self.model)), self.device)
        if self.n_frames % model.frame_step:
            raise ConfigError(
                f"signals.video.n_frames is {self.n_frames}, must be a multiple of "
                f"{model.frame_step} for {self.model}"
            )
        return VideoState(self, model, Mask(clip))


class VideoState:
    """The running computation on one clip; holds the frames of a few windows at most.

    Parameters
    ----------
    options
        The signal.
    model
        What embeds the windows.
    mask
        What of the frames is blackened.
    """

    def __init__(self, options: Video, model: Embedder, mask: Mask) -> None:
        self._options = options
        self._model = model
        self._mask = mask
        self._offsets_s = np.linspace(0.0, options.window_s, options.n_frames)
        self._frames: deque[tuple[float, ByteArray]] = deque()
        self._first_s = self._next_s = math.nan  # start of the stretch, and of its next window
        self._waiting: list[tuple[float, ByteArray | None]] = []
        self._held = 0
        self._emitted = False

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Take frames ``(n, height, width, 3)``; yield a chunk when enough windows are full."""
        images = self._mask.blacken(block.images)
        for time_s, image in zip(block.time_s.tolist(), images, strict=True):
            if self._frames and time_s - self._frames[-1][0] > LONGEST_GAP_S:
                self._end_stretch()
            self._add(time_s, image)
            if len(self._waiting) >= WINDOWS_AT_ONCE:
                yield self._chunk()

    def finish(self) -> Iterator[Signal]:
        """Yield the last chunk; SignalError where there was no frame at all."""
        if self._frames:
            self._end_stretch()
        if self._waiting:
            yield self._chunk()
        if not self._emitted:
            raise SignalError("no frame to embed")

    def _add(self, time_s: float, image: ByteArray) -> None:
        """Take a frame, and the windows that it completes; forget what no window needs."""
        if not self._frames:
            self._first_s = self._next_s = time_s
        self._frames.append((time_s, image.copy()))  # a view would keep its whole block alive
        window_s = self._options.window_s
        while time_s >= self._next_s + window_s - 1e-6:
            self._take(self._next_s)
            self._next_s += self._options.hop_s
        needed_s = min(self._next_s, time_s - window_s)
        while len(self._frames) > 1 and self._frames[1][0] <= needed_s:
            self._frames.popleft()

    def _end_stretch(self) -> None:
        """Embed what the windows of a stretch have left of it, and forget it."""
        options, last_s = self._options, self._frames[-1][0]
        length_s = last_s - self._first_s
        if length_s >= options.window_s - 1e-6:
            covered_s = self._next_s - options.hop_s + options.window_s
            if last_s - covered_s >= options.hop_s / 2:
                self._take(last_s - options.window_s)
        elif length_s >= MIN_SHARE * options.window_s:
            self._held += 1
            self._take(self._first_s + (length_s - options.window_s) / 2)
        else:
            self._waiting.append((self._first_s + length_s / 2, None))
        self._frames.clear()

    def _take(self, start_s: float) -> None:
        """Line up the window that starts at a time: at each instant the nearest frame."""
        at_s = np.array([time_s for time_s, _ in self._frames])
        wanted_s = start_s + self._offsets_s
        nearest = np.abs(at_s[:, None] - wanted_s).argmin(axis=0)
        window = np.stack([self._frames[index][1] for index in nearest])
        self._waiting.append((start_s + self._options.window_s / 2, window))

    def _chunk(self) -> Signal:
        """Embed the windows that wait."""
        waiting, self._waiting = self._waiting, []
        values: FloatArray = np.full((len(waiting), self._model.n_dims), np.nan)
        rows = [row for row, (_, window) in enumerate(waiting) if window is not None]
        if rows:
            windows = [window for _, window in waiting if window is not None]
            values[rows] = self._model.embed(np.stack(windows))
        self._emitted = True
        return Signal(
            name=Video.name,
            time_s=np.array([time_s for time_s, _ in waiting]),
            channels=tuple(f"v{index:04d}" for index in range(self._model.n_dims)),
            values=values,
            notes=self._notes(),
        )

    def _notes(self) -> dict[str, str]:
        options = self._options
        notes = {
            "model": Path(options.model).name,
            "window": (
                f"{options.n_frames} frames over {options.window_s:g} s every {options.hop_s:g} s "
                f"(trained with {self._model.n_frames})"
            ),
        }
        if self._held:
            notes["short"] = f"{self._held} windows filled up by holding their first and last frame"
        return notes


@lru_cache(maxsize=1)
def _model(folder: str, device: str) -> Embedder:
    """Load a model, or return the one that this process has loaded."""
    from offhand.models.vjepa2 import Vjepa2

    return Vjepa2(Path(folder), device=device)
