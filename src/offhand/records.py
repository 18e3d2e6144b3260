"""Plain data that crosses a layer: frozen, and checked when made.

Times are float64 seconds from presentation timestamps. Intervals are half-open
``[start_s, stop_s)``. The first axis of every array is time or samples.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LevelArray = npt.NDArray[np.int8]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

ClipStatus = Literal["ok", "partial", "failed"]
Scope = Literal["pooled", "clip"]


def option(default: Any, doc: str) -> Any:
    """Return a dataclass field holding a configuration option and its one-line documentation.

    Parameters
    ----------
    default
        The default value, written here and nowhere else.
    doc
        What the option does, with its unit; ``offhand config`` prints it.
    """
    return dataclasses.field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One recording to analyse: a video file, or a part of one.

    Attributes
    ----------
    clip_id
        Name of the clip in every table; unique in a workspace.
    path
        The video file.
    from_s, to_s
        Part of the recording to use, in seconds of its own time; ``None`` for its end.
    mask_path
        Image whose black pixels are left out of every signal; ``None`` for none.
    source
        Identity of the file's content (a hash), empty where it is not known.
    """

    clip_id: str
    path: str
    from_s: float = 0.0
    to_s: float | None = None
    mask_path: str | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if not self.clip_id:
            raise ValueError("clip_id is empty")
        if not 0 <= self.from_s < float("inf"):
            raise ValueError(f"from_s is {self.from_s}, must be a number from 0 up")
        if self.to_s is not None and not self.to_s > self.from_s:
            raise ValueError(f"to_s is {self.to_s}, must lie after from_s ({self.from_s})")


@dataclass(frozen=True, kw_only=True)
class ClipInfo:
    """What is known of a clip after it was opened, or decoded: one row of the table ``clips``.

    Attributes
    ----------
    status
        ``ok``; ``partial`` (some of it was lost, the rest was used); ``failed`` (no result).
    error
        The reason where the status is not ``ok``, else empty.
    duration_s
        From the start of the recording to the end of its last decoded frame.
    n_frames
        Frames decoded (not the header's claim).
    frame_rate
        Mean rate of the decoded frames, in frames per second.
    width, height
        Displayed size in pixels: after rotation.
    codec
        Name of the video codec.
    rotation_deg
        Clockwise rotation that the container asks a player for: 0, 90, 180 or 270.
    start_time
        Recording clock at time zero as an ISO 8601 string, empty where the container has none.
    """

    status: ClipStatus = "ok"
    error: str = ""
    duration_s: float = float("nan")
    n_frames: int = 0
    frame_rate: float = float("nan")
    width: int = 0
    height: int = 0
    codec: str = ""
    rotation_deg: int = 0
    start_time: str = ""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What one task of a stage needs of a machine.

    Attributes
    ----------
    cpus
        Processors.
    memory_mb
        Peak memory of its process, in MB of 1,000,000 bytes; 0 where it is not known.
    """

    cpus: int = 1
    memory_mb: int = 0

    def __post_init__(self) -> None:
        if self.cpus < 1 or self.memory_mb < 0:
            raise ValueError(
                f"cpus is {self.cpus} and memory_mb {self.memory_mb}, must be at least 1 and 0"
            )


ONE_PROCESSOR = Needs()
"""What a task needs of which nothing else is known."""


@dataclass(frozen=True, kw_only=True)
class FrameRequest:
    """Which frames a signal wants, and in what form.

    Attributes
    ----------
    rate_hz
        Highest sampling rate; ``None`` for every frame.
    short_side_px
        Length of the image's shorter side after scaling (never enlarged).
    colour
        ``grey`` for images ``(n, height, width)``, ``rgb`` for ``(n, height, width, 3)``.
    stretch_s, every_s
        Only frames in the first ``stretch_s`` seconds of every ``every_s`` seconds of the
        recording are wanted; all of them by default.
    """

    rate_hz: float | None
    short_side_px: int
    colour: Literal["grey", "rgb"]
    stretch_s: float = 1.0
    every_s: float = 1.0

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not self.rate_hz > 0:
            raise ValueError(f"rate_hz is {self.rate_hz}, must be positive or None")
        if self.short_side_px < 16:
            raise ValueError(f"short_side_px is {self.short_side_px}, must be at least 16")
        if not 0 < self.stretch_s <= self.every_s:
            raise ValueError(
                f"stretch_s is {self.stretch_s}, must lie above 0, up to every_s ({self.every_s})"
            )

    @property
    def is_whole(self) -> bool:
        """Whether frames are wanted from all of the recording, not from stretches of it."""
        return self.stretch_s == self.every_s

    def wants(self, time_s: float) -> bool:
        """Tell whether a time lies in a stretch that is wanted."""
        return self.is_whole or time_s % self.every_s < self.stretch_s


@dataclass(frozen=True, kw_only=True)
class FrameBlock:
    """A run of frames in display orientation.

    Attributes
    ----------
    time_s
        Presentation times, ``(n,)``, strictly increasing.
    images
        uint8, ``(n, height, width)`` grey or ``(n, height, width, 3)`` RGB.
    """

    time_s: FloatArray
    images: ByteArray

    def __post_init__(self) -> None:
        if len(self.time_s) != len(self.images):
            raise ValueError(f"{len(self.time_s)} times for {len(self.images)} images")
        _check_increasing(self.time_s)


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Timed samples of one measurement.

    Attributes
    ----------
    name
        The signal, such as ``motion``.
    time_s
        Sample times, ``(n,)``, strictly increasing.
    channels
        Names of the columns of ``values``, with units where they have one.
    values
        ``(n, channels)`` float64; NaN where nothing could be measured.
    notes
        What a reader must know of this recording of it, such as a fallback that was taken.
    """

    name: str
    time_s: FloatArray
    channels: tuple[str, ...]
    values: FloatArray
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.time_s), len(self.channels)):
            raise ValueError(
                f"values have shape {self.values.shape}, "
                f"expected {(len(self.time_s), len(self.channels))}"
            )
        if len(set(self.channels)) != len(self.channels):
            raise ValueError(f"channel names must be unique, got {self.channels}")
        _check_increasing(self.time_s)

    def channel(self, name: str) -> FloatArray:
        """Return the samples ``(n,)`` of one channel; KeyError names those there are."""
        if name not in self.channels:
            raise KeyError(f"no channel {name!r} in {self.name!r}; it has {self.channels}")
        return self.values[:, self.channels.index(name)]

    def between(self, start_s: float, stop_s: float) -> Signal:
        """Return the samples in ``[start_s, stop_s)``."""
        first, last = np.searchsorted(self.time_s, [start_s, stop_s])
        return replace(self, time_s=self.time_s[first:last], values=self.values[first:last])

    def whole(self) -> Signal:
        """Return all samples."""
        return self

    def parts(self) -> Iterator[Signal]:
        """Yield all samples: here in one part."""
        yield self


class LongSignal(Protocol):
    """What can be asked of a signal without holding all of it in memory."""

    def between(self, start_s: float, stop_s: float) -> Signal:
        """Return the samples in ``[start_s, stop_s)``."""
        ...

    def whole(self) -> Signal:
        """Return all samples: for signals of few channels."""
        ...

    def parts(self) -> Iterator[Signal]:
        """Yield all samples, some minutes at a time; at least one part, though it may be empty."""
        ...


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Intervals of one clip in order of time, without overlap.

    Attributes
    ----------
    clip_id
        The clip.
    start_s, stop_s
        ``(n,)``, half-open intervals; ``segment_id`` is the index.
    change_s
        ``(n,)``: the change point that each starts from, where boundaries were moved to where a
        turn begins; ``None`` where they were not.
    """

    clip_id: str
    start_s: FloatArray
    stop_s: FloatArray
    change_s: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.start_s.shape != self.stop_s.shape or self.start_s.ndim != 1:
            raise ValueError("start_s and stop_s must be vectors of one length")
        if self.change_s is not None and self.change_s.shape != self.start_s.shape:
            raise ValueError("change_s must have one time for each segment")
        if not (np.all(np.isfinite(self.start_s)) and np.all(np.isfinite(self.stop_s))):
            raise ValueError("times of segments must be finite")
        if np.any(self.stop_s <= self.start_s):
            raise ValueError("every segment must have a positive length")
        if np.any(self.start_s[1:] < self.stop_s[:-1]):
            raise ValueError("segments must be in order and must not overlap")

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True, kw_only=True)
class Features:
    """One modality's description of segments.

    Attributes
    ----------
    modality
        Its name.
    clip_id, segment_id
        ``(n,)``: which segment each row describes.
    columns
        Feature names, with units.
    weights
        ``(d,)``: weight of each column in a distance; 0 for columns that only inform the reader.
    values
        ``(n, d)``; NaN where there are no usable data.
    notes
        What a reader must know, such as a fallback that was taken.
    """

    modality: str
    clip_id: npt.NDArray[np.str_]
    segment_id: IntArray
    columns: tuple[str, ...]
    weights: FloatArray
    values: FloatArray
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.clip_id)
        if len(self.segment_id) != rows or self.values.shape != (rows, len(self.columns)):
            raise ValueError(
                f"values have shape {self.values.shape}, expected {(rows, len(self.columns))}"
            )
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("feature names must be unique")
        if self.weights.shape != (len(self.columns),) or not np.all(self.weights >= 0):
            raise ValueError("weights must be one non-negative number a column")

    def __len__(self) -> int:
        return len(self.clip_id)


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """A clustering of segments.

    Attributes
    ----------
    label
        ``(n,)`` int64: cluster number from 0, or below 0 for noise.
    probability
        ``(n,)``: strength of membership in 0..1, NaN where the method has none.
    """

    label: IntArray
    probability: FloatArray

    def __post_init__(self) -> None:
        if self.label.shape != self.probability.shape or self.label.ndim != 1:
            raise ValueError("label and probability must be vectors of one length")
        if np.any((self.probability < 0) | (self.probability > 1)):
            raise ValueError("probability must lie in 0..1, or be NaN")


def _check_increasing(time_s: FloatArray) -> None:
    """Raise ValueError unless times are finite and strictly increasing."""
    if not (np.all(np.isfinite(time_s)) and np.all(np.diff(time_s) > 0)):
        raise ValueError("times must be finite and increase strictly")
