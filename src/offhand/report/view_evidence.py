"""The view model of evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One row of the ranking: a clustering, or a control beside it.

    Attributes
    ----------
    score, low, high, p, surrogate_p, n_confirmed, mixing, structure
        As in ``evidence.parquet``.
    stability
        The lower of ``stability_clips`` and ``stability_blocks``.
    seed_score, n_clusters
        From ``consistency.parquet``.
    noise_share, unseen_share
        Shares of the segments: described and in no cluster; not described by the modality.
    """

    name: str
    clusterer: str
    is_control: bool
    is_default: bool
    score: float
    low: float
    high: float
    p: float
    surrogate_p: float
    n_confirmed: float
    stability: float
    mixing: float
    structure: float
    seed_score: float
    n_clusters: float
    noise_share: float
    unseen_share: float


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """A clustering scored on pairs of segments from different groups of clips, such as sites."""

    level: str
    n_groups: int
    name: str
    clusterer: str
    is_control: bool
    is_default: bool
    score: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, kw_only=True)
class ProbeRow:
    """How well a modality's features tell the clip, and what remedies would do.

    Attributes
    ----------
    accuracy, low, high, chance
        As in ``fingerprint.parquet``.
    centred
        ``accuracy_centred`` there.
    remedies
        From ``alignment.parquet``: name, concordance of the clusters, whether it was chosen.
    """

    name: str
    accuracy: float
    low: float
    high: float
    centred: float
    chance: float
    remedies: tuple[tuple[str, float, bool], ...]

    @property
    def is_fingerprint(self) -> bool:
        """Whether the clip is told better than by chance, beyond the interval."""
        return self.low > self.chance


@dataclass(frozen=True, kw_only=True)
class EvidenceView:
    """The ranking, mixing above clips, and the fingerprint probes."""

    rows: tuple[ScoreRow, ...]
    groups: tuple[GroupRow, ...]
    probes: tuple[ProbeRow, ...]

    @property
    def best_control(self) -> ScoreRow | None:
        """The control with the highest score; None without one."""
        known = [row for row in self.rows if row.is_control and math.isfinite(row.score)]
        return max(known, key=lambda row: row.score) if known else None

    @property
    def ranked(self) -> tuple[ScoreRow, ...]:
        """The clusterings that have a score."""
        return tuple(row for row in self.rows if not row.is_control and math.isfinite(row.score))

    @property
    def proven(self) -> tuple[ScoreRow, ...]:
        """The leading clusterings that beat every control with p below 0.05."""
        control = self.best_control
        least = control.score if control else 0.0
        return tuple(
            row for row in self.ranked if row.is_default and row.p < 0.05 and row.score > least
        )

    @property
    def beaten(self) -> tuple[ScoreRow, ...]:
        """The clusterings that score no higher than the best control."""
        control = self.best_control
        return tuple(row for row in self.ranked if control and row.score <= control.score)
