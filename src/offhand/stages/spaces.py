"""Stored features of several modalities, and how they see the segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from offhand import selection
from offhand.clustering.alignment import Alignment, align
from offhand.clustering.space import SPACE_VERSION, Space, feature_space
from offhand.files.names import location
from offhand.records import BoolArray, Features, FloatArray, IntArray
from offhand.selection.sight import Sight, see
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
        return fingerprint.digest([location(path).name for path in self.paths] + [*self.clip_keys])

    @property
    def space_path(self) -> Path:
        """The file of their coordinates, where a stage stored them."""
        print_ = fingerprint.digest([self.modality_fingerprint, f"space {SPACE_VERSION}"])
        store = location(self.paths[0]).parent.parent.parent
        return store / "spaces" / f"{self.modality}@{print_}" / "space.parquet"

    def read(self) -> list[Features]:
        """Return the table of each clip."""
        return [parquet.read_features(location(path)) for path in self.paths]

    def space(self) -> Described:
        """Return the coordinates of all clips, from the stored ones if they are these."""
        if parquet.has_key(self.space_path, self.key):
            return _read_space(self.space_path)
        table = pooled(self.read())
        space, described = feature_space(table.values, table.weights)
        return Described(
            clip_id=table.clip_id, segment_id=table.segment_id, space=space, described=described
        )


@dataclass(frozen=True, kw_only=True)
class Described:
    """One modality's coordinates.

    Attributes
    ----------
    clip_id, segment_id
        ``(n,)``: the segments.
    space, described
        ``(described rows, d)`` and ``(n,)``.
    """

    clip_id: npt.NDArray[np.str_]
    segment_id: IntArray
    space: FloatArray
    described: BoolArray


def store_space(files: FeatureFiles, report: Callable[[float], None]) -> None:
    """Store the coordinates of one modality: every later stage reads them, and no features."""
    if parquet.has_key(files.space_path, files.key):
        return
    found = files.space()
    report(0.9)
    full = np.full((len(found.described), found.space.shape[1]), np.nan)
    full[found.described] = found.space
    columns = {"clip_id": found.clip_id, "segment_id": found.segment_id}
    frame = pd.DataFrame(columns | {"described": found.described})
    axes = pd.DataFrame(full, columns=[f"axis_{number}" for number in range(full.shape[1])])
    parquet.write_frame(files.space_path, pd.concat([frame, axes], axis=1), key=files.key)


def _read_space(path: Path) -> Described:
    frame = parquet.read_frame(path)[0]
    described = frame["described"].to_numpy(bool)
    axes = frame.filter(regex="^axis_").to_numpy(np.float64)
    return Described(
        clip_id=frame["clip_id"].to_numpy(np.str_),
        segment_id=frame["segment_id"].to_numpy(np.int64),
        space=np.asfortranarray(axes[described]),  # as it was computed: sums keep their last digit
        described=described,
    )


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


@dataclass(frozen=True, kw_only=True)
class SightFiles:
    """The features of all modalities, and how their clips are aligned.

    Attributes
    ----------
    features
        Of each modality.
    alignments
        File of the alignments (see :mod:`offhand.stages.align`); empty for none.
    """

    features: tuple[FeatureFiles, ...]
    alignments: str = ""

    @property
    def key(self) -> str:
        """The identity of the features' content."""
        return fingerprint.digest([files.key for files in self.features])

    @property
    def upstream(self) -> tuple[str, ...]:
        """What it is made from: fingerprints of the steps before."""
        steps = tuple(files.modality_fingerprint for files in self.features)
        versions = f"space {SPACE_VERSION}", f"selection {selection.VERSION}"
        aligned = (location(self.alignments).parent.name,) if self.alignments else ()
        return (*steps, *versions, *aligned)

    def segments(self) -> Described:
        """Return the coordinates of one modality, for the segments they are about."""
        return self.features[0].space()

    def spaces(self) -> dict[str, Space]:
        """Return each modality's coordinates of all segments, aligned."""
        alignments = read_alignments(location(self.alignments)) if self.alignments else {}
        found = {}
        for files in self.features:
            one = files.space()
            clip = np.unique(one.clip_id, return_inverse=True)[1].astype(np.int64)
            how = alignments.get(files.modality, "none")
            found[files.modality] = align(one.space, clip[one.described], how), one.described
        return found

    def read(self, group: Group | None = None) -> Sight:
        """Return how modalities see the segments of all clips.

        Parameters
        ----------
        group
            What stands above clips, where pairs from different groups are to be compared.
        """
        spaces, clip_id = self.spaces(), self.segments().clip_id
        sources = {files.modality: files.signals for files in self.features}
        if group is None:
            return see(spaces, sources, clip_id)
        names = dict(group.of_clip)
        own = [names.get(clip, f"clip {clip}") for clip in clip_id.tolist()]
        return see(spaces, sources, clip_id, np.array(own, dtype=np.str_))


def read_alignments(path: Path) -> dict[str, Alignment]:
    """Return the remedy for fingerprints that each modality gets."""
    table = parquet.read_frame(path)[0]
    chosen = table[table["is_chosen"]]
    pairs = zip(chosen["modality"].astype(str), chosen["alignment"].astype(str), strict=True)
    return {modality: cast(Alignment, how) for modality, how in pairs}
