"""Writes the report: tables -> view model -> HTML files without external parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from offhand.files import remove_folder, replacing_folder, write_text
from offhand.report.pages import MOST_CLIPS, MOST_SEGMENTS, Report
from offhand.report.rendering import encoded, render, render_clip
from offhand.report.stored import ReportSource
from offhand.report.view import Page
from offhand.report.view_clusters import FOLDER

FILE_NAME = "report.html"


def write_report(
    workspace: ReportSource, *, most_clips: int = MOST_CLIPS, most_segments: int = MOST_SEGMENTS
) -> Path:
    """Write ``report.html`` into a workspace and return its path.

    The page holds everything it shows: it opens from a disk, without a server or a network. Of a
    run with many clips each has a page of its own, in the folder ``report`` beside it.

    Parameters
    ----------
    workspace
        Where the tables and thumbnails are; only the table ``clips`` is required.
    most_clips, most_segments
        Up to how many clips, and segments of all of them, everything is one page.

    Returns
    -------
    Path
        The file; one from before is replaced in one step, and so is the folder of clips' pages.

    Raises
    ------
    StoreError
        If the workspace has no table ``clips``, or tables of another version.
    """
    report = Report(workspace, most_clips=most_clips, most_segments=most_segments)
    path, folder = workspace.path / FILE_NAME, workspace.path / FOLDER
    overview = render(report.overview)
    if not report.clip_of:
        remove_folder(folder)
        write_text(path, overview)
        return path
    with replacing_folder(folder) as pages:
        # Reading, decoding and writing run beside Python; a thread keeps to one half of the tables.
        entries = [*report.clip_of.items()]
        halves = [entries[: len(entries) // 2], entries[len(entries) // 2 :]]
        with ThreadPoolExecutor(len(halves)) as pool:
            deque(pool.map(partial(_write_pages, report, pages), halves), maxlen=0)
    write_text(path, overview)
    return path


def _write_pages(report: Report, folder: Path, entries: Sequence[tuple[str, str]]) -> None:
    for name, clip_id in entries:
        (folder / name).write_bytes(encoded(render_clip(report.clip_page(clip_id))))


def build_page(source: ReportSource) -> Page:
    """Return the view model of a workspace's overview.

    Parameters
    ----------
    source
        Where the tables and thumbnails are.
    """
    return Report(source).overview
