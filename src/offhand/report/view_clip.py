"""The view model of one clip's section: strips and curves on one time axis.

Positions along a time axis are percentages of its length.
"""

from __future__ import annotations

from dataclasses import dataclass

from offhand.report.view_clusters import ClipName, Cluster
from offhand.report.view_repetitions import BoutRow, Similarity


@dataclass(frozen=True, kw_only=True)
class Block:
    """One segment in a strip; ``colour`` is -1 for noise, -2 where it is not described.

    ``called`` is what a person calls its cluster.
    """

    left: float
    width: float
    colour: int
    name: str
    called: str = ""
    start_s: float
    stop_s: float


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One modality's labels along a clip.

    Attributes
    ----------
    blocks
        In order of time; none where the modality has no label in the clip.
    legend
        The clusters that occur, longest first.
    noise_share, unseen_share, n_clusters
        Of the clip's segments: in no cluster though described; not described; clusters.
    alt
        The strip in one sentence.
    """

    modality: str
    clusterer: str
    blocks: tuple[Block, ...]
    legend: tuple[Cluster, ...]
    noise_share: float
    unseen_share: float
    n_clusters: int
    n_segments: int
    alt: str


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on an axis: position in percent, and its text."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One curve over time, drawn in a box of 1000 x 100 units.

    Attributes
    ----------
    line, band
        SVG paths of the mean and of the range between least and greatest value.
    ticks
        Of the value axis, position from the top.
    alt
        The panel in one sentence.
    empty
        What to print instead of a curve.
    """

    name: str
    unit: str
    column: str
    line: str
    band: str
    ticks: tuple[Tick, ...]
    alt: str
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class ClipPanel:
    """One clip's section.

    Attributes
    ----------
    status, error
        As in ``clips.parquet``.
    notes
        What the signals found out about this clip and not about all.
    start_s, stop_s
        The time axis of the section.
    ticks
        Of the time axis.
    strips, own_strips
        Labels of the pooled clustering, and of the clip clustered alone.
    rhythm
        Three panels, none where the run holds no rhythm of the clip.
    bouts
        Where something repeats, refused stretches too.
    similarities
        Self-similarity matrices of its segments with most repetitions.
    """

    name: ClipName
    path: str
    status: str
    error: str
    details: str
    notes: tuple[str, ...]
    n_segments: int
    start_s: float
    stop_s: float
    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    own_strips: tuple[Strip, ...]
    rhythm: tuple[Panel, ...]
    bouts: tuple[BoutRow, ...]
    similarities: tuple[Similarity, ...]
