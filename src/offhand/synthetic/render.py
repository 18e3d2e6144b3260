"""From a script to frames: a textured world, a moving camera, a tool, the wearer's vest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from offhand.records import ByteArray, FloatArray
from offhand.synthetic.motion import CameraPose, Motion, ToolPose
from offhand.synthetic.script import Script

_WORLD_HEIGHTS = 4
"""Side of the world in frame heights; beyond it the world repeats."""

_MIN_ZOOM = 0.8
_SUBPIXEL_BITS = 4
_ARM_SHARE = 0.35
"""Share of the blocks in which the wearer's arm shows."""

_Image = npt.NDArray[np.float32]
_Colour = tuple[int, int, int]
_Parts = list[tuple[FloatArray, _Colour]]


class _Look(NamedTuple):
    """What one clip looks like."""

    ground: FloatArray
    accents: ByteArray
    grain: float
    contrast: float
    exposure: float
    vest: _Colour
    sleeve: _Colour
    glove: _Colour


def render(
    script: Script, *, times_s: Iterable[float] | None = None, rim: bool = False
) -> Iterator[tuple[float, ByteArray]]:
    """Draw the frames of a script one by one.

    The motion is evaluated at each frame's own time, so any frame rate works, also a varying one.

    Parameters
    ----------
    script
        What happens; its seed decides what the clip looks like.
    times_s
        Frame times in seconds; ``None`` for the script's constant rate.
    rim
        Whether to darken what lies outside the image circle of a fisheye lens.

    Yields
    ------
    time_s, frame
        Presentation time in seconds; uint8 RGB ``(height, width, 3)``, an array of its own.
    """
    painter = _Painter(script, rim=rim)
    for time_s in script.frame_times_s() if times_s is None else times_s:
        yield time_s, painter.frame(time_s)


class _Painter:
    """Everything of a clip that is made once, and the drawing of one frame."""

    def __init__(self, script: Script, *, rim: bool) -> None:
        self._width, self._height = script.size_px
        self._motion = Motion(script)
        rng = np.random.default_rng([script.seed, 3])
        look = _draw_look(rng)
        self._margin = math.ceil(math.hypot(self._width, self._height) / 2 / _MIN_ZOOM) + 2
        world = _paint_world(self._height, look, rng)
        pad = ((self._margin, self._margin), (self._margin, self._margin), (0, 0))
        self._side = len(world)
        self._world = np.pad(world, pad, mode="wrap")
        self._sprites = _sprites(look)
        self._arm = _arm(look)
        self._arm_shows = rng.random(len(script.blocks)) < _ARM_SHARE
        self._vest_top, self._vest, self._behind_vest = _paint_vest(script.size_px, look)
        self._rim = _paint_rim(script.size_px) if rim else None

    def frame(self, time_s: float) -> ByteArray:
        """Draw the frame at ``time_s``."""
        frame = self._view(self._motion.camera(time_s))
        activity, pose = self._motion.tool(time_s)
        arm = self._arm if self._arm_shows[self._motion.block_index(time_s)] else []
        for part, colour in [*self._sprites.get(activity, []), *arm]:
            self._draw(frame, part, pose, colour)
        low = frame[self._vest_top :]
        cv2.multiply(low, self._behind_vest, dst=low, scale=1 / 255)
        cv2.add(low, self._vest, dst=low)
        if self._rim is not None:
            cv2.multiply(frame, self._rim, dst=frame, scale=1 / 255)
        return frame

    def _view(self, camera: CameraPose) -> ByteArray:
        """Cut the camera's view out of the world."""
        roll = math.radians(camera.roll_deg)
        zoom = max(camera.zoom, _MIN_ZOOM)
        cos, sin = math.cos(roll) / zoom, math.sin(roll) / zoom
        middle_x, middle_y = self._width / 2, self._height / 2
        x = camera.x * self._height % self._side + self._margin
        y = camera.y * self._height % self._side + self._margin
        from_frame = np.array(
            [
                [cos, -sin, x - cos * middle_x + sin * middle_y],
                [sin, cos, y - sin * middle_x - cos * middle_y],
            ]
        )
        view = cv2.warpAffine(
            self._world,
            from_frame,
            (self._width, self._height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return np.asarray(view, dtype=np.uint8)

    def _draw(self, frame: ByteArray, part: FloatArray, pose: ToolPose, colour: _Colour) -> None:
        """Draw one polygon of a sprite, placed to a fraction of a pixel."""
        angle = math.radians(pose.angle_deg)
        cos, sin = math.cos(angle) * pose.scale, math.sin(angle) * pose.scale
        turned = part @ np.array([[cos, sin], [-sin, cos]]) + (pose.x, pose.y)
        points = turned * self._height + (self._width / 2, self._height / 2)
        fixed = np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(frame, [fixed], colour, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)


def _rgb(hue_deg: float, saturation: float, value: float) -> _Colour:
    """Return a colour from hue in degrees, saturation and value in [0, 1]."""
    pixel = np.array([[[hue_deg % 360 / 2, saturation * 255, value * 255]]]).astype(np.uint8)
    red, green, blue = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue


def _draw_look(rng: np.random.Generator) -> _Look:
    """Draw palette, grain and exposure of a clip."""
    hue = rng.uniform(15, 50)
    saturation = rng.choice([0.08, 0.22, 0.40])
    ground = [
        _rgb(hue + rng.normal(0, 8), saturation * rng.uniform(0.7, 1.3), value)
        for value in (rng.uniform(0.16, 0.28), rng.uniform(0.42, 0.52), rng.uniform(0.68, 0.85))
    ]
    timber, brick = _rgb(rng.uniform(30, 42), 0.45, 0.80), _rgb(rng.uniform(4, 18), 0.65, 0.62)
    concrete, steel = _rgb(hue, 0.05, rng.uniform(0.6, 0.8)), _rgb(210, 0.15, 0.35)
    paint = _rgb(rng.uniform(0, 360), 0.75, 0.75)
    return _Look(
        ground=np.array(ground, dtype=np.float64),
        accents=np.array([timber, brick, brick, concrete, steel, paint], dtype=np.uint8),
        grain=rng.uniform(0.7, 1.5),
        contrast=rng.uniform(0.75, 1.15),
        exposure=rng.uniform(0.75, 1.15),
        vest=_rgb(rng.choice([30, 68]) + rng.normal(0, 5), 0.85, 0.92),
        sleeve=_rgb(rng.uniform(200, 260), rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.5)),
        glove=_rgb(rng.uniform(0, 60), rng.uniform(0.05, 0.5), rng.uniform(0.6, 0.9)),
    )


def _periodic_noise(side: int, cell: float, rng: np.random.Generator) -> _Image:
    """Return smooth noise ``(side, side)`` that continues over its edges, about ``cell`` coarse."""
    cells = max(2, round(side / cell))
    knots = np.pad(rng.standard_normal((cells, cells), dtype=np.float32), 2, mode="wrap")
    step = cells / side
    to_knots = np.array([[step, 0, 2], [0, step, 2]])
    noise = cv2.warpAffine(
        knots, to_knots, (side, side), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    return np.asarray(noise, dtype=np.float32)


def _paint_world(height: int, look: _Look, rng: np.random.Generator) -> ByteArray:
    """Paint the ground and what lies about on it; uint8 RGB, repeating without a seam."""
    side = _WORLD_HEIGHTS * height
    tone = np.zeros((side, side), dtype=np.float32)
    for cell, weight in ((0.9, 0.5), (0.3, 0.5), (0.1, 0.55), (0.035, 0.45), (0.014, 0.35)):
        tone += np.float32(weight) * _periodic_noise(side, cell * height * look.grain, rng)
    level = 0.5 + look.contrast * 0.28 * tone
    steps = [0.0, 0.5, 1.0]
    shades = np.linspace(0, 1, 256)
    table = np.stack([np.interp(shades, steps, look.ground[:, i]) for i in range(3)], axis=-1)
    index = np.clip(level * 255, 0, 255).astype(np.uint8)
    world: ByteArray = np.clip(table * look.exposure, 0, 255).astype(np.uint8)[index]
    shine = np.clip(0.9 + 0.12 * _periodic_noise(side, 0.02 * height, rng), 0.5, 1.2)
    for _ in range(75):
        centre = rng.uniform(0, side, 2)
        colour = np.array(look.accents[rng.integers(len(look.accents))]) * look.exposure
        _lay_thing(world, centre, height, colour, shine, rng)
    return world


def _lay_thing(
    world: ByteArray,
    centre: FloatArray,
    height: int,
    colour: FloatArray,
    shine: _Image,
    rng: np.random.Generator,
) -> None:
    """Lay a plank, a block or a bar on the ground, with its shadow; it may lie across the edges."""
    length, width = [(0.55, 0.06), (0.17, 0.09), (0.24, 0.15), (0.7, 0.015)][rng.integers(4)]
    stretch, turn = rng.uniform(0.7, 1.3), rng.uniform(0, math.pi)
    along = np.array([math.cos(turn), math.sin(turn)]) * length * height * stretch / 2
    across = np.array([-math.sin(turn), math.cos(turn)]) * width * height * stretch / 2
    corners = np.array([along + across, along - across, -along - across, across - along])
    reach = math.ceil(float(np.abs(corners).max())) + math.ceil(0.03 * height) + 2
    grid = np.arange(-reach, reach)
    rows = (grid + int(centre[1])) % len(world)
    columns = (grid + int(centre[0])) % len(world)
    there = np.ix_(rows, columns)
    patch = world[there].astype(np.float32)
    shadow = _cover(corners + 0.02 * height, reach)
    patch *= 1 - 0.5 * shadow
    top = _cover(corners, reach)
    shade = np.clip(colour * rng.uniform(0.75, 1.15), 0, 255).astype(np.float32)
    patch += top * (shade * shine[there][..., None] - patch)
    inner = _cover(corners * 0.8, reach)
    patch *= 1 + 0.12 * (inner - top)
    world[there] = np.clip(patch, 0, 255).astype(np.uint8)


def _cover(corners: FloatArray, reach: int) -> _Image:
    """Return how much of each pixel a polygon covers, ``(2 reach, 2 reach, 1)`` in [0, 1]."""
    mask = np.zeros((2 * reach, 2 * reach), dtype=np.uint8)
    fixed = np.rint((corners + reach) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    return mask[..., None].astype(np.float32) / np.float32(255)


def _bar(from_xy: tuple[float, float], to_xy: tuple[float, float], *widths: float) -> FloatArray:
    """Return a straight piece ``(4, 2)`` whose width goes from the first to the last given."""
    begin, end = np.array(from_xy), np.array(to_xy)
    along = (end - begin) / np.hypot(*(end - begin))
    across = np.array([-along[1], along[0]]) / 2
    first, last = widths[0] * across, widths[-1] * across
    return np.array([begin - first, begin + first, end + last, end - last])


def _disc(x: float, y: float, radius: float) -> FloatArray:
    """Return a round outline ``(16, 2)``."""
    angles = np.linspace(0, 2 * math.pi, 16, endpoint=False)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=-1)


_HAND_XY = (0.22, 0.26)
"""Where the hand holds a tool, from the tool's head."""


def _sprites(look: _Look) -> dict[str, _Parts]:
    """Return each activity's tool as polygons in frame heights around its head, back to front."""
    wood, dark, steel = (176, 132, 78), (38, 36, 36), (172, 176, 182)
    red, green, blue = look.accents[-1].tolist()
    handle = (_bar((0, 0), (0.42, 0.50), 0.034, 0.04), wood)
    slender = (_bar((0.03, 0.03), (0.55, 0.65), 0.028, 0.03), wood)
    blade = np.array([(0.08, 0.12), (-0.21, -0.22), (-0.16, -0.25), (0.19, 0.06)])
    scoop = np.array([(0.06, 0.02), (-0.04, 0.09), (-0.17, -0.08), (-0.13, -0.16), (-0.03, -0.11)])
    trowel = np.array([(0.05, 0.06), (-0.10, 0.04), (-0.16, -0.14), (0.03, -0.08)])
    box = np.array([(-0.22, 0.06), (0.22, 0.06), (0.27, 0.34), (-0.27, 0.34)])
    inside = np.array([(-0.18, 0.09), (0.18, 0.09), (0.21, 0.28), (-0.21, 0.28)])
    return {
        "hammering": [handle, (_bar((-0.09, 0.07), (0.08, -0.07), 0.10), dark)],
        "spreading": [(_bar((0.02, 0.02), (0.24, 0.28), 0.04), wood), (trowel, steel)],
        "sawing": [(blade, steel), (_bar((0.11, 0.06), (0.22, 0.20), 0.14, 0.10), wood)],
        "shovelling": [slender, (scoop, (96, 100, 106))],
        "walking": [(box, (red, green, blue)), (inside, dark)],
    }


def _arm(look: _Look) -> _Parts:
    """Return glove and sleeve in the tool's coordinates."""
    x, y = _HAND_XY
    return [
        (_bar((x + 0.03, y + 0.03), (x + 0.45, y + 0.62), 0.11, 0.19), look.sleeve),
        (_disc(x, y, 0.075), look.glove),
        (_bar((x - 0.02, y - 0.06), (x - 0.09, y - 0.02), 0.045), look.glove),
    ]


def _paint_vest(size_px: tuple[int, int], look: _Look) -> tuple[int, ByteArray, ByteArray]:
    """Paint the wearer's chest, which stays where it is when the head moves.

    Returns
    -------
    top, vest, behind
        First image row it reaches; its colours, black elsewhere, uint8 ``(rows, width, 3)``; the
        share (0 to 255) of what lies behind it that remains visible, of the same shape.
    """
    width, height = size_px
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = (x - width / 2) / height
    down = y / height - 0.79 - 0.5 * across**2
    cover = np.clip(down * height / 1.5, 0, 1)[..., None]
    colour = np.empty((height, width, 3), dtype=np.float32)
    colour[:] = look.vest
    colour[np.abs(down - 0.075) < 0.028] = (205, 208, 205)
    colour[np.abs(np.abs(across) - 0.30) < 0.035] = (205, 208, 205)
    colour[np.abs(across) < 0.012] = (50, 45, 40)
    shade = (0.62 + 0.38 * np.clip(down / 0.1, 0, 1)) * (1 - 0.5 * np.clip(np.abs(across), 0, 0.8))
    colour *= shade[..., None] * min(look.exposure, 1.0)
    top = int(np.argmax(cover[..., 0].any(axis=1)))
    vest = np.rint(colour * cover)[top:].astype(np.uint8)
    behind = np.rint(255 * (1 - cover))[top:].astype(np.uint8)
    return top, vest, np.ascontiguousarray(np.repeat(behind, 3, axis=2))


def _paint_rim(size_px: tuple[int, int]) -> ByteArray:
    """Return the brightness (0 to 255) that a fisheye lens leaves, ``(height, width, 3)``."""
    width, height = size_px
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) / (0.58 * min(width, height))
    bright = np.clip((1.0 - radius) / 0.03, 0, 1) * (1 - 0.25 * np.clip(radius, 0, 1) ** 4)
    return np.repeat(np.rint(255 * bright).astype(np.uint8)[..., None], 3, axis=2)
