"""Stored features of several modalities, and how they see the segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offhand.clustering.space import feature_space
from offhand.records import Features
from offhand.selection import Sight, see
from offhand.stages.groups import Group
from offhand.store import fingerprint, parquet


@dataclass(frozen=True, kw_only=True)
class FeatureFiles:
    """One modality's stored features.

    Attributes
    ----------
    modality, modality_fingerprint
        Which features.
    signals
        What they were made from.
    paths
        Their files, one a clip.
    clip_keys
        What each was made from.
    """

    modality: str
    modality_fingerprint: str
    signals: tuple[str, ...]
    paths: tuple[str, ...]
    clip_keys: tuple[str, ...]

    @property
    def key(self) -> str:
        """The identity of their content."""
        return fingerprint.digest([Path(path).name for path in self.paths] + [*self.clip_keys])

    def read(self) -> list[Features]:
        """Return the table of each clip."""
        return [parquet.read_features(Path(path)) for path in self.paths]


def pooled(tables: Sequence[Features]) -> Features:
    """Join the tables of one modality's clips."""
    return Features(
        modality=tables[0].modality,
        clip_id=np.concatenate([table.clip_id for table in tables]),
        segment_id=np.concatenate([table.segment_id for table in tables]),
        columns=tables[0].columns,
        weights=tables[0].weights,
        values=np.concatenate([table.values for table in tables]),
    )


def clip_ids(features: Sequence[FeatureFiles]) -> npt.NDArray[np.str_]:
    """Return the clip of each segment ``(n,)``; empty without modalities."""
    return pooled(features[0].read()).clip_id if features else np.empty(0, dtype=np.str_)


def read_sight(features: Sequence[FeatureFiles], group: Group | None = None) -> Sight:
    """Return how modalities see the segments of all clips.

    Parameters
    ----------
    features
        Their features.
    group
        What stands above clips, where pairs from different groups are to be compared.
    """
    spaces, clip_id = {}, np.empty(0, dtype=np.str_)
    for files in features:
        table = pooled(files.read())
        clip_id = table.clip_id
        spaces[files.modality] = feature_space(table.values, table.weights)
    sources = {files.modality: files.signals for files in features}
    if group is None:
        return see(spaces, sources, clip_id)
    names = dict(group.of_clip)
    own = np.array([names.get(clip, f"clip {clip}") for clip in clip_id.tolist()], dtype=np.str_)
    return see(spaces, sources, clip_id, own)
