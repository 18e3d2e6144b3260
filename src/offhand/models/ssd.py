"""Decoding of single-shot detectors: anchors, boxes with keypoints, weighted suppression.

The method is the single-shot multibox detector (arXiv:1512.02325) in the form of BlazeFace
(arXiv:1907.05047): anchors are grid points without a size, and overlapping candidates are
blended by their scores. The numbers are the options that MediaPipe publishes with its graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offhand.records import FloatArray

LARGEST_LOGIT = 100.0
"""Logits are clipped here before the sigmoid."""

MIN_OVERLAP = 0.3
"""Intersection over union from which candidates count as one object."""


@dataclass(frozen=True, kw_only=True)
class Detections:
    """Objects found, best first, in one unit of length.

    Attributes
    ----------
    scores
        ``(n,)`` in 0..1.
    boxes
        ``(n, 4)`` as x0, y0, x1, y1.
    keypoints
        ``(n, keypoints, 2)`` as x, y.
    """

    scores: FloatArray
    boxes: FloatArray
    keypoints: FloatArray


def anchors(input_px: int, strides: Sequence[int]) -> FloatArray:
    """Return the anchors' centres ``(n, 2)`` as x, y in 0..1 of a square input.

    Parameters
    ----------
    input_px
        Side of the input.
    strides
        Pixels between grid points, for each layer. A layer contributes two anchors a grid
        point (its scale and the one interpolated to the next layer, which differ in size
        alone), and consecutive layers of one stride share a grid.
    """
    grids = []
    for stride, layers in _runs(strides):
        cells = -(-input_px // stride)
        along = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(along, along, indexing="ij")
        centres = np.stack([x, y], axis=2).reshape(-1, 2)
        grids.append(np.repeat(centres, 2 * layers, axis=0))
    return np.concatenate(grids)


def _runs(strides: Sequence[int]) -> list[tuple[int, int]]:
    """Return each run of equal strides with its length."""
    runs: list[tuple[int, int]] = []
    for stride in strides:
        if runs and runs[-1][0] == stride:
            runs[-1] = (stride, runs[-1][1] + 1)
        else:
            runs.append((stride, 1))
    return runs


def decode(
    regressors: FloatArray,
    logits: FloatArray,
    centres: FloatArray,
    *,
    input_px: int,
    min_score: float,
) -> Detections:
    """Return the candidates of at least a score, in 0..1 of the input, best first.

    Parameters
    ----------
    regressors
        ``(n, 4 + 2 k)`` in pixels: centre x and y from the anchor, width, height, then the x
        and y of k keypoints from the anchor.
    logits
        ``(n, 1)`` scores before the sigmoid.
    centres
        The anchors ``(n, 2)``.
    input_px
        Side of the input.
    min_score
        Candidates below are dropped.
    """
    scores = sigmoid(logits.reshape(-1))
    values = regressors / input_px
    kept = np.flatnonzero((scores >= min_score) & (values[:, 2] >= 0) & (values[:, 3] >= 0))
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    values, origin = values[kept], centres[kept]
    pairs = (values.shape[1] - 4) // 2
    middle, half = values[:, :2] + origin, values[:, 2:4] / 2
    return Detections(
        scores=scores[kept],
        boxes=np.concatenate([middle - half, middle + half], axis=1),
        keypoints=values[:, 4:].reshape(len(kept), pairs, 2) + origin[:, None],
    )


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return the logistic function of clipped values, in 0..1."""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT)))


def suppress(candidates: Detections, *, min_overlap: float = MIN_OVERLAP) -> Detections:
    """Blend candidates that overlap the best one, weighted by score, until none is left.

    An object keeps the score of its best candidate.
    """
    scores, boxes, keypoints = [], [], []
    left = np.argsort(-candidates.scores, kind="stable")
    while len(left):
        best = left[0]
        overlap = overlaps(candidates.boxes[best], candidates.boxes[left])
        group = left[overlap > min_overlap]
        if not len(group):  # a box without area overlaps nothing, not even itself
            group = left[:1]
        weights = candidates.scores[group] / candidates.scores[group].sum()
        scores.append(candidates.scores[best])
        boxes.append(weights @ candidates.boxes[group])
        keypoints.append(np.einsum("n,nkd->kd", weights, candidates.keypoints[group]))
        left = np.setdiff1d(left, group, assume_unique=True)
        left = left[np.argsort(-candidates.scores[left], kind="stable")]
    return Detections(
        scores=np.array(scores),
        boxes=np.array(boxes).reshape(-1, 4),
        keypoints=np.array(keypoints).reshape(-1, *candidates.keypoints.shape[1:]),
    )


def overlaps(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Return the intersection over union ``(n,)`` of one box with boxes ``(n, 4)``; 0 if empty."""
    corner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(corner, 0.0), axis=1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + area - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))
