"""From grey frames to the channels of the signal ``motion``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import cv2
import numpy as np

from offhand.errors import SignalError
from offhand.records import (
    ByteArray,
    Clip,
    FloatArray,
    FrameBlock,
    FrameRequest,
    Signal,
    option,
)
from offhand.signals.areas import Float32Array
from offhand.signals.base import Mask
from offhand.signals.motion.camera import (
    equidistant_basis,
    fit_camera,
    similarity_basis,
    squared_length,
)
from offhand.signals.motion.flow import SMALLEST_SIDE_PX, FlowGrid
from offhand.signals.motion.masks import RimFinder, StillCells

CHANNELS = (
    "flow_speed",
    "flow_x",
    "flow_y",
    "camera_speed",
    "camera_x",
    "camera_y",
    "camera_roll",
    "camera_zoom",
    "residual_speed",
    "residual_x",
    "residual_y",
    "inlier_ratio",
)
"""Speeds in image diameters per second, x to the right, y down; roll in rad/s; zoom in 1/s."""

CHUNK_S = 10.0
"""Length of the stretch that is analysed at once; the masks of a chunk know all of it."""

MIN_INLIER_RATIO = 0.3
"""Share of cells that must follow the camera for a fit to count."""

LONGEST_DUPLICATE_S = 0.25
"""Up to here an unchanged picture is a duplicated frame; beyond, nothing moved."""

LONGEST_STEP_S = 0.6
"""No flow is measured across a longer gap between frames."""

DUPLICATE_LEVELS = 0.12
"""Mean change, in grey levels, below which two pictures are the same."""

CUT_LEVELS = 12.0
"""Mean change, in grey levels, from which a cut is looked for."""

CUT_DISTANCE = 0.3
"""Share of the pixels that change their brightness class at a cut, which motion alone does not."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Optical flow split into camera motion and the rest.

    Attributes
    ----------
    rate_hz
        Sampling rate wanted.
    short_side_px
        Size of the images that flow is computed on.
    lens
        How the image moves when the camera turns.
    fov_deg
        Field of view across the image circle (the diagonal where there is no dark rim).
    seed
        Seed of the camera fit.
    """

    name: ClassVar[str] = "motion"
    version: ClassVar[int] = 7

    rate_hz: float = option(
        15.0,
        "sampling rate wanted; a constant source is thinned by a whole number, so the "
        "rate reached may lie a third above or below",
    )
    short_side_px: int = option(160, "shorter side of the images that flow is computed on")
    lens: Literal["auto", "similarity", "equidistant"] = option(
        "auto",
        "lens profile: equidistant fisheye, similarity (no lens model), or auto: equidistant "
        "where a dark rim shows a fisheye's image circle",
    )
    fov_deg: float = option(
        180.0, "field of view of an equidistant lens across the image circle, or the diagonal"
    )
    seed: int = option(0, "seed of the random sample consensus")

    def __post_init__(self) -> None:
        if not self.rate_hz > 0:
            raise ValueError(f"rate_hz is {self.rate_hz}, must be positive")
        if self.short_side_px < SMALLEST_SIDE_PX:
            raise ValueError(
                f"short_side_px is {self.short_side_px}, must be at least {SMALLEST_SIDE_PX}"
            )
        if not 0 < self.fov_deg <= 360:
            raise ValueError(f"fov_deg is {self.fov_deg}, must lie above 0 and up to 360")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}, must be at least 0")

    @property
    def request(self) -> FrameRequest:
        """Grey frames at the sampling rate."""
        return FrameRequest(rate_hz=self.rate_hz, short_side_px=self.short_side_px, colour="grey")

    @property
    def weights(self) -> tuple[str, ...]:
        """None: no model is involved."""
        return ()

    def start(self, clip: Clip) -> MotionState:
        """Begin a clip.

        Raises
        ------
        SignalError
            The clip's mask image cannot be read.
        """
        return MotionState(self, clip)


class MotionState:
    """The running computation on one clip; holds one chunk of flow fields at most."""

    def __init__(self, options: Motion, clip: Clip) -> None:
        self._options = options
        self._user_mask = Mask(clip)
        self._before: _Picture | None = None
        self._unchanged: list[float] = []
        self._chunk = _Chunk()
        self._grid: FlowGrid | None = None
        self._rim_finder: RimFinder | None = RimFinder()
        self._still: StillCells | None = None
        self._scale = 1.0
        self._usable = np.empty(0)
        self._basis = np.empty(0)
        self._zone = np.empty(0)
        self._notes: dict[str, str] = {}
        self._emitted = False

    def update(self, block: FrameBlock) -> Iterator[Signal]:
        """Take frames ``(n, height, width)``; yield a chunk when ten seconds are full.

        Raises
        ------
        SignalError
            The pictures are too small.
        """
        for time_s, image in zip(block.time_s, block.images, strict=True):
            self._add(float(time_s), image)
            if self._chunk.span_s >= CHUNK_S:
                yield self._analyse()

    def finish(self) -> Iterator[Signal]:
        """Yield the last chunk.

        Raises
        ------
        SignalError
            The clip has fewer than two frames.
        """
        for time_s in self._unchanged:
            self._add_still(time_s)
        self._unchanged = []
        if len(self._chunk.time_s):
            yield self._analyse()
        if not self._emitted:
            raise SignalError("fewer than two different moments: motion needs at least two frames")

    def _add(self, time_s: float, image: ByteArray) -> None:
        """Measure the flow from the frame before, unless the picture is a duplicate of it."""
        if self._grid is None:
            if min(image.shape) < SMALLEST_SIDE_PX:
                raise SignalError(
                    f"pictures of {image.shape[1]} x {image.shape[0]} px are too small for motion; "
                    f"each side needs {SMALLEST_SIDE_PX} px"
                )
            self._grid = FlowGrid((image.shape[0], image.shape[1]))
            self._still = StillCells(len(self._grid.points()))
        if self._rim_finder is not None:
            self._rim_finder.add(image)
        if self._before is None:
            self._before = self._picture(time_s, image)
            return
        before = self._before
        change = cv2.norm(before.image, image, cv2.NORM_L1) / image.size
        if change < DUPLICATE_LEVELS:
            self._unchanged.append(time_s)
            if time_s - before.time_s > LONGEST_DUPLICATE_S:
                for still_s in self._unchanged:
                    self._add_still(still_s)
                self._unchanged = []
            return
        self._unchanged = []
        self._before = now = self._picture(time_s, image)
        step_s = time_s - before.time_s
        flow = self._grid.between(before.coarse, now.coarse)
        if step_s > LONGEST_STEP_S or (
            change > CUT_LEVELS
            and histogram_distance(before.brightness, now.brightness) > CUT_DISTANCE
        ):
            flow = np.full_like(flow, np.nan)
        self._chunk.add((before.time_s + time_s) / 2, step_s, flow, self._grid.texture(image))

    def _picture(self, time_s: float, image: ByteArray) -> _Picture:
        assert self._grid is not None
        brightness = np.asarray(cv2.calcHist([image], [0], None, [16], [0, 256]), np.float32)
        return _Picture(time_s, image, self._grid.coarse(image), brightness)

    def _add_still(self, time_s: float) -> None:
        """Record that nothing moved up to a time, and measure the next flow from there."""
        if self._before is None or self._grid is None:
            return
        before_s = self._before.time_s
        cells = len(self._grid.points())
        texture = self._grid.texture(self._before.image)
        self._chunk.add((before_s + time_s) / 2, time_s - before_s, np.zeros((cells, 2)), texture)
        self._before = self._before._replace(time_s=time_s)

    def _settle(self, image_shape: tuple[int, int]) -> None:
        """Decide once on rim, unit of length, lens and work zone."""
        assert self._grid is not None
        rim = self._rim_finder.rim() if self._rim_finder else None
        usable = np.ones(image_shape)
        if rim is not None:
            usable[rim.pixels] = 0.0
            self._scale = self._grid.diagonal_px / rim.diameter_px
            kind = "fisheye rim" if rim.round else "black bars"
            self._notes["rim"] = f"{kind} over {rim.pixels.mean():.0%} of the picture left out"
        if self._user_mask:
            usable *= self._user_mask.share(*image_shape)
            self._notes["mask"] = "the user's mask applied"
        self._usable = (self._grid.cells(usable) > 0.9).astype(np.float64)
        points = self._grid.points() * self._scale
        lens = self._options.lens
        if lens == "equidistant" or (lens == "auto" and rim is not None and rim.round):
            self._basis = equidistant_basis(points, fov_deg=self._options.fov_deg)
            self._notes["lens"] = f"equidistant, {self._options.fov_deg:g} deg"
        else:
            self._basis = similarity_basis(points)
            self._notes["lens"] = "no lens model (similarity)"
        self._zone = work_zone(points)
        self._rim_finder = None

    def _analyse(self) -> Signal:
        """Turn the chunk of flow fields into samples, and start a new chunk."""
        assert self._grid is not None
        assert self._still is not None
        chunk, self._chunk = self._chunk, _Chunk()
        if self._rim_finder is not None and self._rim_finder.ready and self._before is not None:
            height, width = self._before.image.shape[:2]
            self._settle((height, width))
        values = np.full((len(chunk.time_s), len(CHANNELS)), np.nan)
        shift = np.stack(chunk.flow)
        moved_px = np.sqrt(squared_length(shift)) * self._grid.diagonal_px
        known = ~np.isnan(moved_px[:, 0])
        if self._rim_finder is None and known.any():  # else every frame so far was black
            self._still.add(moved_px[known])
            step_s = np.array(chunk.step_s)
            weights = np.stack(chunk.texture) * self._usable * ~self._still.mask()
            values[known] = self._measure(
                shift[known] * self._scale / step_s[known, None, None],
                weights[known],
                moved_px[known],
                step_s[known],
            )
        self._emitted = True
        return Signal(
            name=Motion.name,
            time_s=np.array(chunk.time_s),
            channels=CHANNELS,
            values=values,
            notes=dict(self._notes),
        )

    def _measure(
        self, flow: FloatArray, weights: FloatArray, moved_px: FloatArray, step_s: FloatArray
    ) -> FloatArray:
        """Return the channels ``(n, channels)`` of flow fields ``(n, cells, 2)``."""
        assert self._grid is not None
        # a third of a pixel, and an eighth of the motion: parallax and lens errors grow with it
        slack_px = 0.35 + 0.12 * np.median(moved_px, axis=1)
        tolerance = slack_px / self._grid.diagonal_px * self._scale / step_s
        fit = fit_camera(flow, weights, self._basis, tolerance=tolerance, seed=self._options.seed)
        failed = fit.inlier_ratio < MIN_INLIER_RATIO
        parameters = np.where(failed[:, None], np.nan, fit.parameters)
        residual = np.where(failed[:, None, None], np.nan, fit.residual)
        camera = np.einsum("kcd,nk->ncd", self._basis, parameters)
        return np.column_stack(
            [
                _mean(np.sqrt(squared_length(flow)), weights),
                _mean(flow[:, :, 0], weights),
                _mean(flow[:, :, 1], weights),
                _mean(np.sqrt(squared_length(camera)), weights),
                parameters,
                _mean(np.sqrt(squared_length(residual)), weights * self._zone),
                _mean(residual[:, :, 0], weights * self._zone),
                _mean(residual[:, :, 1], weights * self._zone),
                fit.inlier_ratio,
            ]
        )


class _Picture(NamedTuple):
    """What a picture is compared by with the next one."""

    time_s: float
    image: ByteArray
    coarse: ByteArray
    brightness: Float32Array


class _Chunk:
    """Flow fields that wait for their analysis."""

    def __init__(self) -> None:
        self.time_s: list[float] = []
        self.step_s: list[float] = []
        self.flow: list[FloatArray] = []
        self.texture: list[FloatArray] = []

    @property
    def span_s(self) -> float:
        return self.time_s[-1] - self.time_s[0] if self.time_s else 0.0

    def add(self, time_s: float, step_s: float, flow: FloatArray, texture: FloatArray) -> None:
        self.time_s.append(time_s)
        self.step_s.append(step_s)
        self.flow.append(flow)
        self.texture.append(texture)


def work_zone(points: FloatArray) -> FloatArray:
    """Return how far each cell lies in the zone where hands work, ``(cells,)`` in 0..1.

    Parameters
    ----------
    points
        ``(cells, 2)`` from the image's centre in diameters: the zone lies just below it.
    """
    across, down = points[:, 0] / 0.16, (points[:, 1] - 0.08) / 0.14
    return np.asarray(np.exp(-0.5 * (across**2 + down**2)))


def histogram_distance(before: Float32Array, after: Float32Array) -> float:
    """Return the share of pixels, 0..1, by which two brightness histograms differ."""
    return float(np.abs(before - after).sum() / (before.sum() + after.sum()))


def _mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return weighted means over cells ``(n,)``, NaN where no cell has weight."""
    total = weights.sum(axis=1)
    return np.asarray((values * weights).sum(axis=1) / np.where(total > 0, total, np.nan))
