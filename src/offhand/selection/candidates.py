"""Clusterings to choose from, what each is held against, and the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy

from offhand.clustering.base import Clusterer
from offhand.clustering.space import Space
from offhand.evaluation.concordance import Pairs, Trial, combined, jackknife_error
from offhand.evaluation.evidence import Evidence, judge
from offhand.records import BoolArray, Clusters, FloatArray, IntArray
from offhand.selection.sight import Sight, joined

MAX_SILHOUETTE = 4000
"""Rows that silhouettes are computed from at most; of more, evenly chosen ones."""


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


def matched(label: IntArray, reference: IntArray) -> IntArray:
    """Give clusters the numbers of those of a reference that they share most segments with.

    One to one (Kuhn 1955, doi:10.1002/nav.3800020109); clusters without a partner get new numbers.
    """
    own, other = np.unique(label[label >= 0]), np.unique(reference[reference >= 0])
    if not len(own) or not len(other):
        return label
    both = (label >= 0) & (reference >= 0)
    shared = np.zeros((len(own), len(other)))
    places = np.searchsorted(own, label[both]), np.searchsorted(other, reference[both])
    np.add.at(shared, places, 1)
    number = np.arange(len(own), dtype=np.int64) + int(other.max()) + 1
    rows, columns = scipy.optimize.linear_sum_assignment(-shared)
    number[rows] = other[columns]
    found = np.full(len(label), -1, dtype=np.int64)
    found[label >= 0] = number[np.searchsorted(own, label[label >= 0])]
    return found


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
