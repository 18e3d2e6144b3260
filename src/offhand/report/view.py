"""The view model: everything the page shows, as plain frozen data.

Figures stay numbers here (NaN = missing); the template words them through
:mod:`offhand.report.wording`. Names are as the user wrote them: the template escapes them.
Positions along a time axis are percentages of its length.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One measured property of a cluster in words, such as ``period`` and ``1.2 s``."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """A thumbnail, embedded once and referred to by its key."""

    key: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One cluster of segments.

    Attributes
    ----------
    label
        Its number in ``labels.parquet``; ``name`` is that number in words.
    colour
        Index into the palette of the style sheet.
    n_segments, n_clips, seconds
        Size over all clips (or in the clip at hand, for a clustering of one clip).
    time_share
        Share of the segments' time.
    facts
        Medians of the features that inform the reader.
    image, image_alt
        Key of the medoid's thumbnail, empty where there is none, and its description.
    """

    label: int
    name: str
    colour: int
    n_segments: int
    n_clips: int
    seconds: float
    time_share: float
    facts: tuple[Fact, ...]
    image: str = ""
    image_alt: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cluster in one clip: size, and the segment nearest the cluster's middle.

    Attributes
    ----------
    n_segments, seconds
        0 where the cluster holds no segment of the clip.
    at_s
        Start of the exemplar segment.
    """

    n_segments: int = 0
    seconds: float = 0.0
    at_s: float = float("nan")
    is_medoid: bool = False
    image: str = ""
    image_alt: str = ""


@dataclass(frozen=True, kw_only=True)
class ClipName:
    """A clip's name and the anchor of its section."""

    clip_id: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """One modality clustered by one method over all clips pooled.

    Attributes
    ----------
    score, multi_clip_share
        ``seed_entropy`` and ``seed_multi_clip_share`` of ``consistency.parquet``.
    n_clusters, n_segments, noise_share
        From the same row; counted from the labels where there is none.
    clusters
        Widest first: by number of clips, then by time.
    noise_s, noise_time_share
        Time in segments without a cluster.
    columns, rows
        The gallery: clips shown, and per shown cluster one cell a column.
    n_hidden_clips, n_hidden_clusters
        What the gallery leaves out.
    """

    modality: str
    clusterer: str
    is_default: bool
    score: float
    multi_clip_share: float
    n_clusters: int
    n_segments: int
    noise_share: float
    clusters: tuple[Cluster, ...]
    noise_s: float
    noise_time_share: float
    columns: tuple[ClipName, ...]
    rows: tuple[tuple[Cluster, tuple[Cell, ...]], ...]
    n_hidden_clips: int
    n_hidden_clusters: int

    @property
    def shared(self) -> tuple[Cluster, ...]:
        """The clusters that hold segments of two clips or more."""
        return tuple(cluster for cluster in self.clusters if cluster.n_clips > 1)


@dataclass(frozen=True, kw_only=True)
class Modality:
    """A modality: the clustering that the report leads with, and the others.

    Attributes
    ----------
    observed_share
        Share of the segments in which the modality measured anything; NaN where it has no table.
    notes
        What its author wants a reader to know.
    """

    name: str
    default: Clustering
    others: tuple[Clustering, ...]
    observed_share: float
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One row of the score table: a clustering, or a control beside it."""

    name: str
    clusterer: str
    is_control: bool
    is_default: bool
    score: float
    multi_clip_share: float
    n_clusters: float
    n_segments: float
    noise_share: float


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """Quality of one modality within one clip; ``empty`` says why there are no figures."""

    noise_share: float
    n_clusters: int
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Noise and number of clusters per clip and modality, each clip clustered alone."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[ClipName, int, tuple[MatrixCell, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Block:
    """One segment in a strip; ``colour`` is -1 for noise."""

    left: float
    width: float
    colour: int
    name: str
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
    noise_share, n_clusters
        Of the clip's segments.
    alt
        The strip in one sentence.
    """

    modality: str
    clusterer: str
    blocks: tuple[Block, ...]
    legend: tuple[Cluster, ...]
    noise_share: float
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
    start_s, stop_s
        The time axis of the section.
    ticks
        Of the time axis.
    strips, own_strips
        Labels of the pooled clustering, and of the clip clustered alone.
    rhythm
        Three panels, none where the run holds no rhythm of the clip.
    """

    name: ClipName
    path: str
    status: str
    error: str
    details: str
    n_segments: int
    start_s: float
    stop_s: float
    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    own_strips: tuple[Strip, ...]
    rhythm: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class TakeAway:
    """One finding of this run: its figure, the sentence, and where the figure comes from."""

    figure: str
    text: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What was analysed.

    Attributes
    ----------
    footage_s
        Length of the clips that could be read.
    segments_s
        Time in segments: what every share of time refers to.
    """

    n_clips: int
    n_failed: int
    n_partial: int
    footage_s: float
    segments_s: float
    n_segments: int

    @property
    def n_analysed(self) -> int:
        """Clips that gave results, in full or in part."""
        return self.n_clips - self.n_failed


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole page."""

    workspace: str
    version: str
    created: str
    config: str
    summary: Summary
    take_aways: tuple[TakeAway, ...]
    scores: tuple[ScoreRow, ...]
    random_score: float
    modalities: tuple[Modality, ...]
    matrix: Matrix
    clips: tuple[ClipPanel, ...]
    images: tuple[Image, ...]
    n_images_left_out: int
    image_ratio: float
