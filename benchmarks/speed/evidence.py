"""Print what the evidence of one run costs, and how it grows with the number of segments.

    python -m benchmarks.speed.evidence [--segments 610 2000 10000 100000]

Segments of ten activities are drawn in six modalities, five clips at first and clips of a hundred
segments in larger sets. Judged are the pooled clusters of every modality and of their fusion by
Ward's linkage, as the default run does; and, up to 2,000 segments, those of HDBSCAN too.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from offhand.clustering.base import Clusterer
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.selection import Sight, candidates, choose, evidence_for, fusion_weights, see

MODALITIES, DIMENSIONS, ACTIVITIES = 6, 12, 10
FEW = 2000
"""Segments up to which HDBSCAN is judged too."""


def drawn(n_segments: int) -> Sight:
    """Return six modalities that see the same activities."""
    rng = np.random.default_rng(0)
    per_clip = n_segments // 5 if n_segments <= FEW else 100
    clip_id = (np.arange(n_segments) // per_clip).astype(str)
    kind = rng.integers(0, ACTIVITIES, n_segments)
    every = np.ones(n_segments, dtype=bool)
    spaces = {}
    for number in range(MODALITIES):
        centre = 1.5 * rng.normal(size=(ACTIVITIES, DIMENSIONS))
        noise = rng.normal(size=(n_segments, DIMENSIONS))
        spaces[f"modality_{number}"] = centre[kind] + noise, every
    return see(spaces, {name: {name} for name in spaces}, clip_id)


def judge_all(sight: Sight, clusterer: Clusterer) -> float:
    """Judge each modality and the fusion; return how long that took, clustering left out, in s."""
    fused = {name: one.weight for name, one in fusion_weights(sight).items()}
    total_s = 0.0
    for weights in (*({name: 1.0} for name in sight.spaces), fused):
        found = candidates(sight, weights, clusterer, seed=0)
        chosen = choose(found, sight.pairs)
        start = time.perf_counter()
        evidence_for(found, chosen, sight.pairs, clusterer, seed=0)
        total_s += time.perf_counter() - start
    return total_s


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, nargs="+", default=[610, 2000, 10_000, 100_000])
    judge_all(drawn(100), Ward())  # what is imported on first use is in no figure
    print("| segments | Ward, s | HDBSCAN, s | Ward, s per 1,000 segments |")
    print("| --- | --- | --- | --- |")
    for n in parser.parse_args().segments:
        sight = drawn(n)
        ward_s = judge_all(sight, Ward())
        density = f"{judge_all(sight, Hdbscan()):.1f}" if n <= FEW else ""
        print(f"| {n:,} | {ward_s:.1f} | {density} | {1000 * ward_s / n:.2f} |", flush=True)


if __name__ == "__main__":
    main()
