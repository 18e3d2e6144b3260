"""How many hands are found, on labelled real clips and against rendered truth, and at what cost.

    python -m benchmarks.hands FOOTAGE

FOOTAGE holds the folders ``real`` (the clips that ``labels.csv`` names) and ``rendered/dev``.
Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.hands.labels import Found, Label, boxes_at, compare, read_labels
from offhand.evaluation.coverage import coverage
from offhand.records import FloatArray, Signal
from offhand.signals.hands import Hands, extractor
from offhand.stages.measure import measure_signals

SMALL_PX = 24
"""A hand whose longer side is shorter than this in the file shows no fingers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("footage", type=Path)
    footage: Path = parser.parse_args().footage
    real(footage / "real")
    rendered(footage / "rendered" / "dev")


def real(folder: Path) -> None:
    labels = read_labels()
    every = Hands(coverage="every-frame")
    detector: dict[str, Found] = {}
    tracker: dict[str, Found] = {}
    large: dict[str, tuple[Found, Found]] = {}
    for clip, frames in labels.items():
        signals, info = measure_signals(folder / clip, (every,))
        signal = signals["hands"]
        is_large = large_enough(info.width, info.height)
        found = [boxes_at(signal, prefix) for prefix in ("hand", "track")]
        detector[clip], tracker[clip] = (compare(boxes, frames) for boxes in found)
        large[clip] = (
            compare(found[0], frames, counts=is_large),
            compare(found[1], frames, counts=is_large),
        )
    n_frames = sum(len(frames) for frames in labels.values())
    n_hands = sum(len(hands) for frames in labels.values() for hands in frames.values())
    print(f"## Real clips: {n_hands} hands labelled by eye in {n_frames} frames\n")
    print("A hand is found by a box of IoU 0.3 or more. *Fired*: share of the frames with a hand")
    print("(with a whole hand) in which anything is reported. Every frame of the clips examined.\n")
    header(
        "what", "clip", "frames", "fired", "fired, whole hand", "whole hands", "recall, whole",
        "recall, all", "precision",
    )  # fmt: skip
    for name, per_clip in (("detector", detector), ("tracker", tracker)):
        for clip, counts in per_clip.items():
            row(name, clip.split(".")[0], *rates(counts))
        row(f"**{name}**", "all", *rates(added(per_clip.values())))
        chosen = 0 if name == "detector" else 1
        sizes = added(pair[chosen] for pair in large.values())
        row(name, f"hands of {SMALL_PX} px and more", *rates(sizes)[:-1], "")
    print()


def rendered(folder: Path) -> None:
    print("## Rendered clips: coverage against the intervals in which a hand is in view\n")
    print("Its hands are simple shapes. *Sampled* is what a run does by default, with its 95 %")
    print("interval; costs are CPU milliseconds per second of video with every frame examined")
    print("and, after the slash, with the default sampling.\n")
    header(
        "clip", "hand in view", "detector fired", "tracked", "fired where a hand is",
        "fired where none is", "sampled: fired", "sampled: tracked", "detector ms", "tracker ms",
    )  # fmt: skip
    whole, sampled = Hands(coverage="every-frame"), Hands()
    for path in sorted(folder.glob("*.mp4")):
        truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        costs: list[dict[str, float]] = []
        found: list[Signal] = []
        for step in (whole, sampled):
            with stopwatch() as spent:
                signals, info = measure_signals(path, (step,))
            found.append(signals["hands"])
            costs.append({part: 1e3 * cpu_s / info.duration_s for part, cpu_s in spent.items()})
        signal = found[0]
        there = in_view(signal.time_s, truth["hand_visible"])
        fired = signal.channel("detector_fired") > 0
        row(
            path.stem,
            percent(there.mean()),
            percent(fired.mean()),
            percent(signal.channel("tracked").mean()),
            percent(fired[there].mean()),
            percent(fired[~there].mean()),
            *(interval(found[1], channel, sampled) for channel in ("detector_fired", "tracked")),
            *(f"{costs[0][part]:.0f} / {costs[1][part]:.0f}" for part in costs[0]),
        )
    print()


def large_enough(width: int, height: int) -> Callable[[Label], bool]:
    """Return the test for hands that are not too small in a picture of that size."""

    def is_large(label: Label) -> bool:
        box = label.box
        longer = max((box.right - box.left) * width, (box.bottom - box.top) * height)
        return longer >= SMALL_PX

    return is_large


def in_view(time_s: FloatArray, intervals: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell for each time whether it lies in an interval of the truth."""
    there = np.zeros(len(time_s), bool)
    for one in intervals:
        start_s, stop_s = (one["start_s"], one["end_s"]) if isinstance(one, dict) else one
        there |= (time_s >= start_s) & (time_s < stop_s)
    return there


@contextmanager
def stopwatch() -> Any:
    """Add up the CPU time of the detector and of the tracker while the context is open."""
    spent = {"detector": 0.0, "tracker": 0.0}

    def timed(part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            start = time.thread_time()
            try:
                return call(*args, **options)
            finally:
                spent[part] += time.thread_time() - start

        return run

    module: ModuleType = sys.modules[extractor.__name__]
    detector = extractor.HandDetector
    with (
        mock.patch.object(detector, "__call__", timed("detector", detector.__call__)),
        mock.patch.object(module, "follow", timed("tracker", module.follow)),
        mock.patch.object(module, "reduced", timed("tracker", module.reduced)),
    ):
        yield spent


def added(counts: Iterable[Found]) -> Found:
    total = Found()
    for one in counts:
        total += one
    return total


def rates(found: Found) -> list[str]:
    """Return the figures of a row, from the number of frames on."""
    return [
        str(found.frames),
        percent(ratio(found.fired, found.frames)),
        percent(ratio(found.fired_whole, found.frames_whole)),
        str(found.whole),
        percent(ratio(found.found_whole, found.whole)),
        percent(ratio(found.found, found.hands)),
        percent(ratio(found.found, found.boxes)),
    ]


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.0f} %"


def interval(signal: Signal, channel: str, step: Hands) -> str:
    """Return a sampled coverage with its interval."""
    found = coverage(
        signal.time_s, signal.channel(channel), stretch_s=step.stretch_s, every_s=step.every_s
    )
    return f"{percent(found.share)} ({percent(found.low)} to {percent(found.high)})"


def header(*names: str) -> None:
    row(*names)
    row(*("---" for _ in names))


def row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
