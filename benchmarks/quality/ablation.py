"""What each choice is worth: late fusion with one thing changed at a time, and sites left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import adjusted_rand_score

import offhand
from benchmarks.quality.footage import Described, Footage, Row
from offhand.clustering.base import Clusterer
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.config import Config
from offhand.evaluation.agreement import cross_clip_pairs
from offhand.evaluation.concordance import combined
from offhand.records import IntArray
from offhand.selection import Sight, candidates, choose, fusion_weights

Weigh = Callable[[Sight], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Labels that a setting gives, and what they agree with.

    Attributes
    ----------
    part, setting
        What was changed, and to what.
    described
        The segments.
    label
        ``(segments,)``.
    concordance
        Without truth.
    """

    part: str
    setting: str
    described: Described
    label: IntArray
    concordance: float


def reliable(sight: Sight) -> Mapping[str, float]:
    """Return the default weights."""
    return {name: one.weight for name, one in fusion_weights(sight).items()}


def equal(sight: Sight) -> Mapping[str, float]:
    """Return equal weights of all that describe anything."""
    return {name: float(known.any()) for name, (_, known) in sight.spaces.items()}


def settings(footage: Footage, config: Config) -> list[Labelled]:
    """Return the labels of late fusion with the defaults, and with one thing changed."""
    cutter = config.segmenter
    default = footage.described(cutter)
    found: list[Labelled] = []

    def add(
        part: str,
        setting: str,
        described: Described = default,
        *,
        clusterer: Clusterer | None = None,
        weigh: Weigh = reliable,
        **space: float | str,
    ) -> None:
        sight = described.sight(**space)  # type: ignore[arg-type]
        tried = candidates(sight, weigh(sight), clusterer or Ward(), seed=0)
        chosen = choose(tried, sight.pairs)
        found.append(
            Labelled(
                part=part,
                setting=setting,
                described=described,
                label=tried.label(chosen),
                concordance=combined(tried.trials[chosen], sight.pairs),
            )
        )

    add("defaults", "")
    add("segmentation", "window", footage.described(config.segmenters["window"]))
    amid = offhand.ChangePoints(from_turn=False)
    add("segmentation", "boundaries amid turns", footage.described(amid))
    blind = offhand.ChangePoints(heading_weight=0.0)
    add("segmentation", "without heading", footage.described(blind))
    for penalty in (12.0, 48.0):
        cut = offhand.ChangePoints(penalty=penalty)
        add("segmentation", f"penalty {penalty:g}", footage.described(cut))
    add("segmentation", "true blocks", footage.described(None))
    for modality in default.features:
        rest = {name: one for name, one in default.features.items() if name != modality}
        add("features", f"without {modality}", replace(default, features=rest))
    add("features", "without the camera in ego_motion", default.without("ego_motion", "camera_"))
    add("features", "without look", default.without("video_embedding", "look_"))
    for how in ("centre", "covariance"):
        add("alignment", how, alignment=how)
    for dimensions in (6, 9, 16, 24):
        add("dimensions", str(dimensions), max_dimensions=dimensions)
    for evenness in (0.0, 0.75, 1.0):
        add("evenness", f"{evenness:g}", evenness=evenness)
    add("fusion weights", "equal", weigh=equal)
    for modality in ("video_embedding", "flow_rhythm"):
        add("fusion weights", f"{modality} alone", weigh=lambda _, name=modality: {name: 1.0})
    for count in (5, 7, 9, 12):
        add("number of clusters", str(count), clusterer=Ward(n_clusters=count))
    for selection in ("leaf", "eom"):
        add("clusterer", f"hdbscan, {selection}", clusterer=Hdbscan(selection=selection))
    for smallest in (2, 3, 6):
        least = Hdbscan(min_cluster_size=smallest)
        add("smallest cluster", f"{smallest} (hdbscan)", clusterer=least)
    return found


def table(found: list[Labelled]) -> list[Row]:
    """Return what each setting agrees with."""
    rows: list[Row] = []
    for one in found:
        at, seen = one.described.at_instants(one.label), one.described.seen
        rows.append(
            {
                "part": one.part,
                "setting": one.setting,
                "pair F1": one.described.pairs(one.label).f1,
                "ARI": float(adjusted_rand_score(seen.activity, at)),
                "noise": float((at < 0).mean()),
                "k": float(len(np.unique(at[at >= 0]))),
                "concordance": one.concordance,
            }
        )
    return rows


def left_out(found: list[Labelled], sites: dict[str, str]) -> list[Row]:
    """Choose each part on all sites but one, and tell the pair F1 of the pairs with that one.

    Labels are those of all clips: only the choice is made without the site.
    """
    rows: list[Row] = []
    fixed = [one for one in found if one.setting != "true blocks"]
    for site in sorted(set(sites.values())):
        inside = [clip for clip, own in sites.items() if own == site]
        chosen = max(fixed, key=lambda one: _without(one, inside))
        rows.append(
            {
                "site left out": site,
                "best on the others": f"{chosen.part} {chosen.setting}".strip(),
                "pair F1 with the site": _with(chosen, inside),
                "defaults": _with(found[0], inside),
            }
        )
    return rows


def _without(one: Labelled, clips: list[str]) -> float:
    seen = one.described.seen
    kept = ~np.isin(seen.clip, clips)
    at = one.described.at_instants(one.label)
    return cross_clip_pairs(seen.clip[kept], at[kept], seen.activity[kept]).f1


def _with(one: Labelled, clips: list[str]) -> float:
    """Return F1 over the pairs of which one instant at least lies in the clips."""
    seen, at = one.described.seen, one.described.at_instants(one.label)
    kept = ~np.isin(seen.clip, clips)
    every = _counts(seen.clip, at, seen.activity)
    others = _counts(seen.clip[kept], at[kept], seen.activity[kept])
    both, predicted, true = (a - b for a, b in zip(every, others, strict=True))
    return 2 * both / (predicted + true) if both else 0.0


def _counts(clip: np.ndarray, label: IntArray, activity: np.ndarray) -> tuple[float, float, float]:
    """Return the pairs of both kinds, of one label, and of one activity."""
    _, number = np.unique(activity, return_inverse=True)
    joint = np.where(label >= 0, label * (number.max() + 1) + number, -1)
    return _pairs(clip, joint), _pairs(clip, label), _pairs(clip, number)


def _pairs(clip: np.ndarray, label: IntArray) -> float:
    known = label >= 0
    _, place = np.unique(clip, return_inverse=True)
    _, value = np.unique(label[known], return_inverse=True)
    counts = np.zeros((place.max() + 1, value.max(initial=0) + 1))
    np.add.at(counts, (place[known], value), 1)
    return float((counts.sum(axis=0) ** 2 - (counts**2).sum(axis=0)).sum() / 2)
