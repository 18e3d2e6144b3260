"""Mixing against scib-metrics, where it is installed (``pip install scib-metrics``; it needs jax).

Its neighbours hold the segment itself first, which its LISI leaves out and its kBET counts.
"""

from __future__ import annotations

import numpy as np
import pytest

from offhand.evaluation.mixing import acceptance, inverse_simpson, neighbour_weights
from offhand.records import FloatArray, IntArray

pytestmark = pytest.mark.filterwarnings("default")


def neighbourhoods(apart: float) -> tuple[IntArray, FloatArray, IntArray]:
    """Return clips ``(n,)``, and distances and rows ``(n, 91)`` of neighbours, itself first."""
    rng = np.random.default_rng(0)
    clip = np.repeat([0, 1, 2], [500, 300, 200])
    space = rng.normal(size=(1000, 6)) + apart * rng.normal(size=(3, 6))[clip]
    distance = np.linalg.norm(space[:, None] - space[None], axis=2)
    row = np.argsort(distance, axis=1)[:, :91]
    return clip, np.take_along_axis(distance, row, axis=1), row


@pytest.mark.parametrize("apart", [0.0, 0.3, 1.0])
def test_neighbourhoods_are_measured_as_elsewhere(apart: float) -> None:
    reference = pytest.importorskip("scib_metrics", reason="scib-metrics is not installed")
    nearest = pytest.importorskip("scib_metrics.nearest_neighbors").NeighborsResults
    clip, distance, row = neighbourhoods(apart)
    theirs = reference.lisi_knn(nearest(indices=row, distances=distance), clip, perplexity=30)
    ours = inverse_simpson(clip[row[:, 1:]], neighbour_weights(distance[:, 1:], 30.0))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    row, distance = row[:, :31], distance[:, :31]
    rate, _, _ = reference.kbet(nearest(indices=row, distances=distance), clip)
    assert acceptance(clip[row], clip) == pytest.approx(float(rate), abs=0.002)
