"""Writes the report: tables -> view model -> one HTML file without external parts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
import numpy as np

from offhand.files import write_text
from offhand.report import wording
from offhand.report.activities import activities_view
from offhand.report.coverage import coverage_view
from offhand.report.drilldown import clip_panels, time_axes
from offhand.report.evidence import evidence_view
from offhand.report.ranking import modality_views, quality_matrix
from offhand.report.repetitions import bout_rows, repetitions_view
from offhand.report.steps import absent_steps, computed_steps, notes_of
from offhand.report.tables import ReportSource, Tables, read_tables
from offhand.report.takeaways import take_aways
from offhand.report.thumbnails import Thumbnails, most_bytes
from offhand.report.view import Page, Summary
from offhand.report.view_clusters import ClipName, Image

FILE_NAME = "report.html"
PREVIEWS = "@previews@"
"""Where the loops go, in the template."""
FILTERS = (
    wording.clock,
    wording.commands,
    wording.count,
    wording.duration,
    wording.number,
    wording.p_value,
    wording.percent,
    wording.plain,
    wording.score,
    wording.span,
)


def write_report(workspace: ReportSource) -> Path:
    """Write ``report.html`` into a workspace and return its path.

    The page holds everything it shows: it opens from a disk, without a server or a network.

    Parameters
    ----------
    workspace
        Where the tables and thumbnails are; only the table ``clips`` is required.

    Returns
    -------
    Path
        The file; one from before is replaced in one step.

    Raises
    ------
    StoreError
        If the workspace has no table ``clips``, or tables of another version.
    """
    path = workspace.path / FILE_NAME
    write_text(path, render(build_page(workspace)))
    return path


def build_page(source: ReportSource) -> Page:
    """Return the view model of a workspace.

    Parameters
    ----------
    source
        Where the tables and thumbnails are.
    """
    tables = read_tables(source)
    names = {
        clip_id: ClipName(clip_id=clip_id, anchor=f"clip-{place}")
        for place, clip_id in enumerate(tables.clips["clip_id"].tolist(), start=1)
    }
    failed = set(tables.clips.loc[tables.clips["status"] == "failed", "clip_id"])
    analysed = {clip_id: name for clip_id, name in names.items() if clip_id not in failed}
    thumbnails = Thumbnails(source, n_clips=len(analysed))
    modalities = modality_views(tables, analysed, thumbnails)
    evidence = evidence_view(tables)
    axes = time_axes(tables)
    bouts = bout_rows(tables, names, axes)
    summary = _summary(tables, axes)
    coverage = coverage_view(tables, names)
    steps = computed_steps(tables, modalities)
    return Page(
        workspace=source.path.resolve().name,
        version=str(tables.manifest.get("version", "")),
        created=str(tables.manifest.get("created", "")),
        config=str(tables.manifest.get("config", "")),
        summary=summary,
        activities=activities_view(tables, analysed, modalities),
        take_aways=take_aways(tables, summary, coverage, steps, modalities, evidence),
        evidence=evidence,
        repetitions=repetitions_view(tables, bouts),
        coverage=coverage,
        steps=steps,
        absent=absent_steps(tables),
        notes=notes_of(tables)[0],
        modalities=modalities,
        matrix=quality_matrix(tables, analysed, modalities, leading=True),
        other_matrix=quality_matrix(tables, analysed, modalities, leading=False),
        clips=clip_panels(tables, names, modalities, axes, bouts),
        images=thumbnails.images(),
        n_images_left_out=thumbnails.n_left_out,
        previews=thumbnails.previews(),
        most_bytes=most_bytes(len(names)),
        image_ratio=_image_ratio(tables),
    )


def render(page: Page, *, served: bool = False) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    page
        The view model; every name in it is escaped here. Loops that do not fit are left out.
    served
        Whether it is for the viewer, which brings a script of its own and its policy as a header.
    """
    html = (
        _environment()
        .get_template("template.html.j2")
        .render(
            page=page,
            style=_part("style.css"),
            script=_part("script.js"),
            script_hash=script_hash(),
            served=served,
        )
    )
    before, _, after = html.rpartition(PREVIEWS)  # the last one: names may hold the same letters
    free = page.most_bytes - len(_encoded(html))
    html = before + _as_json(_fitting(page.previews, free)) + after
    return _encoded(html).decode("utf-8")


def script_hash() -> str:
    """Return the source expression that lets a content security policy pass the page's script."""
    digest = hashlib.sha256(f"\n{_part('script.js')}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _encoded(html: str) -> bytes:
    """Return a page as bytes; file names may hold what UTF-8 does not."""
    return html.encode("utf-8", "backslashreplace")


def _fitting(previews: Sequence[Image], free: int) -> dict[str, str]:
    fitting: dict[str, str] = {}
    for image in previews:
        free -= len(_as_json({image.key: image.uri}))
        if free < 0:
            break
        fitting[image.key] = image.uri
    return fitting


def _as_json(content: object) -> str:
    """Return JSON that is safe inside a script element."""
    return json.dumps(content, ensure_ascii=True).replace("<", "\\u003c")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_part),
    )
    environment.filters.update({word.__name__: word for word in FILTERS})
    return environment


def _part(name: str) -> str:
    """Return the text of a file of this package."""
    return (files("offhand.report") / name).read_text("utf-8")


def _summary(tables: Tables, axes: dict[str, tuple[float, float]]) -> Summary:
    status = tables.clips["status"]
    used = [axes[clip_id] for clip_id in tables.clips.loc[status != "failed", "clip_id"]]
    return Summary(
        n_clips=len(tables.clips),
        n_failed=int((status == "failed").sum()),
        n_partial=int((status == "partial").sum()),
        footage_s=sum(stop_s - start_s for start_s, stop_s in used),
        segments_s=float(tables.segments["seconds"].sum()),
        n_segments=len(tables.segments),
    )


def _image_ratio(tables: Tables) -> float:
    """Return the usual width / height of the clips, kept between upright and wide."""
    width, height = (np.asarray(tables.clips[c], dtype=np.float64) for c in ("width", "height"))
    known = (width > 0) & (height > 0)
    if not known.any():
        return 4 / 3
    return float(np.clip(np.median(width[known] / height[known]), 0.75, 16 / 9))
