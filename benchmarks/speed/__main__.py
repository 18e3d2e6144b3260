"""Print ratios of one run: the classical job against bare decoding, all of it against real time.

    python -m benchmarks.speed [--footage FOLDER] [--runs 5] [--skip-memory]

The classical job is motion, segments, flow rhythm, ego-motion, clusters and report. Files are
generated into FOLDER once (about 1.6 GB) and used again. The weights of the default install must
be there. What each signal costs: python -m benchmarks.speed.costs.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.speed.footage import generate, loop

DECODE = """
import sys, av
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type = sys.argv[2]
    stream.codec_context.thread_count = int(sys.argv[3])
    print(sum(1 for _ in container.decode(stream)))
"""
CLASSICAL = ("--hands", "off", "--set", "general.modalities=ego_motion,flow_rhythm")
THREADS = (("FRAME", "2"), ("FRAME", "0"), ("SLICE", "0"), ("AUTO", "0"), ("NONE", "1"))


def main() -> None:
    """Generate what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--footage", type=Path, default=Path("benchmarks/speed/.footage"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--codec", default="libx264", help="libx264 or libx265")
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    arguments.footage.mkdir(parents=True, exist_ok=True)
    clip = arguments.footage / f"{arguments.codec}-300s.mp4"
    generate(clip, seconds=300, codec=arguments.codec)
    size = clip.stat().st_size * 8 / 300 / 1e6
    print(f"{clip.name}: 1080p30, {size:.1f} Mb/s")
    first = {threads: decode(clip, threads) for threads in THREADS}
    fastest = min(first, key=lambda threads: first[threads])
    for threads, seconds in first.items():
        print(f"  bare decoding, {threads[0]} x {threads[1]}: {seconds:.1f} s")
    decoded, ran = [], []
    for _ in range(arguments.runs):
        decoded.append(decode(clip, fastest))
        ran.append(run(clip, *CLASSICAL)[0])
    ratios = [b / a for a, b in zip(decoded, ran, strict=True)]
    print(f"bare decoding ({' x '.join(fastest)}): median {statistics.median(decoded):.1f} s")
    print(f"offhand run, classical: median {statistics.median(ran):.1f} s")
    print(
        f"ratio run / decoding: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} pairs)"
    )
    seconds, peak = run(clip)
    print(f"offhand run, all models: {seconds:.1f} s, {seconds / 300:.2f} of real time")
    print(f"peak memory of all processes, all models: {peak:.0f} MB")
    if not arguments.skip_memory:
        short, long = (arguments.footage / f"{arguments.codec}-{s}s.mp4" for s in (120, 1200))
        generate(short, seconds=120, codec=arguments.codec)
        loop(clip, long, times=4)
        peaks = {path.name: run(path, *CLASSICAL)[1] for path in (short, long)}
        for name, peak in peaks.items():
            print(f"peak memory of all processes, {name}: {peak:.0f} MB")
        low, high = peaks.values()
        print(f"ratio of peaks, 20 min / 2 min: {high / low:.2f}")


def decode(clip: Path, threads: tuple[str, str]) -> float:
    """Return the wall time, in seconds, of decoding every frame and dropping it."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", DECODE, str(clip), *threads], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def run(clip: Path, *options: str) -> tuple[float, float]:
    """Return the wall time in seconds and the peak memory in MB of a whole run, report included."""
    out = tempfile.mkdtemp(prefix="offhand-bench-")
    command = [sys.executable, "-m", "offhand", "run", str(clip), "-o", f"{out}/out", *options]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_mb(process.pid))
        time.sleep(0.25)
    seconds = time.perf_counter() - began
    shutil.rmtree(out)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return seconds, peak


def memory_mb(pid: int) -> float:
    """Return the memory of a process and of all below it (shared pages once), in MB."""
    total = 0.0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        total += (
            sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            / 1e3
        )
        for task in Path(f"/proc/{pid}/task").iterdir():
            below = (task / "children").read_text(encoding="ascii").split()
            total += sum(memory_mb(int(child)) for child in below)
    except OSError:
        return total  # it ended meanwhile
    return total


if __name__ == "__main__":
    main()
