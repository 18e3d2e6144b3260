"""What the viewer knows of a workspace, and how edits get into it."""

from __future__ import annotations

import logging
import math
import threading
from pathlib import Path
from typing import Any

from offhand.annotations.corrected import Conflict, in_words
from offhand.annotations.edits import Log, Name, parse_edit, read_log, update_log
from offhand.errors import OffhandError, StoreError
from offhand.files.names import in_archive, is_local, is_url
from offhand.files.reading import is_there
from offhand.report.clusters import cluster_list, rows_of
from offhand.report.page import write_report
from offhand.report.pages import Report
from offhand.report.ranking import clusterings
from offhand.report.rendering import render, render_clip
from offhand.report.tables import FUSED, Tables
from offhand.stages.activities import corrected_results, write_activities
from offhand.store import fingerprint
from offhand.store.workspace import Workspace

REPORT_DELAY_S = 2.0
"""After an edit, the report on disk is written anew once nothing has changed for so long."""

BROWSER_TYPES = {
    "h264": 'video/mp4; codecs="avc1.640028"',
    "hevc": 'video/mp4; codecs="hvc1.1.6.L120.B0"',
    "vp8": 'video/webm; codecs="vp8"',
    "vp9": 'video/webm; codecs="vp9"',
    "av1": 'video/webm; codecs="av01.0.08M.08"',
}
"""What a browser is asked whether it can play; codecs that none can are not here."""

PLAYABLE_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".webm", ".mkv"))

log = logging.getLogger(__name__)


class Rejected(OffhandError):
    """An edit that does not fit the results; it was not saved."""


class Session:
    """A workspace while people look at it and correct it.

    Parameters
    ----------
    out
        Folder of the workspace.

    Raises
    ------
    StoreError
        It is no finished workspace, not on this machine, or its annotations are damaged.
    """

    def __init__(self, out: str | Path) -> None:
        self.workspace = Workspace(out)
        if not is_local(self.workspace.path):
            raise StoreError(
                f"{out}: a workspace in an object store cannot be edited; copy it to this machine"
            )
        self.folder = self.workspace.path.resolve()
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._writing = threading.Lock()
        self._made: tuple[tuple[float, ...], Report] | None = None
        self._page: bytes | None = None
        self._found: tuple[dict[str, Any], list[dict[str, Any]]] | None = None
        self.tables()

    def tables(self) -> Tables:
        """Return the tables as they are now, corrected."""
        return self._report().tables

    def page(self) -> bytes:
        """Return the overview for the viewer; made anew when results or annotations changed."""
        with self._lock:
            report = self._report()
            if self._page is None:
                self._page = render(report.overview, served=True)
            return self._page

    def clip_page(self, name: str) -> bytes | None:
        """Return the page of a clip by the name of its file, ``None`` for any other name."""
        with self._lock:
            report = self._report()
            if name not in report.clip_of:
                return None
            return render_clip(report.clip_page(report.clip_of[name]), served=True)

    def _report(self) -> Report:
        """Return the report of the results and annotations as they are now."""
        with self._lock:
            stamp = self._stamp()
            if self._made is None or self._made[0] != stamp:
                self._page = self._found = None
                self._made = stamp, Report(Workspace(self.folder))
            return self._made[1]

    def clip_path(self, clip_id: str) -> str | None:
        """Return the file of a clip of this workspace, ``None`` for any other name."""
        clips = self.workspace.table("clips")
        own = clips.loc[clips["clip_id"].astype(str) == clip_id, "path"]
        path = str(own.iloc[0]) if len(own) else None
        return path if path and _may_be_there(path) else None

    def state(self) -> dict[str, Any]:
        """Return all that the viewer's script needs, as plain data for JSON."""
        stored = self.workspace.table("clips")
        paths = dict(zip(stored["clip_id"].astype(str), stored["path"].astype(str), strict=True))
        with self._lock:
            tables = self.tables()
            if self._found is None:  # the same for every page until something is edited
                self._found = _clips(tables), _modalities(tables)
            clips, modalities = self._found
        codecs = dict(zip(tables.clips["clip_id"], tables.clips["codec"].astype(str), strict=True))
        current = read_log(self.folder)
        return {
            "clips": {
                clip_id: _video(paths[clip_id], codecs[clip_id]) | own
                for clip_id, own in clips.items()
            },
            "modalities": modalities,
            "undo": in_words(current.edits[-1]) if current.edits else "",
            "redo": in_words(current.undone[-1]) if current.undone else "",
            "conflicts": [conflict.text for conflict in tables.corrections.conflicts],
            "stamp": _stamp_of(current),
        }

    def edit(self, content: object, *, stamp: str | None = None) -> dict[str, Any]:
        """Save an edit, and return the new state.

        Parameters
        ----------
        content
            The edit.
        stamp
            Of the state that the person saw; ``None`` not to ask.

        Raises
        ------
        Rejected
            It is no edit, or it does not fit the results; nothing was saved.
        StoreError
            It cannot be saved.
        """
        try:
            edit = parse_edit(content)
            with self._lock:
                edit = self.tables().corrections.anchored(edit)
                update_log(
                    self.folder, lambda current: self._tried(_seen(current, stamp).added(edit))
                )
        except ValueError as error:
            raise Rejected(str(error)) from error
        return self._changed()

    def undo(self, *, stamp: str | None = None) -> dict[str, Any]:
        """Take the last edit back, and return the new state; Rejected as for :meth:`edit`."""
        with self._lock:
            update_log(self.folder, lambda current: _seen(current, stamp).undo())
        return self._changed()

    def redo(self, *, stamp: str | None = None) -> dict[str, Any]:
        """Make the edit undone last again, and return the new state; Rejected as before."""
        with self._lock:
            update_log(self.folder, lambda current: _seen(current, stamp).redo())
        return self._changed()

    def close(self) -> None:
        """Write the report if edits are not in it yet."""
        with self._lock:
            waits = self._timer is not None and self._timer.is_alive()
            if self._timer:
                self._timer.cancel()
        if waits:
            self._write()

    def _tried(self, changed: Log) -> Log:
        """Return a log whose last edit can be applied; ValueError says why it cannot."""
        last, found = len(changed.edits) - 1, corrected_results(self.workspace, changed)
        own: list[Conflict] = [one for one in found.conflicts if one.edit == last]
        if own and not isinstance(changed.edits[last], Name):
            raise ValueError(own[0].text)
        return changed

    def _changed(self) -> dict[str, Any]:
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._timer = threading.Timer(REPORT_DELAY_S, self._write)
            self._timer.daemon = True
            self._timer.start()
        return self.state()

    def _write(self) -> None:
        with self._writing:  # people go on meanwhile: with a page a clip it takes its time
            try:
                write_activities(Workspace(self.folder))
                write_report(Workspace(self.folder))
            except (OffhandError, OSError) as error:
                log.warning("the report could not be written: %s", error)

    def _stamp(self) -> tuple[float, ...]:
        names = ("offhand.json", "annotations.json")
        paths = (self.folder / name for name in names)
        return tuple(path.stat().st_mtime_ns if path.exists() else 0.0 for path in paths)


def _stamp_of(current: Log) -> str:
    """Return what identifies a log."""
    parts = (
        [edit.model_dump(mode="json") for edit in own] for own in (current.edits, current.undone)
    )
    return fingerprint.digest([*parts])


def _seen(current: Log, stamp: str | None) -> Log:
    """Return the log if it is the one that the person saw; Rejected if others changed it."""
    if stamp is not None and stamp != _stamp_of(current):
        raise Rejected("it was edited elsewhere meanwhile; that is shown now: look, and try again")
    return current


def _video(path: str, codec: str) -> dict[str, Any]:
    """Return whether a clip's file is where it was, and how a browser calls what is in it."""
    playable = Path(path).suffix.lower() in PLAYABLE_SUFFIXES and is_plain_file(path)
    return {"there": _may_be_there(path), "type": BROWSER_TYPES.get(codec, "") if playable else ""}


def _clips(tables: Tables) -> dict[str, Any]:
    segments = {str(clip_id): rows for clip_id, rows in tables.segments.groupby("clip_id")}
    bouts = {str(clip_id): rows for clip_id, rows in tables.repetitions.groupby("clip_id")}
    found = {}
    for row in rows_of(tables.clips):
        if row["status"] == "failed":
            continue
        clip_id = row["clip_id"]
        own, counted = segments.get(clip_id), bouts.get(clip_id)
        found[clip_id] = {
            "rate": _number(row["frame_rate"]) or 30.0,
            "duration": _number(row["duration_s"]) or 0.0,
            "segments": []
            if own is None
            else own[["segment_id", "start_s", "stop_s"]].to_numpy().tolist(),
            "bouts": [] if counted is None else [_bout(bout) for bout in rows_of(counted)],
        }
    return found


def is_plain_file(path: str) -> bool:
    """Tell whether a clip is a file that a browser can be sent as it is."""
    return not is_url(path) and in_archive(path) is None and Path(path).is_file()


def _may_be_there(path: str) -> bool:
    """Tell whether a clip is there; of one elsewhere it turns out when a copy is made."""
    return is_plain_file(path) or is_url(path) or (in_archive(path) is not None and is_there(path))


def _bout(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "start": row["start_s"],
        "stop": row["stop_s"],
        "count": int(row["count"]) if row["accepted"] else None,
        "reason": str(row["reason"]),
        "byHand": bool(row["by_hand"]),
        "times": [float(time_s) for time_s in row["rep_times_s"]],
    }


def _modalities(tables: Tables) -> list[dict[str, Any]]:
    """Return the pooled default clustering of each modality, the fusion first."""
    said = tables.corrections
    leads = [(m, c) for m, c, is_default in clusterings(tables) if is_default]
    found = []
    for modality, clusterer in sorted(leads, key=lambda pair: pair[0] != FUSED):
        labels = tables.pooled(modality, clusterer)
        shown = tables.exemplars[
            (tables.exemplars["scope"] == "pooled")
            & (tables.exemplars["modality"] == modality)
            & (tables.exemplars["clusterer"] == clusterer)
        ]
        clusters = []
        for cluster in sorted(cluster_list(labels, {}, total_s=1.0), key=lambda c: c.label):
            key, own = (modality, clusterer, cluster.label), shown[shown["label"] == cluster.label]
            clusters.append(
                {
                    "label": cluster.label,
                    "name": cluster.name,
                    "called": said.names.get(key, ""),
                    "status": said.statuses.get(key, ""),
                    "colour": cluster.colour % 24,
                    "exemplars": own[["clip_id", "segment_id"]].to_numpy().tolist(),
                }
            )
        found.append(
            {
                "modality": modality,
                "clusterer": clusterer,
                "clusters": clusters,
                "labels": {
                    str(clip_id): dict(
                        zip(rows["segment_id"].tolist(), rows["label"].tolist(), strict=True)
                    )
                    for clip_id, rows in labels.groupby("clip_id")
                },
            }
        )
    return found


def _number(value: Any) -> float | None:
    number = float(value) if value is not None else math.nan
    return number if math.isfinite(number) else None


def open_session(out: str) -> Session:
    """Return a session on a finished workspace.

    Raises
    ------
    StoreError
        There are no results in it.
    """
    session = Session(out)
    if "segments" not in session.workspace.tables():
        raise StoreError(f"{out}: the run has not finished; run it again with the same arguments")
    return session
