"""Print ratios of one run: the classical job against bare decoding, all of it against real time.

    python -m benchmarks.speed [--footage FOLDER] [--runs 5] [--skip-memory]

The classical job is motion, segments, flow rhythm, ego-motion, clusters and report, on files in
H.264 and in H.265 (one minute, five times): each alone, and both in one run. Decoding is PyAV's,
with the thread setting that is fastest for the file. Memory is compared between two minutes and two
hours of small pictures, as what a decoder holds depends on their size and not on how many they are.
Files are generated into FOLDER once (about 1.3 GB) and used again. The weights of the default
install must be there. `make bench` runs the other benchmarks of this folder too.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed.footage import SMALL, generate, loop

DECODE = """
import sys, av
from itertools import islice
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type = sys.argv[2]
    stream.codec_context.thread_count = int(sys.argv[3])
    print(sum(1 for _ in islice(container.decode(stream), int(sys.argv[4]))))
"""
CLASSICAL = ("--hands", "off", "--set", "general.modalities=ego_motion,flow_rhythm")
THREADS = (
    *(("FRAME", str(n)) for n in (2, 0, 4, 8)),
    ("SLICE", "0"),
    ("AUTO", "0"),
    ("NONE", "1"),
)
TRIED_FRAMES, ALL_FRAMES = 1800, 10**9
"""Frames decoded to find the fastest thread setting, and in the comparison."""

CODECS = ("libx264", "libx265")


def main() -> None:
    """Generate what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--footage", type=Path, default=Path("benchmarks/speed/.footage"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    arguments.footage.mkdir(parents=True, exist_ok=True)
    clips = {codec: arguments.footage / f"{codec}-300s.mp4" for codec in CODECS}
    fastest = {}
    for codec, clip in clips.items():
        minute = arguments.footage / f"{codec}-60s.mp4"
        generate(minute, seconds=60, codec=codec)
        loop(minute, clip, times=5)
        size = clip.stat().st_size * 8 / 300 / 1e6
        print(f"{clip.name}: 1080p30, {size:.1f} Mb/s")
        taken = {each: decode(clip, each, frames=TRIED_FRAMES) for each in THREADS}
        for threads, seconds in taken.items():
            print(f"  decoding a minute, {' x '.join(threads)}: {seconds:.1f} s", flush=True)
        fastest[codec] = min(taken, key=lambda threads: taken[threads])
    for chosen in (*((codec,) for codec in CODECS), CODECS):
        compare(
            " and ".join(chosen),
            [decoding(clips[codec], fastest[codec]) for codec in chosen],
            [clips[codec] for codec in chosen],
            runs=arguments.runs,
        )
    start_up()
    seconds = run(clips["libx264"])
    print(f"offhand run, all models: {seconds:.1f} s, {seconds / 300:.2f} of real time")
    if not arguments.skip_memory:
        with memory_watched() as peaks:
            run(clips["libx264"])
        print(f"peak memory of all processes, all models: {max(peaks):.0f} MB", flush=True)
        for name, options in (("classical", CLASSICAL), ("all models", ())):
            compare_memory(name, arguments.footage, options)


def machine() -> str:
    """Return what the figures are of: processor, cores, versions, and the commit."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next((line.partition(":")[2] for line in lines if "model name" in line), "unknown")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    versions = (f"{name} {version(name)}" for name in ("av", "opencv-contrib-python-headless"))
    return (
        f"{processor.strip()}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"{', '.join(versions)}; commit {commit.stdout.strip() or 'unknown'}"
    )


def compare(
    name: str, decodings: list[Callable[[], float]], clips: list[Path], *, runs: int
) -> None:
    """Print the ratio of a run on clips to decoding them one after the other, in turn."""
    decoded, ran = [], []
    for _ in range(runs):
        decoded.append(sum(one() for one in decodings))
        ran.append(run(*clips, options=CLASSICAL))
    ratios = [b / a for a, b in zip(decoded, ran, strict=True)]
    print(
        f"{name}: bare decoding {statistics.median(decoded):.1f} s, classical run "
        f"{statistics.median(ran):.1f} s (medians); ratio: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} pairs)",
        flush=True,
    )


def decoding(clip: Path, threads: tuple[str, str]) -> Callable[[], float]:
    """Return a function that decodes a clip."""
    return lambda: decode(clip, threads, frames=ALL_FRAMES)


def start_up() -> None:
    """Print how long the command and the package take to start, the interpreter included."""
    for command in (("-m", "offhand", "--help"), ("-c", "import offhand")):
        taken = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - began)
        print(f"python {' '.join(command)}: median {statistics.median(taken):.2f} s")


def compare_memory(name: str, footage: Path, options: tuple[str, ...]) -> None:
    """Print the peaks of two minutes and of two hours."""
    short, long = footage / "small-120s.mp4", footage / "small-7200s.mp4"
    generate(short, seconds=120, size=SMALL, bit_rate=300_000)
    loop(short, long, times=60)
    found = []
    for path in (short, long):
        with memory_watched() as peaks:
            run(path, options=options)
        found.append(max(peaks))
        print(f"peak memory of all processes, {name}, {path.name}: {found[-1]:.0f} MB", flush=True)
    print(f"ratio of peaks, {name}, 2 hours / 2 minutes: {found[1] / found[0]:.2f}", flush=True)


def decode(clip: Path, threads: tuple[str, str], *, frames: int) -> float:
    """Return the wall time, in seconds, of decoding so many frames and dropping them."""
    command = [sys.executable, "-c", DECODE, str(clip), *threads, str(frames)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def run(*clips: Path, options: tuple[str, ...] = ()) -> float:
    """Return the wall time, in seconds, of a whole run, report included."""
    with tempfile.TemporaryDirectory(prefix="offhand-bench-") as out:
        files = [str(clip) for clip in clips]
        command = [sys.executable, "-m", "offhand", "run", *files, "-o", f"{out}/out", *options]
        began = time.perf_counter()
        process = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {process.stderr}")
    return seconds


@contextmanager
def memory_watched() -> Iterator[list[float]]:
    """Collect the memory of all processes below this one, in MB; looking costs time."""
    found, stopped = [0.0], threading.Event()

    def watch() -> None:
        own = memory_mb(os.getpid(), below=False)
        while not stopped.wait(0.25):
            found.append(memory_mb(os.getpid()) - own)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stopped.set()
        thread.join()


def memory_mb(pid: int, *, below: bool = True) -> float:
    """Return the memory of a process (shared pages once), with all below it or not, in MB."""
    total = 0.0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        total += (
            sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            / 1e3
        )
        for task in Path(f"/proc/{pid}/task").iterdir() if below else ():
            children = (task / "children").read_text(encoding="ascii").split()
            total += sum(memory_mb(int(child)) for child in children)
    except OSError:
        return total  # it ended meanwhile
    return total


if __name__ == "__main__":
    main()
