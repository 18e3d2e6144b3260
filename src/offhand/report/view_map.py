"""The view model of maps: every segment a point, coloured by clip and by cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Point:
    """One segment.

    Attributes
    ----------
    x, y
        In a square of 0 to 1000.
    clip
        Position of its clip in the run: its colour in the one picture.
    colour
        Of its cluster, -1 for noise: its colour in the other.
    place
        ``<clip_id>/<segment_id>``.
    """

    x: float
    y: float
    clip: int
    colour: int
    place: str


@dataclass(frozen=True, kw_only=True)
class MapView:
    """The map of one modality.

    Attributes
    ----------
    method
        ``t-SNE`` or ``PCA``.
    points
        What is shown.
    n_left_out
        Segments that are described and not shown.
    same_clip
        Share of the points (of an even choice, where there are very many) whose nearest other point
        is of their clip.
    same_cluster
        Share of the points in a cluster whose nearest other point is of their cluster.
    by_chance
        ``same_clip`` and ``same_cluster`` as neighbours drawn at random would give them.
    """

    method: str
    points: tuple[Point, ...]
    n_left_out: int
    same_clip: float
    same_cluster: float
    by_chance: tuple[float, float]
