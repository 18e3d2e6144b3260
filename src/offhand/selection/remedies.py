"""Which remedy for fingerprints of clips suits a modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offhand.clustering.alignment import ALIGNMENTS, Alignment, align
from offhand.clustering.base import Clusterer
from offhand.evaluation.concordance import combined
from offhand.evaluation.resampling import whole_clips
from offhand.selection.candidates import candidates, choose
from offhand.selection.sight import Sight

MAX_ALIGNED = 4000
"""Segments that remedies for fingerprints are compared on at most: whole clips, drawn at random."""


@dataclass(frozen=True, kw_only=True)
class AlignmentScore:
    """What a remedy for fingerprints does to one modality.

    Attributes
    ----------
    modality, alignment
        Which.
    concordance
        Of its clusters with modalities made from other signals; NaN where none can be compared.
    """

    modality: str
    alignment: Alignment
    concordance: float


def compare_alignments(sight: Sight, clusterer: Clusterer, *, seed: int) -> list[AlignmentScore]:
    """Cluster each modality with each remedy, and hold the clusters against the other modalities.

    The others are as they are, so the figures of a modality can be compared with each other. Of
    many segments, as many whole clips are taken as ``MAX_ALIGNED`` allows.

    Parameters
    ----------
    sight
        The modalities, not aligned.
    clusterer, seed
        As for :func:`candidates`.
    """
    rows = whole_clips(sight.pairs.clip, MAX_ALIGNED, seed=seed)
    if len(rows) < len(sight.pairs.clip):
        sight = sight.at(rows)
    scores = []
    for modality, (space, described) in sight.spaces.items():
        for how in ALIGNMENTS:
            aligned = align(space, sight.pairs.clip[described], how)
            tried = replace(sight, spaces=sight.spaces | {modality: (aligned, described)})
            found = candidates(tried, {modality: 1.0}, clusterer, seed=seed)
            value = combined(found.trials[choose(found, sight.pairs)], sight.pairs)
            scores.append(AlignmentScore(modality=modality, alignment=how, concordance=value))
    return scores


def best_alignments(scores: Sequence[AlignmentScore]) -> dict[str, Alignment]:
    """Return each modality's remedy with the highest concordance, none where it is not known."""
    best: dict[str, AlignmentScore] = {}
    for one in scores:  # ``none`` comes first, so that it wins a tie
        held = best.setdefault(one.modality, one)
        if one.concordance > held.concordance:
            best[one.modality] = one
    return {modality: one.alignment for modality, one in best.items()}
