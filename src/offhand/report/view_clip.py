"""The view model of one clip's section: strips and curves on one time axis.

Positions along a time axis are percentages of its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from offhand.report.view_clusters import Cell, ClipName, Cluster, Image
from offhand.report.view_repetitions import BoutRow, Similarity


class Block(NamedTuple):
    """One segment in a strip; ``colour`` is -1 for noise, -2 where it is not described.

    ``called`` is what a person calls its cluster.
    """

    left: float
    width: float
    colour: int
    name: str
    called: str
    start_s: float
    stop_s: float


class Portion(NamedTuple):
    """A cluster within one clip; ``share`` is of the clip's segments' time, 0 to 1."""

    cluster: Cluster
    n_segments: int
    seconds: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One modality's labels along a clip.

    Attributes
    ----------
    blocks
        In order of time; none where the modality has no label in the clip. Where there are many,
        neighbours of one cluster are joined, and the longest are shown.
    n_joined
        Blocks after joining, the shown ones among them; 0 where nothing was joined.
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
    legend: tuple[Portion, ...]
    noise_share: float
    unseen_share: float
    n_clusters: int
    n_segments: int
    alt: str
    n_joined: int = 0


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on an axis: position in percent, and its text."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One curve over time, drawn in a box of 10,000 x 1000 units.

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
        Where something repeats, refused stretches too; the longest of them.
    n_bouts
        How many there are.
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
    n_bouts: int
    similarities: tuple[Similarity, ...]


class Part(NamedTuple):
    """A cluster's share of a clip's time, 0 to 1, for the bar in the table of clips."""

    colour: int
    title: str
    share: float


@dataclass(frozen=True, kw_only=True)
class ClipRow:
    """One clip in the overview.

    Attributes
    ----------
    status, error
        As in ``clips.parquet``.
    parts
        Its clusters with most time, of the clustering that the report leads with.
    n_bouts, n_repetitions
        Accepted bouts, and the repetitions in them.
    """

    name: ClipName
    status: str
    error: str
    details: str
    n_segments: int
    parts: tuple[Part, ...]
    n_bouts: int
    n_repetitions: int


@dataclass(frozen=True, kw_only=True)
class Typical:
    """An activity in one clip, and the segment nearest its middle."""

    portion: Portion
    cell: Cell


@dataclass(frozen=True, kw_only=True)
class ClipPage:
    """The page of one clip.

    Attributes
    ----------
    workspace
        Name of the run.
    place, n_clips
        Position of the clip in the run, from 1, and how many there are.
    before, after
        Its neighbours.
    modality
        The clustering of ``typical``: the one that the report leads with; empty for none.
    clusterer
        Its clusterer.
    typical
        Its activities in this clip, the most time first.
    images, previews, n_images_left_out
        Pictures and loops, as on the overview.
    """

    workspace: str
    place: int
    n_clips: int
    before: ClipName | None
    after: ClipName | None
    clip: ClipPanel
    modality: str
    clusterer: str
    typical: tuple[Typical, ...]
    images: tuple[Image, ...]
    n_images_left_out: int
    previews: tuple[Image, ...]
    image_ratio: float
