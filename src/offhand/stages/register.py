"""Stage 0: find the recordings and give each a name in the workspace."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offhand.errors import VideoError
from offhand.records import Clip
from offhand.stages.clip_lists import SUFFIXES as LISTS
from offhand.stages.clip_lists import listed
from offhand.store.workspace import MARKER, Workspace
from offhand.video.container import SUFFIXES

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which part of each recording to use.

    Attributes
    ----------
    from_s, to_s
        Range in seconds of each recording's own time; ``None`` for its end.
    mask
        Image whose black pixels are left out, ``None`` for none.
    """

    from_s: float = 0.0
    to_s: float | None = None
    mask: str | None = None


def find_clips(
    clips: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> list[Path]:
    """List video files: those named, those in lists, and those inside folders, in order of name.

    Workspaces and hidden files inside a folder are passed over. A file that does not exist is
    listed too, so that it is reported with the others.

    Raises
    ------
    VideoError
        There is no file at all, or a list of clips cannot be read.
    """
    if isinstance(clips, str | os.PathLike):
        clips = [clips]
    found: dict[Path, None] = {}
    empty = []
    for given in clips:
        path = Path(given)
        if not _is_folder(path):
            named = listed(path) if path.suffix.lower() in LISTS else [path]
            found.update(dict.fromkeys(_plain(file) for file in named))
            continue
        inside = sorted(_videos_in(path))
        if not inside:
            empty.append(str(path))
        found.update(dict.fromkeys(_plain(file) for file in inside))
    for folder in empty:
        logger.warning("%s: no video in this folder", folder)
    if not found:
        endings = " ".join(sorted(SUFFIXES))
        where = ", ".join(empty) or "no clip was named"
        raise VideoError(f"no video found ({where}); looked for files ending in {endings}")
    return list(found)


def register(workspace: Workspace, files: Sequence[Path], selection: Selection) -> list[Clip]:
    """Name the files in a workspace and return them as clips; what is new gets a name for ever."""
    registry = workspace.registry()
    clips = []
    for file in files:
        entry = registry.register(file)
        clips.append(
            Clip(
                clip_id=entry.clip_id,
                path=str(file),
                from_s=selection.from_s,
                to_s=selection.to_s,
                mask_path=str(_plain(Path(selection.mask))) if selection.mask else None,
                source=entry.sha256,
            )
        )
    registry.save()
    return clips


def _is_folder(path: Path) -> bool:
    """Tell whether a path is a folder; one that cannot be looked at is reported as a clip."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _plain(path: Path) -> Path:
    """Return an absolute path without ``..``, so that a file has one name; links stay links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow links)


def _videos_in(folder: Path) -> Iterable[Path]:
    for where, folders, names in os.walk(folder, followlinks=False):
        here = Path(where)
        if (here / MARKER).is_file():
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield here / name
