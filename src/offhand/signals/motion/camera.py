"""Camera motion from a field of flow vectors: a robust fit of four motion fields.

The flow that a moving camera causes is written as a sum of four basis fields over the grid:
sideways and vertical motion of the image's centre, roll about the optical axis, and expansion.
Without a lens model they form a similarity transform. With an equidistant fisheye lens the first
three are the image motion of rotating bearing vectors.

The fit is random sample consensus over pairs of cells (Fischler & Bolles 1981,
doi:10.1145/358669.358692) with a truncated squared loss (MSAC; Torr & Zisserman 2000,
doi:10.1006/cviu.1999.0832), then reweighted least squares on the inliers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offhand.records import FloatArray, IntArray

N_HYPOTHESES = 96
"""Pairs of cells tried for each frame."""

REFINEMENTS = 3
"""Reweighted least-squares steps after the consensus."""


@dataclass(frozen=True, kw_only=True)
class CameraFit:
    """Camera motion of ``n`` frames.

    Attributes
    ----------
    parameters
        ``(n, 4)``: weight of each basis field; NaN where nothing could be fitted.
    residual
        ``(n, cells, 2)``: the flow that the camera does not explain.
    inlier_ratio
        ``(n,)``: weighted share of the usable cells that follow the camera, in 0..1.
    """

    parameters: FloatArray
    residual: FloatArray
    inlier_ratio: FloatArray


def similarity_basis(points: FloatArray) -> FloatArray:
    """Return the motion fields of a similarity transform.

    Parameters
    ----------
    points
        ``(cells, 2)``: x (right) and y (down) from the image's centre, in diameters.

    Returns
    -------
    FloatArray
        ``(4, cells, 2)``: x shift, y shift, roll (x towards y), expansion; roll in rad.
    """
    x, y = points[:, 0], points[:, 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    fields = [(one, zero), (zero, one), (-y, x), (x, y)]
    return np.stack([np.stack(field, axis=1) for field in fields])


def equidistant_basis(points: FloatArray, *, fov_deg: float) -> FloatArray:
    """Return the motion fields of a rotating and advancing equidistant fisheye camera.

    The lens maps an angle theta off the axis to a radius proportional to theta.

    Parameters
    ----------
    points
        As in :func:`similarity_basis`.
    fov_deg
        Field of view across one diameter.

    Returns
    -------
    FloatArray
        ``(4, cells, 2)`` scaled as in :func:`similarity_basis`: the first two fields are 1 at the
        centre.
    """
    focal = 1.0 / np.deg2rad(fov_deg)  # diameters per radian
    radius = np.linalg.norm(points, axis=1)
    theta = radius / focal
    direction = points / np.maximum(radius, 1e-9)[:, None]
    bearing = np.column_stack([np.sin(theta)[:, None] * direction, np.cos(theta)])
    small = 1e-5

    def project(vector: FloatArray) -> FloatArray:
        angle = np.arctan2(np.linalg.norm(vector[:, :2], axis=1), vector[:, 2])
        flat = vector[:, :2] / np.maximum(np.linalg.norm(vector[:, :2], axis=1), 1e-9)[:, None]
        return np.asarray(focal * angle[:, None] * flat)

    fields = []
    for axis in ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        moved = bearing + small * np.cross(np.array(axis), bearing)
        fields.append((project(moved) - project(bearing)) / small)
    fields[0] /= focal
    fields[1] /= focal
    fields.append(np.sin(theta)[:, None] * direction * focal)
    return np.stack(fields)


def squared_length(vectors: FloatArray) -> FloatArray:
    """Return the squared length of vectors ``(..., 2)``.

    NumPy's sum along so short an axis takes ten times as long.
    """
    return np.asarray(vectors[..., 0] ** 2 + vectors[..., 1] ** 2)


def fit_camera(
    flow: FloatArray,
    weights: FloatArray,
    basis: FloatArray,
    *,
    tolerance: FloatArray,
    seed: int,
) -> CameraFit:
    """Fit the camera's motion to the flow of several frames at once.

    Parameters
    ----------
    flow
        ``(n, cells, 2)`` in diameters per second.
    weights
        ``(n, cells)``: trust in each cell, 0 for cells to leave out.
    basis
        ``(4, cells, 2)`` from :func:`similarity_basis` or :func:`equidistant_basis`.
    tolerance
        ``(n,)``: a cell whose residual is below it is an inlier, in the flow's unit.
    seed
        Seed of the pairs of cells.

    Returns
    -------
    CameraFit
        Frames with fewer than 8 usable cells have NaN parameters, NaN residual and ratio 0.
    """
    n_frames, n_cells, _ = flow.shape
    pairs = _pairs(weights.mean(axis=0), seed=seed)
    usable = (weights > 0).sum(axis=1) >= 8
    parameters = np.full((n_frames, 4), np.nan)
    residual = np.full(flow.shape, np.nan)
    ratio = np.zeros(n_frames)
    if len(pairs) == 0 or not usable.any():
        return CameraFit(parameters=parameters, residual=residual, inlier_ratio=ratio)
    fields = basis.transpose(1, 2, 0)
    flow, weights, limit = flow[usable], weights[usable], tolerance[usable, None] ** 2
    best = _consensus(flow, weights, fields, pairs, limit=limit)
    products = (fields.transpose(0, 2, 1) @ fields).reshape(n_cells, 16)
    for _ in range(REFINEMENTS):
        left = flow - (best @ fields.reshape(-1, 4).T).reshape(flow.shape)
        # Geman-McClure weights: near 1 for inliers, falling to 0 beyond the tolerance
        pull = weights / (1.0 + squared_length(left) / limit) ** 2
        normal = (pull @ products).reshape(-1, 4, 4) + 1e-9 * np.eye(4)
        drawn = (pull[:, :, None] * flow).reshape(len(flow), -1) @ fields.reshape(-1, 4)
        best = np.asarray(np.linalg.solve(normal, drawn[:, :, None])[:, :, 0], np.float64)
    left = flow - (best @ fields.reshape(-1, 4).T).reshape(flow.shape)
    inside = squared_length(left) < limit
    parameters[usable], residual[usable] = best, left
    ratio[usable] = (weights * inside).sum(axis=1) / weights.sum(axis=1)
    return CameraFit(parameters=parameters, residual=residual, inlier_ratio=ratio)


def _consensus(
    flow: FloatArray, weights: FloatArray, fields: FloatArray, pairs: IntArray, *, limit: FloatArray
) -> FloatArray:
    """Return the best of the motions that pairs of cells give, ``(n, 4)``; one set a frame.

    The squared residual of a cell is a polynomial in the four parameters, and so that of every
    motion tried in every cell is one product of matrices. Single precision is enough to choose.
    """
    inverse = np.linalg.pinv(fields[pairs].reshape(len(pairs), 4, 4))
    drawn = flow[:, pairs].reshape(len(flow), len(pairs), 4, 1)
    first, second = np.triu_indices(4)
    twice = np.where(first == second, 1.0, 2.0)
    of_x, of_y = np.ascontiguousarray(fields.transpose(1, 2, 0))
    terms = np.ones((len(pairs), 15), np.float32)
    known = np.empty((15, len(fields)), np.float32)
    known[:10] = ((fields[:, :, first] * fields[:, :, second]).sum(axis=1) * twice).T
    squared = np.empty((len(pairs), len(fields)), np.float32)
    bound = np.empty_like(squared)  # an array, as NumPy compares with a number five times slower
    best = np.empty((len(flow), 4))
    trust = weights.astype(np.float32)
    for frame, tried in enumerate((inverse @ drawn)[..., 0]):
        x, y = flow[frame].T
        terms[:, :10] = tried[:, first] * tried[:, second]
        terms[:, 10:14] = -2.0 * tried
        known[10:14] = of_x * x + of_y * y
        known[14] = x**2 + y**2
        np.matmul(terms, known, out=squared)
        bound.fill(limit[frame, 0])
        lost = np.minimum(squared, bound, out=squared) @ trust[frame]
        best[frame] = tried[np.argmin(lost)]
    return best


def _pairs(trust: FloatArray, *, seed: int) -> IntArray:
    """Draw pairs of different cells ``(hypotheses, 2)``, trusted cells more often."""
    total = trust.sum()
    if (trust > 0).sum() < 8 or not total > 0:
        return np.empty((0, 2), dtype=np.int64)
    generator = np.random.default_rng(seed)
    drawn = generator.choice(len(trust), size=(N_HYPOTHESES, 2), p=trust / total)
    return np.asarray(drawn[drawn[:, 0] != drawn[:, 1]])
