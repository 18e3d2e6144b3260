"""Print what the report of a large run costs: time, pages, the largest of them, and memory.

    python -m benchmarks.speed.report [--clips 1000 --segments 200 --out FOLDER]

The run is made up: six modalities, two clusterers, repetitions, maps, pictures, rhythm. Its tables
are written as a run writes them, then a process of its own writes the report.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from offhand.store.workspace import Workspace
from tests.unit.report.workspaces import ALL, FakeWorkspace, make_workspace
from tests.unit.viewer.saved import save_made

LENGTH_S = 5.0
CLUSTERS = 15
MATRIX = 75
"""Rows of a self-similarity matrix: five seconds, fifteen times a second."""

JPEG_BYTES, LOOP_BYTES, LOOPS_A_CLIP = 5_000, 40_000, 6
MB = 1e6

WRITE = """
import resource, sys, time
from offhand.report.page import write_report
from offhand.store.workspace import Workspace
began = time.perf_counter()
write_report(Workspace(sys.argv[1]))
print(time.perf_counter() - began)
for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    used = resource.getrusage(whose)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""


def main() -> None:
    """Make a run up, write its report, print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--segments", type=int, default=200, help="of each clip")
    parser.add_argument("--out", type=Path, help="keep the run here, and use it again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.out or Path(folder) / "out"
        if not (out / "offhand.json").is_file():
            made_apart(out, arguments.clips, arguments.segments)
        measure(out)


def made_apart(out: Path, n_clips: int, n_segments: int) -> None:
    """Make a run up in a process of its own: a child's peak of memory begins with its parent's."""
    numbers = {"n_clips": n_clips, "n_segments": n_segments}
    process = get_context("spawn").Process(target=write_run, args=(out,), kwargs=numbers)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("the run could not be made up")


def measure(out: Path) -> None:
    """Write the report of a run in a process of its own; print what that cost."""
    workspace = Workspace(out)
    n_clips, n_segments = (len(workspace.table(name)) for name in ("clips", "segments"))
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(out)], check=True, capture_output=True, text=True
    )
    taken_s, own_s, own, helper_s, helper = map(float, done.stdout.split())
    sizes = [page.stat().st_size for page in (out / "report").glob("*.html")]
    overview = workspace.report_path.stat().st_size
    print(f"{n_clips} clips, {n_segments} segments")
    print(
        f"report written in {taken_s:.1f} s ({own_s + helper_s:.1f} s of processor time), "
        f"peak memory of its processes {own / MB:.0f} and {helper / MB:.0f} MB"
    )
    print(f"report.html {overview / MB:.2f} MB; {len(sizes)} clip pages", end="")
    if sizes:
        print(f", the largest {max(sizes) / MB:.2f} MB, all {sum(sizes) / MB:.0f} MB", end="")
    print()


def write_run(out: Path, *, n_clips: int, n_segments: int) -> None:
    """Write the tables of a made-up run."""
    began = time.perf_counter()
    names = [f"clip_{place:04d}" for place in range(n_clips)]
    made = make_workspace(
        out, names, n_segments=n_segments, length_s=LENGTH_S, k=CLUSTERS, modalities=ALL
    )
    made.tables["rhythm"] = _finer(made.tables["rhythm"])
    made.tables |= {
        "repetitions": _repetitions(made),
        "similarity": _similarity(made),
        "map": _map(made),
        "thumbnails": _thumbnails(made),
    }
    save_made(made)
    print(f"run made up in {time.perf_counter() - began:.0f} s: {out}", flush=True)


def _finer(rhythm: pd.DataFrame) -> pd.DataFrame:
    """Return fourteen rows a second, about as runs have them, from the two of a made-up run."""
    times = 7
    rhythm = rhythm.reset_index(drop=True)
    finer = rhythm.loc[rhythm.index.repeat(times)].reset_index(drop=True)
    finer["time_s"] += np.tile(np.arange(times) / 15, len(rhythm))
    return finer


def _repetitions(made: FakeWorkspace) -> pd.DataFrame:
    """Return a bout in every fourth segment, and a refusal in every fifth of the others."""
    rng = np.random.default_rng(1)
    segments = made.tables["segments"]
    place = segments["segment_id"].to_numpy()
    bouts = segments[(place % 4 == 0) | (place % 5 == 0)].reset_index(drop=True)
    accepted = bouts["segment_id"].to_numpy() % 4 == 0
    count = np.where(accepted, rng.integers(3, 9, len(bouts)), 0)
    start_s, stop_s = bouts["start_s"].to_numpy() + 0.2, bouts["stop_s"].to_numpy() - 0.2
    times = [
        np.linspace(low, high, n + 1)[1:]
        for low, high, n in zip(start_s, stop_s, count.tolist(), strict=True)
    ]
    return pd.DataFrame(
        {
            "clip_id": bouts["clip_id"],
            "bout_id": bouts.groupby("clip_id").cumcount(),
            "segment_id": bouts["segment_id"].astype("Int64"),
            "start_s": start_s,
            "stop_s": stop_s,
            "period_s": np.where(accepted, (stop_s - start_s) / np.maximum(count, 1), np.nan),
            "count": count,
            "rep_times_s": times,
            "n_strokes": 2 * count,
            "confidence": np.where(accepted, rng.uniform(0.5, 1, len(bouts)), np.nan),
            "accepted": accepted,
            "reason": np.where(accepted, "", "no periodicity"),
            "witnesses": "",
            "likeness": 0.8,
            "seed_accepted": accepted,
            "seed_count": pd.array(count, dtype="Int64"),
        }
    )


def _similarity(made: FakeWorkspace) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    keys = made.tables["segments"][["clip_id", "segment_id"]]
    moments = np.arange(MATRIX)
    waves = []
    for period in rng.uniform(5, 40, 500):
        wave = np.cos(2 * np.pi * (moments[:, None] - moments[None]) / period)
        noisy = 80 * wave + rng.normal(scale=6, size=wave.shape)
        waves.append(noisy.clip(-100, 100).astype(np.int8).tobytes())
    return keys.assign(
        step_s=1 / 15,
        size=MATRIX,
        similarity=[waves[place % len(waves)] for place in range(len(keys))],
        seed_picture_period_s=1.0,
        seed_flow_period_s=1.0,
        seed_accepted=keys["segment_id"] % 4 == 0,
        seed_count=4,
    )


def _map(made: FakeWorkspace) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    keys = made.tables["segments"][["clip_id", "segment_id"]]
    each = [
        keys.assign(modality=name, method="PCA", x=rng.random(len(keys)), y=rng.random(len(keys)))
        for name in ALL
    ]
    return pd.concat(each, ignore_index=True)


def _thumbnails(made: FakeWorkspace) -> pd.DataFrame:
    """Return a picture for every exemplar of a pooled cluster, of the usual size."""
    rng = np.random.default_rng(4)
    table = made.tables["exemplars"]
    keys = table.loc[table["scope"] == "pooled", ["clip_id", "segment_id"]].drop_duplicates()
    keys = keys.sort_values(["clip_id", "segment_id"], ignore_index=True)
    jpegs = [b"\xff\xd8\xff\xe0" + rng.bytes(JPEG_BYTES) for _ in range(len(keys))]
    place = keys.groupby("clip_id").cumcount().to_numpy()
    loops = [b"RIFF" + rng.bytes(LOOP_BYTES) if n < LOOPS_A_CLIP else None for n in place]
    return keys.assign(time_s=2.5, jpeg=jpegs, webp=loops)


if __name__ == "__main__":
    main()
