"""Print what each signal costs: core-milliseconds per second of video, decoding taken off.

    python -m benchmarks.speed.costs CLIP [CLIP...] [--seconds 60]

Every signal is measured alone, in one process, with decoding on one thread; so the figures of one
run can be compared and added up. What a pose or a hand costs depends on whether one is in view:
name clips of both kinds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import offhand
from offhand.records import Clip
from offhand.signals.base import SignalExtractor
from offhand.stages.measure import frame_requests, signal_chunks
from offhand.stages.prepare import prepare
from offhand.video.decode import FrameReader


def main() -> None:
    """Print a Markdown table, a row a signal and a column a clip."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="length used of each clip")
    parser.add_argument("--set", action="append", default=[], help="section.key=value, as in run")
    arguments = parser.parse_args()
    config = offhand.load_config(overrides=arguments.set)
    plan = prepare(
        config.used_signals,
        config.segmenter,
        config.used_modalities,
        required=config.required_signals,
    )
    clips = [Clip(clip_id=p.stem, path=str(p), to_s=arguments.seconds) for p in arguments.clips]
    print("| signal | " + " | ".join(path.name for path in arguments.clips) + " |")
    print("| --- |" + " --- |" * len(clips))
    bare = [cost(clip, ()) for clip in clips]
    print("| (decoding) | " + " | ".join(f"{one:.0f}" for one in bare) + " |")
    total = [0.0] * len(clips)
    for step in plan.extractors:
        found = [cost(clip, (step,)) - base for clip, base in zip(clips, bare, strict=True)]
        total = [a + b for a, b in zip(total, found, strict=True)]
        print(f"| {step.name} | " + " | ".join(f"{one:.0f}" for one in found) + " |", flush=True)
    print("| all signals | " + " | ".join(f"{one:.0f}" for one in total) + " |")
    hours = [(base + one) / 1e3 * 10_000 for base, one in zip(bare, total, strict=True)]
    print("| core-hours for 10,000 hours | " + " | ".join(f"{one:,.0f}" for one in hours) + " |")
    for name, reason in plan.absent_signals.items():
        print(f"| {name} | " + " | ".join([f"absent: {reason}"] * len(clips)) + " |")


def cost(clip: Clip, extractors: tuple[SignalExtractor, ...]) -> float:
    """Return processor milliseconds per second of video; the models are loaded beforehand."""
    decode(Clip(clip_id="warm", path=clip.path, to_s=1.0), extractors)
    began = time.process_time()
    seconds = decode(clip, extractors)
    return (time.process_time() - began) * 1e3 / seconds


def decode(clip: Clip, extractors: tuple[SignalExtractor, ...]) -> float:
    """Compute signals and drop them; return how many seconds of video there were."""
    reader = FrameReader(clip, frame_requests(extractors), threads=1)
    for _ in signal_chunks(reader, extractors):
        pass
    return reader.info.duration_s


if __name__ == "__main__":
    main()
