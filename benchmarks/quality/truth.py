"""Ground truth of footage, for benchmarks only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Activity blocks that tile one clip.

    Attributes
    ----------
    activity
        ``(n,)`` names.
    start_s
        ``(n,)`` starts.
    stop_s
        End of the last block.
    """

    activity: npt.NDArray[np.str_]
    start_s: FloatArray
    stop_s: float

    def at(self, time_s: FloatArray) -> npt.NDArray[np.str_]:
        """Return the activity at each time."""
        return self.activity[np.searchsorted(self.start_s, time_s, side="right").clip(1) - 1]


def read_truth(folder: Path) -> dict[str, Blocks]:
    """Read every ``<clip>.json`` that has blocks, by the clip's stem."""
    truth = {}
    for path in sorted(folder.glob("*.json")):
        blocks = json.loads(path.read_text(encoding="utf-8")).get("blocks")
        if blocks:
            truth[path.stem] = Blocks(
                activity=np.array([block["activity"] for block in blocks]),
                start_s=np.array([block["start_s"] for block in blocks], np.float64),
                stop_s=float(blocks[-1]["end_s"]),
            )
    return truth
