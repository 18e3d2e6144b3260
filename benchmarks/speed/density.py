"""Print what clusterers of many rows cost, and how far they agree with the exact methods.

    python -m benchmarks.speed.density [--segments 5000 20000 50000] [--shapes flat noisy]

HDBSCAN with the project's settings: scikit-learn's, which compares all rows (the exact one), that
of offhand above ``MAX_COMPARED`` rows, and fast_hdbscan and EVoC where they are installed (they are
no dependencies; EVoC is another method, with its smallest cluster set to the same). Ward's linkage:
SciPy's and that of offhand above ``MAX_LINKED`` rows, cut at ten clusters. Each runs in a process
of its own, one thread, on the feature space of made-up features; importing and compiling are in no
figure. The adjusted Rand index counts noise as one more cluster.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from unittest import mock

import numpy as np
from threadpoolctl import threadpool_limits

from offhand.clustering import hdbscan, ward
from offhand.clustering.space import feature_space
from offhand.records import FloatArray, IntArray

SHAPES = ("separated", "overlapping", "uneven", "noisy", "flat")
ACTIVITIES, WIDTH = 10, 64
MAX_MATRIX = 20_000
"""Rows up to which SciPy's matrix of distances is tried: 1.6 GB."""


def made_up(shape: str, n: int) -> FloatArray:
    """Return the feature space ``(n, 12)`` of ten activities.

    ``uneven`` has clusters of unlike size and density, ``noisy`` 30 % of rows anywhere, ``flat``
    overlapping round clusters in all twelve dimensions, without a leading one.
    """
    rng = np.random.default_rng(0)
    size, spread, gap = np.full(ACTIVITIES, 1 / ACTIVITIES), np.ones(ACTIVITIES), 6.0
    if shape == "flat":
        centre = 1.5 * rng.normal(size=(ACTIVITIES, 12))
        kind = rng.integers(0, ACTIVITIES, n)
        values = centre[kind] + rng.normal(size=(n, 12))
        return np.ascontiguousarray(feature_space(values, np.ones(12))[0])
    if shape == "overlapping":
        gap = 1.5
    elif shape == "noisy":
        gap = 4.0
    elif shape == "uneven":
        gap, spread = 5.0, np.geomspace(0.3, 3.0, ACTIVITIES)
        size = np.geomspace(1.0, 20.0, ACTIVITIES)
    kind = rng.choice(ACTIVITIES, n, p=size / size.sum())
    centre = gap * rng.normal(size=(ACTIVITIES, WIDTH)) / np.sqrt(5)
    column = np.linspace(2.0, 0.3, WIDTH) ** 2 / 2
    values = centre[kind] + spread[kind][:, None] * rng.normal(size=(n, WIDTH)) * column
    if shape == "noisy":
        stray = rng.random(n) < 0.3
        low, high = values.min(axis=0), values.max(axis=0)
        values[stray] = rng.uniform(low, high, (int(stray.sum()), WIDTH))
    return np.ascontiguousarray(feature_space(values, np.ones(WIDTH))[0])


def exact_hdbscan(space: FloatArray) -> IntArray:
    """Scikit-learn's, all rows compared."""
    with mock.patch.object(hdbscan, "MAX_COMPARED", len(space)):
        return hdbscan.Hdbscan().candidates(space, seed=0)[0].label


def graph_hdbscan(space: FloatArray) -> IntArray:
    """Offhand's, each row compared with near ones."""
    with mock.patch.object(hdbscan, "MAX_COMPARED", 0):
        return hdbscan.Hdbscan().candidates(space, seed=0)[0].label


def fast_hdbscan(space: FloatArray) -> IntArray:
    """The one on Numba; ``min_samples`` counts without the row itself there."""
    from fast_hdbscan import HDBSCAN

    found = HDBSCAN(
        min_cluster_size=_smallest(space), min_samples=1, cluster_selection_method="leaf"
    ).fit(space)
    return np.asarray(found.labels_, np.int64)


def evoc(space: FloatArray) -> IntArray:
    """Embedding vector oriented clustering, on Numba; the layer it thinks best."""
    from evoc import EVoC

    found = EVoC(base_min_cluster_size=_smallest(space), random_state=0).fit_predict(
        space.astype(np.float32)
    )
    return np.asarray(found, np.int64)


def exact_ward(space: FloatArray) -> IntArray:
    """SciPy's, from the matrix of all distances."""
    with mock.patch.object(ward, "MAX_LINKED", len(space)):
        return ward.Ward(n_clusters=ACTIVITIES).candidates(space, seed=0)[0].label


def reciprocal_ward(space: FloatArray) -> IntArray:
    """Offhand's, by reciprocal nearest neighbours."""
    with mock.patch.object(ward, "MAX_LINKED", 0):
        return ward.Ward(n_clusters=ACTIVITIES).candidates(space, seed=0)[0].label


def _smallest(space: FloatArray) -> int:
    return max(2, round(np.sqrt(len(space)) / 2))


Method = Callable[[FloatArray], IntArray]


def main() -> None:
    """Measure, and print a row for each method, shape and size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=int, nargs="+", default=[5000, 20_000])
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=SHAPES)
    arguments = parser.parse_args()
    density: list[Method] = [exact_hdbscan, graph_hdbscan]
    density += [one for one in (fast_hdbscan, evoc) if find_spec(one.__name__)]
    print("| segments | shape | method | s | MB | clusters | noise | ARI with the exact one |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for n in arguments.segments:
        linked: list[Method] = [exact_ward] if n <= MAX_MATRIX else []
        for shape in arguments.shapes:
            for methods in (density, [*linked, reciprocal_ward]):
                compare(methods, shape, n)


def compare(methods: list[Method], shape: str, n: int) -> None:
    """Print a row for each method; the first one is the reference, if it is exact."""
    from sklearn.metrics import adjusted_rand_score

    space, reference = made_up(shape, n), None
    for method in methods:
        label, seconds, memory_mb = _apart(method, space)
        label = np.maximum(label, -1)
        if method.__name__.startswith("exact"):
            reference = label
        like = "" if reference is None else f"{adjusted_rand_score(reference, label):.3f}"
        print(
            f"| {n:,} | {shape} | {method.__name__} | {seconds:.1f} | {memory_mb:.0f} | "
            f"{label.max() + 1} | {(label < 0).mean():.2f} | {like} |",
            flush=True,
        )


def _apart(method: Method, space: FloatArray) -> tuple[IntArray, float, float]:
    """Run a method in a process of its own; return labels, seconds and additional memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(method, space, theirs))
    with mock.patch.dict(os.environ, {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}):
        process.start()
    theirs.close()  # so that the end of a process that failed is seen
    found: tuple[IntArray, float, float] = ours.recv()
    process.join()
    return found


def _measured(method: Method, space: FloatArray, pipe: Any) -> None:
    with threadpool_limits(1):
        method(space[: min(len(space), 2000)])  # import, and compile where that is done
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        label = method(space)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send((label, seconds, (after - before) / 1e3))


if __name__ == "__main__":
    main()
