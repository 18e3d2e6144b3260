"""Writes the report: tables -> view model -> HTML files without external parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import loky

from offhand.files import remove_folder, replacing_folder, write_bytes
from offhand.report.pages import MOST_CLIPS, MOST_SEGMENTS, Report
from offhand.report.rendering import render, render_clip
from offhand.report.stored import ReportSource
from offhand.report.view import Page
from offhand.report.view_clusters import FOLDER
from offhand.store.workspace import Workspace

FILE_NAME = "report.html"

WORTH_A_PROCESS = 200
"""Pages from which a second process is started to write half of them."""

IDLE_S = 10.0
"""When a second process ends that nobody waits for any more."""


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
    if not report.clip_of:
        overview = render(report.overview)
        remove_folder(folder)
        write_bytes(path, overview)
        return path
    names = [*report.clip_of]
    with replacing_folder(folder) as pages, _helper(workspace, pages, len(names)) as task:
        overview = render(report.overview)
        n_written = _write_pages(report, pages, names)
        try:
            task.result()
        except BrokenProcessPool:  # it was killed, perhaps for want of memory
            for name in names[n_written:]:
                (pages / name).unlink(missing_ok=True)
            _write_pages(report, pages, names[n_written:])
    write_bytes(path, overview)
    return path


@contextmanager
def _helper(workspace: ReportSource, folder: Path, n_pages: int) -> Iterator[Future[None]]:
    """Have a second process write pages of clips, from the last one on, where there are many.

    Pages are made by Python alone, which keeps one processor busy. The second process reads the
    tables of a stored workspace anew, so it is not worth its start for a few pages.
    """
    is_stored = isinstance(workspace, Workspace)
    if not is_stored or n_pages < WORTH_A_PROCESS or loky.cpu_count() == 1:
        nothing: Future[None] = Future()
        nothing.set_result(None)
        yield nothing
        return
    helper = loky.ProcessPoolExecutor(1, timeout=IDLE_S)
    try:
        yield helper.submit(_write_from_the_end, str(workspace.path), str(folder))
    finally:
        helper.shutdown(kill_workers=True)


def _write_from_the_end(workspace: str, folder: str) -> None:
    report = Report(Workspace(workspace), most_clips=0)
    _write_pages(report, Path(folder), reversed(report.clip_of))


def _write_pages(report: Report, folder: Path, names: Iterable[str]) -> int:
    """Write pages of clips until one is met that another process has begun; return how many."""
    n_written = 0
    for name in names:
        try:
            file = (folder / name).open("xb")
        except FileExistsError:
            break
        with file:
            file.write(render_clip(report.clip_page(report.clip_of[name])))
        n_written += 1
    return n_written


def build_page(source: ReportSource) -> Page:
    """Return the view model of a workspace's overview.

    Parameters
    ----------
    source
        Where the tables and thumbnails are.
    """
    return Report(source).overview
