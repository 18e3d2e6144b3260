"""Stage 3: decide how much each modality counts in late fusion."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from offhand.clustering.fusion import LateFusion
from offhand.errors import ConfigError
from offhand.selection.sight import ModalityWeight, fusion_weights
from offhand.stages.spaces import SightFiles
from offhand.store import fingerprint, parquet
from offhand.store.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class FuseTask:
    """The modalities to fuse.

    Attributes
    ----------
    workspace
        Folder of the workspace.
    described
        Their features.
    fusion
        The configured fusion.
    """

    workspace: str
    described: SightFiles
    fusion: LateFusion


def weights_path(task: FuseTask) -> Path:
    """Return the file of the weights."""
    print_ = fingerprint.of_step(task.fusion, after=task.described.upstream)
    return Workspace(task.workspace).record_path("fusion", task.fusion.name, print_, "weights")


def fuse(task: FuseTask, report: Callable[[float], None]) -> None:
    """Choose weights from the segments of all clips, and store them.

    The table has the columns ``modality`` and those of :class:`offhand.selection.ModalityWeight`.
    """
    path, key = weights_path(task), task.described.key
    if parquet.has_key(path, key):
        return
    found = fusion_weights(task.described.read())
    report(1.0)
    given = task.fusion.given
    if given:
        found = _fixed(found, given)
    rows = [{"modality": name} | dataclasses.asdict(weight) for name, weight in found.items()]
    parquet.write_frame(path, pd.DataFrame(rows), key=key)


def _fixed(found: dict[str, ModalityWeight], given: dict[str, float]) -> dict[str, ModalityWeight]:
    """Replace chosen weights by given ones; raises ConfigError."""
    unknown = sorted(set(given) - set(found))
    total = sum(given.get(name, 0.0) for name in found)
    if unknown or total <= 0:
        raise ConfigError(
            f"fusion.late_fusion.weights names {', '.join(unknown) or 'no modality in use'}; "
            f"in use: {', '.join(found)}"
        )
    return {
        name: dataclasses.replace(one, weight=given.get(name, 0.0) / total)
        for name, one in found.items()
    }
