"""How several modalities see the same segments, and how much each counts in late fusion."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhand.clustering.fusion import join_spaces
from offhand.clustering.space import Space
from offhand.evaluation.concordance import Pairs, Target, agreements, make_target, reliabilities
from offhand.records import FloatArray, IntArray


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


def _mean_known(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
