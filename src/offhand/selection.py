"""Choices made without labels: weights of late fusion, and one clustering among candidates.

Both rest on what modalities confirm of each other (:mod:`offhand.evaluation.concordance`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from offhand.clustering.alignment import ALIGNMENTS, Alignment, align
from offhand.clustering.base import Clusterer
from offhand.clustering.fusion import join_spaces
from offhand.clustering.space import Space
from offhand.evaluation.concordance import (
    Pairs,
    Target,
    Trial,
    agreements,
    combined,
    jackknife_error,
    make_target,
    reliabilities,
)
from offhand.evaluation.evidence import Evidence, judge
from offhand.evaluation.resampling import whole_clips
from offhand.records import BoolArray, Clusters, FloatArray, IntArray

SELECTION_VERSION = 8
"""Raised whenever the same spaces get other weights, or another clustering is chosen."""

MAX_ALIGNED = 4000
"""Segments that remedies for fingerprints are compared on at most: whole clips, drawn at random."""

MAX_SILHOUETTE = 4000
"""Rows that silhouettes are computed from at most; of more, evenly chosen ones."""


@dataclass(frozen=True, kw_only=True)
class ModalityWeight:
    """How much a modality counts in late fusion, and why.

    Attributes
    ----------
    weight
        Share of the whole, in 0..1.
    agreement
        Mean correlation of its similarities with those of the other modalities, in -1..1; NaN
        where it cannot be known.
    reliability
        Loading on the one factor that the modalities share, in 0..1.
    described
        Share of the segments that it describes.
    """

    weight: float
    agreement: float
    reliability: float
    described: float


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How several modalities see the same segments.

    Attributes
    ----------
    pairs
        Which segments are compared.
    spaces
        Each modality's coordinates, standardised (see ``feature_space``).
    targets
        The same, to hold labels against.
    sources
        The signals that each modality was made from. Modalities made from the same signals share
        their errors, and do not confirm each other.
    agreement
        Of each modality with each other, ``(modalities, modalities)``, in -1..1; NaN between those
        of one source, or where nothing can be compared.
    reliability
        Of each modality: its loading on the one factor that modalities share, in 0..1.
    """

    pairs: Pairs
    spaces: dict[str, Space]
    targets: dict[str, Target]
    sources: dict[str, frozenset[str]]
    agreement: FloatArray
    reliability: dict[str, float]

    def of_one_source(self, name: str) -> set[str]:
        """Return the modalities made from the same signals as one of them, itself included."""
        return {other for other, signals in self.sources.items() if signals == self.sources[name]}

    def at(self, rows: IntArray) -> Sight:
        """Return how they see some of the segments, with coordinates and reliability kept."""
        pairs = self.pairs.at(rows)
        return Sight(
            pairs=pairs,
            spaces={name: _rows_of(space, rows) for name, space in self.spaces.items()},
            targets={name: target.at(rows, pairs) for name, target in self.targets.items()},
            sources=self.sources,
            agreement=self.agreement,
            reliability=self.reliability,
        )


def see(
    spaces: Mapping[str, Space],
    sources: Mapping[str, Collection[str]],
    clip_id: npt.NDArray[np.str_],
    group_id: npt.NDArray[np.str_] | None = None,
) -> Sight:
    """Compare modalities on the pairs of segments from different clips.

    Parameters
    ----------
    spaces
        Each modality's coordinates.
    sources
        The signals that each was made from.
    clip_id
        ``(n,)``: clip of each segment.
    group_id
        ``(n,)``: what stands above the clip, such as its site, where pairs from different groups
        are to be compared; None for clips.
    """
    clip = np.unique(clip_id, return_inverse=True)[1].astype(np.int64)
    above = clip if group_id is None else np.unique(group_id, return_inverse=True)[1]
    pairs = Pairs(clip=clip, group=above.astype(np.int64))
    targets = {name: make_target(*space, pairs) for name, space in spaces.items()}
    made_from = {name: frozenset(sources[name]) for name in spaces}
    every = list(made_from.values())
    agreement = agreements(targets, pairs)
    agreement[[[one == other for one in every] for other in every]] = np.nan
    reliability = reliabilities(agreement)
    return Sight(
        pairs=pairs,
        spaces=dict(spaces),
        targets=targets,
        sources=made_from,
        agreement=agreement,
        reliability=dict(zip(targets, map(float, reliability), strict=True)),
    )


def fusion_weights(sight: Sight) -> dict[str, ModalityWeight]:
    """Weigh modalities by their reliability: how much of each is what it shares with others.

    A modality gains nothing by telling clips apart, nor by agreeing with one made from the same
    signals, and one that agrees with none gets weight 0. Where nothing can be compared, all that
    describe anything weigh the same.
    """
    share = np.array(list(sight.reliability.values()))
    if not share.any():
        share = np.array([float(described.any()) for _, described in sight.spaces.values()])
    return {
        name: ModalityWeight(
            weight=float(share[index] / max(share.sum(), 1e-9)),
            agreement=_mean_known(sight.agreement[index]),
            reliability=sight.reliability[name],
            described=float(described.mean()) if len(described) else float("nan"),
        )
        for index, (name, (_, described)) in enumerate(sight.spaces.items())
    }


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Clusterings to choose from, and what each is held against.

    Attributes
    ----------
    space
        What was clustered.
    clusters
        The candidates, for the described rows of ``space``.
    trials
        For each candidate: the labels ``(n,)``, and each modality that had no part in them, itself
        or through its signals; none where nothing is described. Labels of a fusion are those of the
        fusion without that modality and its like, numbered as the candidate's own.
    without
        These labels ``(n,)``, by modality and candidate.
    """

    space: Space
    clusters: tuple[Clusters, ...]
    trials: tuple[tuple[Trial, ...], ...]
    without: Mapping[str, Sequence[IntArray]] = field(default_factory=dict)

    def label(self, index: int) -> IntArray:
        """Return the labels ``(n,)`` of a candidate; -1 where nothing is described."""
        return _spread(self.clusters[index].label, self.space[1])


def candidates(
    sight: Sight, weights: Mapping[str, float], clusterer: Clusterer, *, seed: int
) -> Candidates:
    """Cluster segments in one modality, or in several fused.

    Parameters
    ----------
    sight
        The segments.
    weights
        The modality with any weight; or each one fused, with its weight.
    clusterer
        The method.
    seed
        Seed of what it draws at random.
    """
    space = joined(sight.spaces, weights)
    clusters = clusterer.candidates(space[0], seed=seed)
    own = [_spread(one.label, space[1]) for one in clusters]
    without: dict[str, list[IntArray]] = {}
    for name in sight.targets if space[1].any() else ():
        alike = sight.of_one_source(name)
        known = alike & set(without)
        if known:
            without[name] = without[min(known)]
            continue
        rest = {other: weight for other, weight in weights.items() if other not in alike}
        if alike.isdisjoint(weights) or not any(rest.values()):
            continue
        held_out = joined(sight.spaces, rest)
        found = clusterer.candidates(held_out[0], seed=seed)
        without[name] = [
            matched(_spread(found[min(place, len(found) - 1)].label, held_out[1]), reported)
            for place, reported in enumerate(own)
        ]
    return tried(sight, weights, space=space, clusters=clusters, without=without)


def tried(
    sight: Sight,
    weights: Mapping[str, float],
    *,
    space: Space,
    clusters: tuple[Clusters, ...],
    without: Mapping[str, Sequence[IntArray]],
) -> Candidates:
    """Hold clusterings against the modalities that had no part in them.

    Parameters
    ----------
    sight, weights
        As for :func:`candidates`.
    space, clusters
        What was clustered, and what was found.
    without
        By modality: labels ``(n,)`` in place of each candidate's, found without it and its like.
    """
    own = [_spread(one.label, space[1]) for one in clusters]
    trials: list[list[Trial]] = [[] for _ in clusters]
    for name, target in sight.targets.items() if space[1].any() else ():
        if name in without:
            labels = without[name]
        elif sight.of_one_source(name).isdisjoint(weights):
            labels = own
        else:
            continue
        for place, label in enumerate(labels):
            trials[place].append(
                Trial(label=label, target=target, reliability=sight.reliability[name])
            )
    return Candidates(
        space=space, clusters=clusters, trials=tuple(map(tuple, trials)), without=dict(without)
    )


def choose(found: Candidates, pairs: Pairs) -> int:
    """Return the first candidate that other modalities confirm as well as the best one.

    As well: within one standard error of the best, over clips left out (Breiman et al. 1984), so
    that clusters are not split for what a few clips seem to say. Where no error can be known, the
    best one is returned, the first of equals. Where none can be compared, the one with the best
    mean silhouette (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) is.
    """
    if len(found.clusters) == 1:
        return 0
    scores = np.array([combined(trials, pairs) for trials in found.trials])
    if np.isnan(scores).all():
        scores = np.array([_silhouette(found.space[0], one.label) for one in found.clusters])
        return int(scores.argmax())
    best = int(np.nanargmax(scores))
    error = jackknife_error(found.trials[best], pairs)
    if np.isnan(error):
        return best
    return int(np.flatnonzero(scores >= scores[best] - error)[0])


def evidence_for(
    found: Candidates, chosen: int, pairs: Pairs, clusterer: Clusterer, *, seed: int
) -> Evidence:
    """Collect the evidence for the candidate that was chosen.

    Parameters
    ----------
    found, chosen, pairs
        The candidates (see :func:`candidates`), the place of the one chosen, and what is compared.
    clusterer
        What found them: parts of the data are clustered anew with the setting of the one chosen.
    seed
        Seed of everything drawn.
    """

    def again(space: FloatArray) -> IntArray:
        return clusterer.candidates(space, seed=seed, only=chosen)[0].label

    return judge(
        found.trials,
        chosen,
        pairs,
        space=found.space[0],
        described=found.space[1],
        label=found.label(chosen),
        again=again,
        seed=seed,
    )


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


def matched(label: IntArray, reference: IntArray) -> IntArray:
    """Give clusters the numbers of those of a reference that they share most segments with.

    One to one (Kuhn 1955, doi:10.1002/nav.3800020109); clusters without a partner get new numbers.
    """
    own, other = np.unique(label[label >= 0]), np.unique(reference[reference >= 0])
    if not len(own) or not len(other):
        return label
    from scipy.optimize import linear_sum_assignment  # takes a while to import

    both = (label >= 0) & (reference >= 0)
    shared = np.zeros((len(own), len(other)))
    places = np.searchsorted(own, label[both]), np.searchsorted(other, reference[both])
    np.add.at(shared, places, 1)
    number = np.arange(len(own), dtype=np.int64) + int(other.max()) + 1
    rows, columns = linear_sum_assignment(-shared)
    number[rows] = other[columns]
    found = np.full(len(label), -1, dtype=np.int64)
    found[label >= 0] = number[np.searchsorted(own, label[label >= 0])]
    return found


def joined(spaces: Mapping[str, Space], weights: Mapping[str, float]) -> Space:
    """Return a modality's own space, or that of several."""
    if len(weights) == 1:
        return spaces[next(iter(weights))]
    used = [spaces[name] for name in weights]
    return join_spaces([one for one, _ in used], [known for _, known in used], [*weights.values()])


def _rows_of(space: Space, rows: IntArray) -> Space:
    """Return the part of a space that belongs to some of the segments."""
    coordinates, described = space
    position = np.cumsum(described) - 1
    known = described[rows]
    return coordinates[position[rows[known]]], known


def _spread(label: IntArray, described: BoolArray) -> IntArray:
    found = np.full(len(described), -1, dtype=np.int64)
    found[described] = label
    return found


def _silhouette(space: FloatArray, label: IntArray) -> float:
    """Return the mean silhouette, -1 where it is undefined."""
    step = -(-len(space) // MAX_SILHOUETTE) if len(space) else 1
    space, label = space[::step], label[::step]
    if not 2 <= len(np.unique(label)) < len(label):
        return -1.0
    from sklearn.metrics import silhouette_score  # takes a second to import

    return float(silhouette_score(space, label))


def _mean_known(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
