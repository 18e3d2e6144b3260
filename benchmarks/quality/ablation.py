"""What each choice is worth: late fusion with one thing changed at a time, and sites left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import adjusted_rand_score

import offhand
from benchmarks.quality.footage import Described, Footage, Row, reliable
from offhand.clustering.alignment import ALIGNMENTS
from offhand.clustering.base import Clusterer
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.config import Config
from offhand.evaluation.agreement import count_pairs, cross_clip_pairs
from offhand.evaluation.concordance import combined
from offhand.records import IntArray
from offhand.segments.base import Segmenter
from offhand.selection.candidates import candidates, choose
from offhand.selection.sight import Sight

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


def equal(sight: Sight) -> Mapping[str, float]:
    """Return equal weights of all that describe anything."""
    return {name: float(known.any()) for name, (_, known) in sight.spaces.items()}


def settings(footage: Footage, config: Config) -> list[Labelled]:
    """Return the labels of late fusion with the defaults, and with one thing changed."""
    default = footage.described(config.segmenter)
    return [
        labelled("defaults", "", default),
        *_segmentations(footage, config),
        *_features(default),
        *_spaces(default),
        *_weights(default),
        *_clusterers(default),
    ]


def labelled(
    part: str,
    setting: str,
    described: Described,
    *,
    sight: Sight | None = None,
    clusterer: Clusterer | None = None,
    weigh: Weigh = reliable,
) -> Labelled:
    """Cluster late fusion with some setting."""
    seen = sight or described.sight()
    tried = candidates(seen, weigh(seen), clusterer or Ward(), seed=0)
    chosen = choose(tried, seen.pairs)
    return Labelled(
        part=part,
        setting=setting,
        described=described,
        label=tried.label(chosen),
        concordance=combined(tried.trials[chosen], seen.pairs),
    )


def _segmentations(footage: Footage, config: Config) -> list[Labelled]:
    cutters: dict[str, Segmenter | None] = {
        "window": config.segmenters["window"],
        "boundaries amid turns": offhand.ChangePoints(from_turn=False),
        "without heading": offhand.ChangePoints(heading_weight=0.0),
        "penalty 12": offhand.ChangePoints(penalty=12.0),
        "penalty 48": offhand.ChangePoints(penalty=48.0),
        "true blocks": None,
    }
    return [
        labelled("segmentation", name, footage.described(cutter))
        for name, cutter in cutters.items()
    ]


def _features(default: Described) -> list[Labelled]:
    fewer = {
        f"without {modality}": replace(
            default,
            features={name: one for name, one in default.features.items() if name != modality},
        )
        for modality in default.features
    }
    fewer["without the camera in ego_motion"] = default.without("ego_motion", "camera_")
    fewer["without look in video_embedding"] = default.without("video_embedding", "look_")
    return [labelled("features", name, described) for name, described in fewer.items()]


def _spaces(default: Described) -> list[Labelled]:
    tried = [("alignment", how, default.sight(alignment=how)) for how in ALIGNMENTS[1:]]
    tried += [("dimensions", str(n), default.sight(max_dimensions=n)) for n in (6, 9, 16, 24)]
    tried += [("evenness", f"{x:g}", default.sight(evenness=x)) for x in (0.0, 0.75, 1.0)]
    return [labelled(part, name, default, sight=sight) for part, name, sight in tried]


def _weights(default: Described) -> list[Labelled]:
    alone = [
        labelled("fusion weights", f"{name} alone", default, weigh=lambda _, name=name: {name: 1.0})
        for name in ("video_embedding", "flow_rhythm")
    ]
    return [labelled("fusion weights", "equal", default, weigh=equal), *alone]


def _clusterers(default: Described) -> list[Labelled]:
    tried: list[tuple[str, str, Clusterer]] = [
        *(("number of clusters", str(k), Ward(n_clusters=k)) for k in (5, 7, 9, 12)),
        ("clusterer", "hdbscan, leaf", Hdbscan(selection="leaf")),
        ("clusterer", "hdbscan, eom", Hdbscan(selection="eom")),
        *(("smallest cluster", f"{n} (hdbscan)", Hdbscan(min_cluster_size=n)) for n in (2, 3, 6)),
    ]
    return [labelled(part, name, default, clusterer=one) for part, name, one in tried]


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
    every = count_pairs(seen.clip, at, seen.activity)
    return (every - count_pairs(seen.clip[kept], at[kept], seen.activity[kept])).score.f1
