"""Writes the report: tables -> view model -> HTML files without external parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import loky

from offhand.files import remove_folder, replacing_folder, write_text
from offhand.report.pages import MOST_CLIPS, MOST_SEGMENTS, Report
from offhand.report.rendering import encoded, render, render_clip
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
        write_text(path, overview)
        return path
    with replacing_folder(folder) as pages, _helper(workspace, report, pages) as helped:
        overview = render(report.overview)
        _write_pages(report, pages, report.clip_of)
        helped()
    write_text(path, overview)
    return path


@contextmanager
def _helper(workspace: ReportSource, report: Report, folder: Path) -> Iterator[Callable[[], None]]:
    """Have a second process write pages, from the last one on; give what waits for it.

    Pages are made by Python alone, which uses one processor. The second process reads the tables
    anew, so it is not worth its start for a few pages.
    """
    if len(report.clip_of) < WORTH_A_PROCESS or loky.cpu_count() == 1:
        yield lambda: None
        return
    helper = loky.ProcessPoolExecutor(1, timeout=IDLE_S)
    try:
        task = helper.submit(_write_from_the_end, str(workspace.path), str(folder))
        yield task.result
    finally:
        helper.shutdown(kill_workers=True)


def _write_from_the_end(workspace: str, folder: str) -> None:
    report = Report(Workspace(workspace), most_clips=0)
    _write_pages(report, Path(folder), reversed(report.clip_of))


def _write_pages(report: Report, folder: Path, names: Iterable[str]) -> None:
    """Write pages of clips until one is met that another process has begun."""
    for name in names:
        try:
            file = (folder / name).open("xb")
        except FileExistsError:
            return
        with file:
            file.write(encoded(render_clip(report.clip_page(report.clip_of[name]))))


def build_page(source: ReportSource) -> Page:
    """Return the view model of a workspace's overview.

    Parameters
    ----------
    source
        Where the tables and thumbnails are.
    """
    return Report(source).overview
