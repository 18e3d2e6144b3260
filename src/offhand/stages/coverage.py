"""In how many frames hands and bodies were seen, from the stored signals of a clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offhand.evaluation.coverage import coverage
from offhand.records import Clip
from offhand.signals.base import SignalExtractor
from offhand.stages.measure import signal_path
from offhand.store import signal_files
from offhand.store.workspace import Workspace

HANDS = {"hand_coverage_detector": "detector_fired", "hand_coverage_tracker": "tracked"}
"""Columns of the table ``clips`` and the channels of ``hands`` that they are shares of."""

COVERAGES = (
    *(f"{name}{end}" for name in HANDS for end in ("", "_low", "_high")),
    "pose_coverage",
)
"""All columns of the table ``clips`` that are shares of frames."""


def coverages(
    workspace: Workspace, extractors: Sequence[SignalExtractor], clip: Clip
) -> dict[str, float]:
    """Return a clip's shares of frames with a hand or a body, NaN where nothing was measured."""
    found = dict.fromkeys(COVERAGES, float("nan"))
    for extractor in extractors:
        path = signal_path(workspace, extractor, clip)
        if extractor.name == "hands":
            hands, sampling = signal_files.read(path, tuple(HANDS.values())), extractor.request
            for name, channel in HANDS.items():
                one = coverage(
                    hands.time_s,
                    hands.channel(channel),
                    stretch_s=sampling.stretch_s,
                    every_s=sampling.every_s,
                )
                found |= {name: one.share, f"{name}_low": one.low, f"{name}_high": one.high}
        if extractor.name == "pose":
            pose = signal_files.read(path, ("score",))
            found["pose_coverage"] = float(np.mean(~np.isnan(pose.channel("score"))))
    return found
