"""The view model of clusters and of the clusterings they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from offhand.report.view_map import MapView

MOST_IN_BAR = 48

FOLDER = "report"
"""Where the pages of single clips are, beside the overview."""


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
class Cell:
    """A cluster in one clip: size, and the segment nearest the cluster's middle.

    Attributes
    ----------
    n_segments, seconds
        0 where the cluster holds no segment of the clip.
    at_s, until_s
        The exemplar segment.
    preview
        Key of its loop, empty where there is none.
    """

    n_segments: int = 0
    seconds: float = 0.0
    at_s: float = float("nan")
    until_s: float = float("nan")
    preview: str = ""
    is_medoid: bool = False
    image: str = ""
    image_alt: str = ""


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
        Size over all clips; 0 where the clustering is of one clip, see :class:`Portion`.
    time_share
        Share of the segments' time.
    facts
        Medians of the features that inform the reader.
    called
        What a person calls it, empty where nobody named it.
    status
        ``not work`` or ``hidden`` where a person said so, else empty.
    is_edited
        Whether a person changed its members: figures of the run do not hold for it.
    p, is_judged, is_confirmed
        From ``clusters.parquet``: whether other modalities confirm the cluster across clips.
    shown, shown_clip
        Its medoid, or the first exemplar where a person took the medoid away; and whose it is.
    """

    label: int
    name: str
    colour: int
    n_segments: int
    n_clips: int
    seconds: float
    time_share: float
    facts: tuple[Fact, ...]
    called: str = ""
    status: str = ""
    is_edited: bool = False
    p: float = float("nan")
    is_judged: bool = False
    is_confirmed: bool = False
    shown: Cell = Cell()
    shown_clip: str = ""

    @property
    def title(self) -> str:
        """Its number, and what a person calls it."""
        return f"{self.name} {self.called}".strip()


@dataclass(frozen=True, kw_only=True)
class ClipName:
    """A clip's name, and where it is shown.

    Attributes
    ----------
    anchor
        Of its section; it has one on the overview, or on a page of its own.
    page
        Name of that page's file, empty where there is none.
    """

    clip_id: str
    anchor: str
    page: str = ""

    @property
    def href(self) -> str:
        """Its address, relative to the overview."""
        return f"{FOLDER}/{quote(self.page)}" if self.page else f"#{self.anchor}"

    @property
    def beside(self) -> str:
        """Its page's address, relative to the page of another clip."""
        return quote(self.page)


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """One modality clustered by one method over all clips pooled.

    Attributes
    ----------
    score, low, high
        From ``evidence.parquet``; NaN where there is none.
    multi_clip_share, n_clusters, n_segments
        From ``consistency.parquet``; the counts from the labels where there is no such row.
    noise_share, unseen_share
        Shares of the segments: described and in no cluster; not described by the modality.
    clusters
        Widest first: by number of clips, then by time.
    noise_s, unseen_s
        The same as time.
    columns, rows
        The gallery: clips shown, and per shown cluster one cell a column.
    n_hidden_clips, n_hidden_clusters
        What the gallery leaves out.
    """

    modality: str
    clusterer: str
    is_default: bool
    score: float
    low: float
    high: float
    multi_clip_share: float
    n_clusters: int
    n_segments: int
    noise_share: float
    unseen_share: float
    clusters: tuple[Cluster, ...]
    noise_s: float
    unseen_s: float
    total_s: float
    columns: tuple[ClipName, ...]
    rows: tuple[tuple[Cluster, tuple[Cell, ...]], ...]
    n_hidden_clips: int
    n_hidden_clusters: int

    @property
    def noise_time_share(self) -> float:
        """Share of the time that is described and in no cluster."""
        return self.noise_s / self.total_s if self.total_s else float("nan")

    @property
    def unseen_time_share(self) -> float:
        """Share of the time that is not described."""
        return self.unseen_s / self.total_s if self.total_s else float("nan")

    @property
    def widest(self) -> tuple[Cluster, ...]:
        """The clusters that a bar of them has room for."""
        return self.clusters[:MOST_IN_BAR]

    @property
    def rest_s(self) -> float:
        """Time in the others."""
        return sum(cluster.seconds for cluster in self.clusters[MOST_IN_BAR:])

    @property
    def shared(self) -> tuple[Cluster, ...]:
        """The clusters that hold segments of two clips or more."""
        return tuple(cluster for cluster in self.clusters if cluster.n_clips > 1)


@dataclass(frozen=True, kw_only=True)
class Modality:
    """A modality, or the fusion of several: the clustering that the report leads with, and others.

    Attributes
    ----------
    anchor
        Of its gallery.
    explanation
        What it looks at, empty for a modality that the report does not know.
    notes
        What its author wants a reader to know about single clips.
    map
        Its segments on a plane, ``None`` where there are fewer than two.
    """

    name: str
    anchor: str
    explanation: str
    default: Clustering
    others: tuple[Clustering, ...]
    notes: tuple[str, ...]
    map: MapView | None = None


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """Quality of one modality within one clip; ``empty`` says why there are no figures."""

    noise_share: float
    unseen_share: float
    n_clusters: int
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Noise and number of clusters per clip and modality, each clip clustered alone.

    Attributes
    ----------
    rows
        An even choice of the clips.
    n_clips
        How many there are.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[ClipName, int, tuple[MatrixCell, ...]], ...]
    n_clips: int
