"""A workspace: the folder that holds everything a run computed."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import filelock
import pandas as pd

from offhand.errors import StoreError
from offhand.files import remove_folder, write_text
from offhand.files.names import Name, is_local, location
from offhand.files.remote import Remote
from offhand.records import Signal
from offhand.store import parquet, signal_files
from offhand.store.by_clip import RowsByClip
from offhand.store.registry import ClipRegistry

MARKER = "offhand.json"
"""File that makes a folder a workspace."""

FORMAT = 1
"""Version of the folder's layout."""


log = logging.getLogger(__name__)


class Workspace:
    """A folder of results; see ``docs/formats.md`` for what is in it.

    Parameters
    ----------
    path
        An existing workspace: a folder, or a URL of one (``s3://``, ``gs://``).

    Raises
    ------
    StoreError
        The folder is no workspace, or one of a newer offhand.
    """

    def __init__(self, path: Name) -> None:
        self.path = location(path)
        marker = self.path / MARKER
        if not _is_file(marker):
            raise StoreError(
                f"{self.path}: not an offhand workspace (no {MARKER}); "
                "make one with: offhand run CLIPS -o FOLDER"
            )
        version = self.manifest().get("format")
        if version != FORMAT:
            raise StoreError(
                f"{self.path}: workspace format {version}, this offhand reads {FORMAT}"
            )
        self._by_clip: dict[str, RowsByClip | None] = {}
        self._pictures = lru_cache(maxsize=64)(self._read_pictures)

    @classmethod
    def create(cls, path: Name) -> Workspace:
        """Open a workspace, making it if the folder is new or empty.

        Raises
        ------
        StoreError
            The folder holds other files, is no folder, or cannot be written.
        """
        folder = location(path)
        if str(folder).startswith("http"):
            raise StoreError(f"{folder}: web servers are read only; name a folder, s3:// or gs://")
        try:
            if not (folder / MARKER).is_file():
                if folder.exists() and not folder.is_dir():
                    raise StoreError(f"{folder}: is a file; the output must be a folder")
                if folder.is_dir() and any(map(_is_foreign, folder.iterdir())):
                    raise StoreError(
                        f"{folder}: holds files that are not offhand's; name a new or empty folder"
                    )
                write_text(folder / MARKER, json.dumps({"format": FORMAT}))
        except OSError as error:
            raise StoreError(f"{folder}: cannot be used ({error.strerror or error})") from error
        if is_local(folder) and not os.access(folder, os.W_OK):
            raise StoreError(f"{folder}: the folder is read-only")
        return cls(folder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other runs out of the workspace.

        In an object store the lock is an object, which a run that was killed leaves behind.

        Raises
        ------
        StoreError
            Another run is at work in it.
        """
        if not is_local(self.path):
            with _object_lock(cast(Remote, self.path / ".lock")):
                yield
            return
        lock = filelock.FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise StoreError(
                f"{self.path}: another run is at work here; wait for it or name another folder"
            ) from error
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror})") from error
        try:
            yield
        finally:
            lock.release()

    def manifest(self) -> dict[str, Any]:
        """Return what the last run noted of itself: ``version``, ``created``, ``config`` (TOML)."""
        marker = self.path / MARKER
        try:
            content = json.loads(marker.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"{marker}: damaged ({error})") from error
        if not isinstance(content, dict):
            raise StoreError(f"{marker}: damaged (not a table of entries)")
        return content

    def note(self, **entries: Any) -> None:
        """Add entries to the manifest."""
        content = {**self.manifest(), **entries, "format": FORMAT}
        write_text(self.path / MARKER, json.dumps(content, indent=1, sort_keys=True))

    def registry(self) -> ClipRegistry:
        """Return the names of the clips."""
        return ClipRegistry(self.path / "store" / "clips.json")

    # where things are

    def record_path(self, kind: str, name: str, fingerprint: str, item: str) -> Path:
        """Return the file of one record, such as a clip's signal or a modality's clusters."""
        return self.path / "store" / kind / f"{name}@{fingerprint}" / f"{item}.parquet"

    def table_path(self, name: str) -> Path:
        """Return the file of a result table."""
        return self.path / "results" / f"{name}.parquet"

    @property
    def report_path(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def pages_path(self) -> Path:
        """Folder of the report's pages for single clips, of runs with many."""
        return self.path / "report"

    # reading results

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        categories: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Return a result table such as ``clips``, ``segments`` or ``labels``.

        Parameters
        ----------
        name
            Of the table.
        columns
            Those to read; ``None`` for all.
        categories
            Columns of texts, few of them different, to be returned as categories: they need less
            memory.

        Raises
        ------
        StoreError
            There is no such table; the message names those there are.
        """
        path = self.table_path(name)
        if not _is_file(path):
            there = ", ".join(self.tables()) or "none: the run has not finished"
            raise StoreError(f"no table {name!r} in {self.path}; there are: {there}")
        return parquet.read_frame(path, columns, categories=categories)[0]

    def tables(self) -> list[str]:
        """Return the names of the result tables."""
        folder = self.path / "results"
        return sorted(
            path.relative_to(folder).with_suffix("").as_posix()
            for path in folder.rglob("*.parquet")
            if not path.name.startswith(".")
        )

    def withdraw_results(self) -> None:
        """Delete report and tables, so that results of two runs never stand side by side."""
        self.report_path.unlink(missing_ok=True)
        for pages in (self.pages_path, *self.path.glob(f".{self.pages_path.name}.*")):
            remove_folder(pages)
        for name in self.tables():
            self.table_path(name).unlink(missing_ok=True)
        for path in (self.path / "results" / "rep_table").glob("*.json"):
            path.unlink(missing_ok=True)

    def modalities(self) -> list[str]:
        """Return the names of the modalities that have features."""
        return [name.split("/", 1)[1] for name in self.tables() if name.startswith("features/")]

    def features(self, modality: str) -> pd.DataFrame:
        """Return a modality's features, a row a segment.

        ``attrs["weights"]`` gives each column's weight in the distance (0: for readers only) and
        ``attrs["notes"]`` what to know of them.
        """
        path = self.table_path(f"features/{modality}")
        if not path.is_file():
            raise StoreError(f"no features of {modality!r}; there are: {self.modalities()}")
        frame, meta = parquet.read_frame(path)
        frame.attrs["weights"], frame.attrs["notes"] = meta["weights"], meta["notes"]
        return frame

    def signal(self, name: str, clip_id: str) -> Signal:
        """Return a clip's signal as the last run used it; StoreError if there is none."""
        fingerprint = self.manifest().get("signals", {}).get(name)
        if fingerprint is None:
            raise StoreError(f"no signal {name!r} in {self.path}")
        return signal_files.read(self.record_path("signals", name, fingerprint, clip_id))

    def of_clip(self, name: str, clip_id: str) -> pd.DataFrame | None:
        """Return a clip's rows of a result table, without holding the others in memory.

        ``None`` where there is no such table; StoreError where it cannot be read.
        """
        if name not in self._by_clip:
            path = self.table_path(name)
            self._by_clip[name] = RowsByClip(path) if _is_file(path) else None
        rows = self._by_clip[name]
        return None if rows is None else rows.of(clip_id)

    def thumbnail(self, clip_id: str, segment_id: int) -> bytes | None:
        """Return a segment's thumbnail as JPEG, ``None`` where there is none."""
        return self._pictures(clip_id).get(segment_id, (None, None))[0]

    def preview(self, clip_id: str, segment_id: int) -> bytes | None:
        """Return a segment's loop as animated WebP, ``None`` where there is none."""
        return self._pictures(clip_id).get(segment_id, (None, None))[1]

    def _read_pictures(self, clip_id: str) -> dict[int, tuple[bytes, bytes | None]]:
        table = self.of_clip("thumbnails", clip_id)
        if table is None:
            return {}
        loops = table["webp"] if "webp" in table else [None] * len(table)
        return {
            int(segment_id): (bytes(jpeg), bytes(loop) if loop is not None else None)
            for segment_id, jpeg, loop in zip(
                table["segment_id"], table["jpeg"], loops, strict=True
            )
        }


def _is_file(path: Path) -> bool:
    """Tell whether a file is there; StoreError if an object store does not answer."""
    try:
        return path.is_file()
    except OSError as error:
        if is_local(path):
            raise
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from error


@contextmanager
def _object_lock(lock: Remote) -> Iterator[None]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    own = f"{socket.gethostname()}, process {os.getpid()}, since {since}"
    try:
        lock.create(own.encode())
    except FileExistsError as error:
        raise StoreError(
            f"{lock.parent}: another run is at work here ({lock.read_text()}); wait for it, name "
            f"another folder, or delete {lock} if that run was killed"
        ) from error
    except OSError as error:
        raise StoreError(f"{lock.parent}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        try:
            lock.unlink()
        except OSError as error:
            log.warning("%s: cannot be deleted (%s); delete it by hand", lock, error)


def _is_foreign(path: Path) -> bool:
    """Tell whether a file in a new folder is not what another run is just writing there."""
    return path.name != MARKER and not path.name.startswith(f".{MARKER}.")
