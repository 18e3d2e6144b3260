"""Compare other clusterers on the same segments and features, with the truth's number of clusters.

    python -m benchmarks.quality.peers FOLDER [--groups CSV]

FOLDER holds clips and their ground truth. FINCH, EVoC and UMAP are used where they are installed
(``pip install finch-clust evoc umap-learn``); FINCH's licence forbids commercial use, so offhand
itself never imports it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import t as student_t
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

import offhand
from benchmarks.quality.footage import (
    Described,
    Footage,
    Row,
    as_lines,
    paragraph,
    print_report,
    reliable,
)
from offhand.config import Config
from offhand.evaluation.agreement import cross_clip_pairs
from offhand.evaluation.truth import Truth
from offhand.records import FloatArray, IntArray, Segments, Signal
from offhand.selection.candidates import candidates, choose
from offhand.stages.evaluate import Instants, majority

SEEDS = 10
Method = Callable[[FloatArray, int, int], IntArray]
"""From a space, the true number of clusters and a seed to labels."""


def methods() -> dict[str, Method]:
    """Return the peers that are installed, by name."""

    def spectral(space: FloatArray, k: int, seed: int) -> IntArray:
        nearest = min(10, len(space) - 1)
        model = SpectralClustering(
            k, affinity="nearest_neighbors", n_neighbors=nearest, random_state=seed
        )
        return np.asarray(model.fit_predict(space), np.int64)

    found: dict[str, Method] = {
        "k-means": lambda space, k, seed: KMeans(k, n_init=10, random_state=seed).fit_predict(
            space
        ),
        "Ward": lambda space, k, _: AgglomerativeClustering(k).fit_predict(space),
        "spectral": spectral,
    }
    if _is_installed("finch"):
        found["FINCH, asked for k"] = lambda space, k, _: _finch(space, k)
    if _is_installed("evoc"):
        found["EVoC, asked for k"] = _evoc
    if _is_installed("umap"):
        found["UMAP + HDBSCAN"] = _umap
    return found


def _is_installed(name: str) -> bool:
    if importlib.util.find_spec(name) is None:
        print(f"({name} is not installed and left out)")
        return False
    return True


def _finch(space: FloatArray, k: int) -> IntArray:
    """Cluster by first neighbours (Sarfraz et al. 2019, arXiv:1902.11266)."""
    from finch import FINCH

    partitions, counts, asked = FINCH(space, req_clust=k, distance="cosine", verbose=False)
    if asked is None:
        return np.asarray(partitions[:, int(np.argmin(np.abs(np.array(counts) - k)))], np.int64)
    return np.asarray(asked, np.int64)


def _evoc(space: FloatArray, k: int, seed: int) -> IntArray:
    """Cluster embedding vectors (EVoC), asking for about k clusters."""
    from evoc import EVoC

    model = EVoC(approx_n_clusters=k, random_state=seed, base_min_cluster_size=3)
    return np.asarray(model.fit_predict(space.astype(np.float32)), np.int64)


def _umap(space: FloatArray, k: int, seed: int) -> IntArray:
    """Embed, then cluster by density (B-SOiD, Hsu and Yttri 2021, doi:10.1038/s41467-021-25420-x).

    Its recipe takes the smallest cluster, as a share of the data, that gives most clusters; here
    the share is taken whose number of clusters is nearest the true one.
    """
    from umap import UMAP

    nearest = min(15, len(space) - 1)
    flat = UMAP(n_neighbors=nearest, min_dist=0.0, n_components=2, random_state=seed)
    placed = flat.fit_transform(space)
    tried = [
        HDBSCAN(min_cluster_size=max(2, round(share * len(space))), copy=True).fit_predict(placed)
        for share in np.linspace(0.02, 0.1, 9)
    ]
    return np.asarray(min(tried, key=lambda label: abs(len(np.unique(label[label >= 0])) - k)))


def rows_for(described: Described, config: Config) -> Iterator[Row]:
    """Score offhand and its peers on the features that late fusion clusters."""
    sight = described.sight()
    k = len(np.unique(described.seen.activity))
    for name, clusterer in config.clusterers.items():
        tried = candidates(sight, reliable(sight), clusterer, seed=0)
        label = tried.label(choose(tried, sight.pairs))
        mark = " (default)" if name == config.general.clusterer else ""
        yield scored(described, f"offhand, {name}{mark}", "chosen", [label])
    tried = candidates(sight, reliable(sight), config.clusterers["hdbscan"], seed=0)
    space, known = tried.space
    for name, method in methods().items():
        labels = []
        for seed in range(SEEDS):
            label = np.full(len(known), -1, dtype=np.int64)
            label[known] = method(space, k, seed)
            labels.append(label)
            if name in ("Ward", "FINCH, asked for k"):
                break  # nothing is drawn
        yield scored(described, name, f"truth's, {k}", labels)


def scored(described: Described, name: str, k: str, labels: list[IntArray]) -> Row:
    """Return a row: means over seeds, and a 95 % interval over clips (jackknife) of pair F1."""
    seen = described.seen
    at = [described.at_instants(label) for label in labels]
    every = np.array([cross_clip_pairs(seen.clip, one, seen.activity).f1 for one in at])
    half = interval(seen, at)
    return {
        "segments": described.name,
        "method": name,
        "number of clusters": k,
        "pair F1": float(every.mean()),
        "95 %": f"{every.mean() - half:.3f} to {every.mean() + half:.3f}",
        "over seeds": f"{every.min():.3f} to {every.max():.3f}" if len(every) > 1 else "",
        "ARI": float(np.mean([adjusted_rand_score(seen.activity, one) for one in at])),
        "AMI": float(np.mean([adjusted_mutual_info_score(seen.activity, one) for one in at])),
        "V": float(np.mean([v_measure_score(seen.activity, one) for one in at])),
        "noise": float(np.mean([(one < 0).mean() for one in at])),
        "k": float(np.mean([len(np.unique(one[one >= 0])) for one in at])),
    }


def interval(seen: Instants, at: list[IntArray]) -> float:
    """Return half the 95 % interval of pair F1, from leaving clips out in turn."""
    parts = []
    for clip in np.unique(seen.clip):
        kept = seen.clip != clip
        f1 = [cross_clip_pairs(seen.clip[kept], one[kept], seen.activity[kept]).f1 for one in at]
        parts.append(np.mean(f1))
    n = len(parts)
    if n < 3:
        return float("nan")
    error = np.sqrt((n - 1) / n * ((np.array(parts) - np.mean(parts)) ** 2).sum())
    return float(error * student_t.ppf(0.975, n - 1))


@dataclass(frozen=True, kw_only=True)
class UniformSplit:
    """Cut every clip in equal parts: what order alone gives."""

    name: ClassVar[str] = "uniform split"
    version: ClassVar[int] = 1
    signals: ClassVar[tuple[str, ...]] = ()

    n_parts: int

    def cut(
        self, clip_id: str, signals: Mapping[str, Signal], *, start_s: float, stop_s: float
    ) -> Segments:
        """Cut ``[start_s, stop_s)``."""
        del signals
        edges = np.linspace(start_s, stop_s, self.n_parts + 1)
        return Segments(clip_id=clip_id, start_s=edges[:-1], stop_s=edges[1:])


def uniform(footage: Footage, k: int) -> Row:
    """Score the parts of a uniform split, part i of each clip as cluster i."""
    split = footage.described(UniformSplit(n_parts=k))
    label = np.tile(np.arange(k), len(footage.truth))
    return scored(split, "part i is cluster i", f"truth's, {k}", [label])


def ceiling(described: Described, sites: dict[str, str]) -> Row:
    """Score the activity of the nearest segment of another site: what the features hold."""
    sight = described.sight()
    tried = candidates(sight, reliable(sight), offhand.Hdbscan(), seed=0)
    space, known = tried.space
    site = np.array([sites[clip] for clip in described.clip_id])[known]
    true = majority(described.seen, len(described.segments))
    label = np.full(len(known), -1, dtype=np.int64)
    label[known] = nearest_elsewhere(space, site, true[known])
    row = scored(described, "nearest segment of another site", "labels used", [label])
    at = described.at_instants(label)
    _, activity = np.unique(described.seen.activity, return_inverse=True)
    return row | {"method": f"{row['method']} ({(at == activity).mean():.0%} of the time right)"}


def nearest_elsewhere(space: FloatArray, site: np.ndarray, true: IntArray) -> IntArray:
    """Return the activity of each row's nearest row of another site."""
    distance = ((space[:, None] - space[None]) ** 2).sum(axis=2)
    distance[site[:, None] == site[None, :]] = np.inf
    return np.asarray(true[distance.argmin(axis=1)], np.int64)


def report(footage: Footage) -> list[str]:
    """Return the lines of a Markdown document."""
    config = offhand.load_config()
    cut, window = config.segmenter, config.segmenters["window"]
    rows: list[Row] = []
    for described in map(footage.described, (cut, window, None)):
        rows += rows_for(described, config)
    k = activities(footage.truth)
    rows.append(uniform(footage, k))
    for described in map(footage.described, (cut, None)):
        rows.append(ceiling(described, footage.sites))
    return [
        "# Other clusterers on the same features",
        "",
        *paragraph(
            f"""Written by `python -m benchmarks.quality.peers FOLDER`; terms in
            [glossary.md](glossary.md). {len(footage.truth)} clips; all methods cluster the features
            of late fusion. Peers are told the true number of activities; offhand chooses its own.
            The 95 % interval is over clips (jackknife), the range over {SEEDS} seeds where a method
            draws at random."""
        ),
        "",
        *as_lines(rows),
    ]


def activities(truth: dict[str, Truth]) -> int:
    """Return the number of activities."""
    return len({block.activity for one in truth.values() for block in one.blocks})


if __name__ == "__main__":
    print_report(__doc__, report)
