"""The view model of the page: everything it shows, as plain frozen data.

Figures stay numbers here (NaN = missing); the template words them through
:mod:`offhand.report.wording`. Names are as the user wrote them: the template escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from offhand.report.view_activities import ActivitiesView
from offhand.report.view_clip import ClipPanel, ClipRow
from offhand.report.view_clusters import ClipName, Image, Matrix, Modality
from offhand.report.view_evidence import EvidenceView
from offhand.report.view_repetitions import RepetitionsView
from offhand.report.wording import span


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of frames, 0 to 1, with its 95 % interval; NaN where it was not measured."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class CoverageRow:
    """In how much of one clip a hand is found, by the detector and by the tracker, and a body."""

    name: ClipName
    detector: Share
    tracker: Share
    pose: Share


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What was not measured, and why.

    Attributes
    ----------
    what
        Hands, or bodies.
    where
        The clips; empty for all of them.
    reason
        Why, and the command that helps where there is one.
    """

    what: str
    where: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Coverage of all clips.

    Attributes
    ----------
    rows
        An even choice of the clips, in their order; none where nothing was measured in any.
    n_clips
        How many clips there are.
    detector, tracker, pose
        The shares of every clip in which they were measured.
    gaps
        What is missing in the rows.
    n_measured, n_low
        Clips in which hands were measured, and those of them in which hands are found in less than
        half of the frames at the upper end of either interval.
    hands_model, pose_model
        Names of the model weights, empty where none were used.
    """

    rows: tuple[CoverageRow, ...]
    n_clips: int
    detector: tuple[float, ...]
    tracker: tuple[float, ...]
    pose: tuple[float, ...]
    gaps: tuple[Gap, ...]
    n_measured: int
    n_low: int
    hands_model: str
    pose_model: str

    @property
    def hands_text(self) -> str:
        """The range over clips of the share of frames in which the detector finds a hand."""
        return span(self.detector)

    @property
    def is_low(self) -> bool:
        """Whether hands are found in the smaller part of most clips."""
        return 2 * self.n_low > self.n_measured


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A signal that a modality read, and the model weights it used; empty for none."""

    signal: str
    weights: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """A modality that was computed.

    Attributes
    ----------
    explanation
        What it looks at, empty for a modality that the report does not know.
    notes
        What its author wants a reader to know about all clips.
    anchor
        Its gallery, empty where it has no clusters.
    readings
        Its signals; none for a fusion.
    described_share
        Share of the segments that it describes, NaN where it has no labels.
    weight, agreement
        As in ``fusion.parquet``; NaN where it is not part of a fusion, or nothing can be compared.
    """

    name: str
    explanation: str
    notes: tuple[str, ...]
    anchor: str
    readings: tuple[Reading, ...]
    described_share: float
    weight: float
    agreement: float


@dataclass(frozen=True, kw_only=True)
class AbsentStep:
    """A signal or a modality that could not be computed, and why."""

    kind: str
    name: str
    explanation: str
    reason: str


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
    """The whole page.

    Attributes
    ----------
    notes
        What the signals found out about every clip.
    modalities
        The fusion first, then by score.
    rows
        One a clip, failed ones too, in the order of the run.
    clips
        Their sections; none where each has a page of its own.
    previews
        Loops by key, those first that are to be kept where not all have room.
    matrix, other_matrix
        Quality within each clip with the leading clusterers, and with the others.
    """

    workspace: str
    version: str
    created: str
    config: str
    summary: Summary
    activities: ActivitiesView
    take_aways: tuple[TakeAway, ...]
    evidence: EvidenceView
    repetitions: RepetitionsView
    coverage: Coverage
    steps: tuple[Step, ...]
    absent: tuple[AbsentStep, ...]
    notes: tuple[str, ...]
    modalities: tuple[Modality, ...]
    matrix: Matrix
    other_matrix: Matrix
    rows: tuple[ClipRow, ...]
    clips: tuple[ClipPanel, ...]
    images: tuple[Image, ...]
    n_images_left_out: int
    previews: tuple[Image, ...]
    image_ratio: float
