"""Print the peak memory of one worker process in each stage of a run, in MB of 1,000,000 bytes.

    python -m benchmarks.speed.memory CLIP... [--set section.key=value]

The figures are those of `offhand.stages.needs`. Every stage gets a worker of its own, which takes
its tasks one after the other; the peak is that of resident memory (VmHWM), libraries included.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import offhand
from offhand import pipeline
from offhand.records import ONE_PROCESSOR, Needs
from offhand.runners.base import Outcome
from offhand.runners.local import LocalRunner


class PeakRunner(LocalRunner):
    """Tasks one at a time, in a new process for each stage; keeps the peak of each function."""

    peaks_mb: ClassVar[dict[str, float]] = {}

    def __init__(self, jobs: int) -> None:
        del jobs
        super().__init__(1)

    def run(
        self,
        function: Callable[[Any, Any], Any],
        tasks: Sequence[Any],
        *,
        needs: Needs = ONE_PROCESSOR,
        on_progress: Callable[[float], None] | None = None,
    ) -> Iterator[Outcome[Any]]:
        """Run the tasks, then ask their process for its peak."""
        yield from super().run(function, tasks, needs=needs, on_progress=on_progress)
        if tasks:
            (peak,) = super().run(_peak_mb, [None])
            self.peaks_mb[function.__name__] = peak.result or 0.0
        self.release()


def _peak_mb(task: None, report: Any) -> float:
    """Return the largest resident memory that this process had."""
    del task, report
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def main() -> None:
    """Run everything once, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--set", action="append", default=[], help="section.key=value, as in run")
    arguments = parser.parse_args()
    pipeline.LocalRunner = PeakRunner  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="offhand-bench-") as folder:
        config = offhand.load_config(overrides=arguments.set)
        workspace = offhand.run(arguments.clips, Path(folder) / "out", config=config)
        print(f"{len(workspace.table('segments'))} segments")
    print("| stage's function | peak, MB |")
    print("| --- | --- |")
    for name, peak in PeakRunner.peaks_mb.items():
        print(f"| {name} | {peak:.0f} |")


if __name__ == "__main__":
    main()
