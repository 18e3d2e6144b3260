"""The view model of repetitions: the table of bouts, and what a clip's timeline marks."""

from __future__ import annotations

from dataclasses import dataclass

from offhand.report.view_clusters import ClipName


@dataclass(frozen=True, kw_only=True)
class BoutRow:
    """One bout; positions along the clip's axis in percent.

    Attributes
    ----------
    reason
        Why it is refused, empty where it is accepted.
    marks
        Where its repetitions are.
    by_hand
        Whether a person gave the count.
    seed
        What the seed's rule counts in its segment, empty where it does not count.
    """

    name: ClipName
    start_s: float
    stop_s: float
    count: int
    period_s: float
    confidence: float
    reason: str
    seed: str
    left: float
    width: float
    marks: tuple[float, ...]
    by_hand: bool = False

    @property
    def per_minute(self) -> float:
        """Repetitions a minute."""
        return 60 / self.period_s


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """The self-similarity matrix of one segment as a picture."""

    uri: str
    start_s: float
    stop_s: float
    alt: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """How many stretches are not counted for one reason, and how long they are together."""

    reason: str
    n: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RepetitionsView:
    """All repetitions of the run.

    Attributes
    ----------
    bouts
        An even choice of those accepted, in the order of the clips.
    n_bouts, n_repetitions, seconds
        How many are accepted, the repetitions in them, and their length.
    refused
        The others by reason, the most time first.
    n_seed, n_segments
        Segments that the seed's rule would count, and all of them.
    """

    bouts: tuple[BoutRow, ...]
    refused: tuple[Refused, ...]
    n_bouts: int
    n_repetitions: int
    seconds: float
    n_seed: int
    n_segments: int
