"""The view model of the first screen: what repeats, how much, how often, how fast, how sure."""

from __future__ import annotations

from dataclasses import dataclass

from offhand.report.view_clusters import ClipName, Cluster


@dataclass(frozen=True, kw_only=True)
class ClipShare:
    """How long an activity goes on in one clip; ``share`` is of that clip's segments."""

    name: ClipName
    seconds: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One cluster of the leading clustering, and the repetitions counted in its time.

    Attributes
    ----------
    clips
        Every clip of the run, in its order; ``seconds`` is 0 where the activity does not occur.
    n_bouts, n_repetitions, counted_s
        Accepted bouts that lie mostly in it, their repetitions and their length.
    period_s, period_low_s, period_high_s
        Median and quartiles, over repetitions, of the time from one to the next; NaN without any.
    confidence
        Mean over repetitions of the estimated probability that a count is right within one; NaN
        where every count is a person's.
    n_by_hand
        Bouts whose count is a person's.
    pictured
        The clip of its picture; None without one.
    """

    cluster: Cluster
    clips: tuple[ClipShare, ...]
    n_bouts: int
    n_repetitions: int
    counted_s: float
    period_s: float
    period_low_s: float
    period_high_s: float
    confidence: float
    n_by_hand: int
    pictured: ClipName | None


@dataclass(frozen=True, kw_only=True)
class ActivitiesView:
    """What the first screen shows.

    Attributes
    ----------
    modality, clusterer
        The clustering that the report leads with; empty where there is none.
    rows
        Activities, the most time first; those that a person called no work, or hid, left out.
    not_work
        Those that a person called no work.
    n_found, n_confirmed
        How many activities there are, those with less time than the rows included, and how many of
        them other modalities confirm.
    n_hidden
        Those that a person hid.
    n_edits
        Edits by hand that are applied to this page.
    conflicts
        Edits that could not be applied, in words.
    """

    modality: str = ""
    clusterer: str = ""
    rows: tuple[Activity, ...] = ()
    not_work: tuple[Activity, ...] = ()
    n_found: int = 0
    n_confirmed: int = 0
    n_hidden: int = 0
    n_edits: int = 0
    conflicts: tuple[str, ...] = ()
