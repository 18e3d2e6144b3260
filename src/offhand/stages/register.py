"""Stage 0: find the recordings and give each a name in the workspace."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from offhand.errors import VideoError
from offhand.files.archive import contents
from offhand.files.names import ARCHIVE, in_archive, is_local, is_url, location, plain, suffix
from offhand.files.reading import Seen
from offhand.files.remote import Remote
from offhand.records import Clip
from offhand.stages.clip_lists import SUFFIXES as LISTS
from offhand.stages.clip_lists import dataset_listed, listed
from offhand.store.registry import seen_now
from offhand.store.workspace import MARKER, Workspace
from offhand.video.container import SUFFIXES

logger = logging.getLogger(__name__)

REQUESTS = 16
"""Remote files that are asked after at a time."""


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
) -> list[str]:
    """List video files: those named, those in lists, and those inside folders, in order of name.

    Names are paths or URLs. A tar archive stands for the videos in it, and a folder with Hugging
    Face's ``metadata`` for those that it names. Workspaces and hidden files inside a folder are
    passed over. A file that does not exist is listed too, so that it is reported with the others;
    so is an archive that is damaged, or holds no video.

    Raises
    ------
    VideoError
        There is no file at all, or a list of clips cannot be read.
    OffhandError
        A URL is of an unknown kind, or may hold credentials.
    """
    if isinstance(clips, str | os.PathLike):
        clips = [clips]
    found: dict[str, None] = {}
    empty = []
    for given in clips:
        name = plain(given)
        if not _is_folder(name):
            named = listed(name) if suffix(name) in LISTS else [name]
            found.update(dict.fromkeys(_unpacked(map(plain, named))))
            continue
        inside = sorted(_videos_in(name), key=lambda file: file.split("/"))
        if not inside:
            empty.append(str(given))
        found.update(dict.fromkeys(inside))
    for folder in empty:
        logger.warning("%s: no video in this folder", folder)
    if not found:
        endings = " ".join(sorted((*SUFFIXES, ARCHIVE)))
        where = ", ".join(empty) or "no clip was named"
        raise VideoError(f"no video found ({where}); looked for files ending in {endings}")
    return list(found)


def register(workspace: Workspace, files: Sequence[str], selection: Selection) -> list[Clip]:
    """Name the files in a workspace and return them as clips; what is new gets a name for ever."""
    registry = workspace.registry()
    clips = []
    for file, seen in zip(files, _seen(files), strict=True):
        entry = registry.register(file, seen)
        clips.append(
            Clip(
                clip_id=entry.clip_id,
                path=file,
                from_s=selection.from_s,
                to_s=selection.to_s,
                mask_path=plain(selection.mask) if selection.mask else None,
                source=entry.sha256,
            )
        )
    registry.save()
    return clips


def _seen(files: Sequence[str]) -> list[Seen]:
    """Return what is told of files; of remote ones many are asked after at a time."""
    remote = [file for file in files if is_url(file) and not in_archive(file)]
    with ThreadPoolExecutor(REQUESTS) as pool:
        told = dict(zip(remote, pool.map(seen_now, remote), strict=True))
    return [told.get(file) or seen_now(file) for file in files]


def _is_folder(name: str) -> bool:
    """Tell whether a name is a folder; one that cannot be looked at is reported as a clip."""
    if in_archive(name):
        return False
    try:
        return location(name).is_dir()
    except OSError:
        return False


def _unpacked(names: Iterable[str]) -> Iterator[str]:
    """Yield names, and those of the videos inside in place of an archive."""
    for name in names:
        if suffix(name) != ARCHIVE or in_archive(name):
            yield name
            continue
        try:
            there = contents(name)
        except OSError:
            yield name  # reported as a clip
            continue
        videos = [f"{name}::{member}" for member in there.members if _is_video(member)]
        yield from videos
        if there.damage or not videos:
            yield name


def _is_video(name: str) -> bool:
    return suffix(name) in SUFFIXES and not PurePosixPath(name).name.startswith(".")


def _videos_in(folder: str) -> Iterable[str]:
    for here, folders, names in _walk(folder):
        if MARKER in names:
            folders.clear()
            continue
        dataset = dataset_listed(here, names)
        if dataset is not None:
            folders.clear()
            yield from _unpacked(map(plain, dataset))
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if _is_video(name) or (suffix(name) == ARCHIVE and not name.startswith(".")):
                yield from _unpacked([f"{here}/{name}"])


def _walk(folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
    path = location(folder)
    if is_local(path):
        yield from os.walk(path, followlinks=False)
        return
    for here, folders, names in cast(Remote, path).walk():
        yield str(here), folders, names
