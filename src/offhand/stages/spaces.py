"""Stored features of several modalities, and how they see the segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offhand.clustering.space import feature_space
from offhand.records import Features
from offhand.selection import Sight, see
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


def read_sight(features: Sequence[FeatureFiles]) -> Sight:
    """Return how modalities see the segments of all clips."""
    spaces, clip_id = {}, np.empty(0, dtype=np.str_)
    for files in features:
        table = pooled(files.read())
        clip_id = table.clip_id
        spaces[files.modality] = feature_space(table.values, table.weights)
    return see(spaces, {files.modality: files.signals for files in features}, clip_id)
