"""A finished workspace on disk, from made-up tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from offhand.records import Features
from offhand.stages.results import JOINED, stacked
from offhand.store import parquet
from offhand.store.workspace import Workspace
from tests.unit.report.workspaces import FakeWorkspace, make_workspace


def save(
    folder: Path, names: Sequence[str], *, videos: Path | None = None, n_segments: int = 12
) -> Path:
    """Write the tables of a made-up run; its clips are the files of a folder, if one is given."""
    return save_made(make_workspace(folder, [*names], n_segments=n_segments), videos=videos)


def save_made(made: FakeWorkspace, *, videos: Path | None = None) -> Path:
    """Write the tables of a made-up run that is in memory."""
    workspace = Workspace.create(made.path)
    workspace.note(version="0", created="2025-03-01T10:00:00", config="")
    for name, table in made.tables.items():
        if name == "clips" and videos is not None:
            table = table.assign(path=[str(videos / f"{clip}.mp4") for clip in table["clip_id"]])
        if name == "labels":
            table = table.assign(is_default=table["is_default"].astype(bool))
        parquet.write_frame(workspace.table_path(name), table)
    if "repetitions" not in made.tables:
        nothing = stacked([], JOINED["repetitions"])
        parquet.write_frame(workspace.table_path("repetitions"), nothing)
    for modality in made.modalities():
        table = made.features(modality)
        columns = tuple(c for c in table if c not in ("clip_id", "segment_id"))
        features = Features(
            modality=modality,
            clip_id=table["clip_id"].to_numpy(str),
            segment_id=table["segment_id"].to_numpy(int),
            columns=columns,
            weights=np.array([table.attrs["weights"][c] for c in columns], dtype=np.float64),
            values=table[[*columns]].to_numpy(float),
        )
        parquet.write_features(workspace.table_path(f"features/{modality}"), features)
    return Path(made.path)
