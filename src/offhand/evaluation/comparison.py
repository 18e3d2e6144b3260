"""The result of comparing a finished run with ground truth."""

from __future__ import annotations

from dataclasses import dataclass

from offhand.evaluation.agreement import BoundaryCount, PairScore
from offhand.evaluation.evidence import Score
from offhand.evaluation.segmentation import MatchScore


@dataclass(frozen=True, kw_only=True)
class ClusteringScore:
    """How a pooled clustering agrees with the true activities, by time.

    Attributes
    ----------
    modality, clusterer, is_default
        Which clustering.
    score
        Its score without labels, NaN where it has none.
    pairs
        Over pairs of instants from different clips: the headline.
    ari, ami, v_measure
        Adjusted Rand index, adjusted mutual information and V-measure, noise as one cluster.
    kept_ari, kept_ami, kept_v_measure
        The same with noise left out: read them beside ``coverage``.
    coverage
        Share of the instants that is not noise.
    matched, matched_by_clip
        Clusters matched to activities once, and in each clip anew.
    n_clusters
        Clusters, without noise.
    """

    modality: str
    clusterer: str
    is_default: bool
    score: float
    pairs: PairScore
    ari: float
    ami: float
    v_measure: float
    kept_ari: float
    kept_ami: float
    kept_v_measure: float
    coverage: float
    matched: MatchScore
    matched_by_clip: MatchScore
    n_clusters: int


@dataclass(frozen=True, kw_only=True)
class CountScore:
    """How counts agree with true blocks of repetitions.

    Attributes
    ----------
    n_blocks, n_answered
        True blocks with repetitions, and those that accepted bouts cover by half or more.
    mae
        Mean of abs(counted - true) / true over answered blocks; NaN without any.
    obo, exact
        Shares of answered blocks that are off by one at most, and right.
    """

    n_blocks: int
    n_answered: int
    mae: float
    obo: float
    exact: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A workspace against ground truth.

    Attributes
    ----------
    clips
        Those compared.
    clips_without_truth, truth_without_clip
        Those that are not, by reason.
    labelled_share
        Share of the compared clips' time that lies in a true block; the rest is left out.
    boundaries
        By tolerance in s; ends of clips are left out.
    clusterings
        In the order of the run.
    repetitions
        None where the truth knows no repetitions.
    truth_score
        What the true activities score without labels; None without modalities.
    spearman
        Rank correlation, over modalities with their leading clusterer, of the score without labels
        and cross-clip pair F1; NaN below three modalities.
    """

    clips: tuple[str, ...]
    clips_without_truth: tuple[str, ...]
    truth_without_clip: tuple[str, ...]
    labelled_share: float
    boundaries: dict[float, BoundaryCount]
    clusterings: tuple[ClusteringScore, ...]
    repetitions: CountScore | None
    truth_score: Score | None
    spearman: float
