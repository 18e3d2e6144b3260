"""View models as HTML: templates, style and script in one text, within a budget."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import jinja2

from offhand.report import elements, wording
from offhand.report.thumbnails import PAGE_BYTES
from offhand.report.view import Page
from offhand.report.view_clip import ClipPage
from offhand.report.view_clusters import Image

OVERVIEW, CLIP = "template.html.j2", "clip.html.j2"

PREVIEWS = "@previews@"
"""Where the loops go, in the templates."""

FILTERS = (
    wording.clock,
    wording.commands,
    wording.count,
    wording.duration,
    wording.named,
    wording.number,
    wording.p_value,
    wording.percent,
    wording.plain,
    wording.score,
    wording.span,
    elements.blocks,
    elements.bouts,
)


def render(page: Page, *, served: bool = False, most_bytes: int = PAGE_BYTES) -> bytes:
    """Return the overview as HTML, in UTF-8.

    Parameters
    ----------
    page
        The view model; every name in it is escaped here.
    served
        Whether it is for the viewer, which brings a script of its own and its policy as a header.
    most_bytes
        How large it may become with its loops; those that do not fit are left out.
    """
    title = f"What repeats in {page.workspace}"
    return _rendered(OVERVIEW, page, title, served, most_bytes, root="", home="")


def render_clip(page: ClipPage, *, served: bool = False, most_bytes: int = PAGE_BYTES) -> bytes:
    """Return the page of a clip as HTML; parameters as for :func:`render`."""
    title = f"{page.clip.name.clip_id} in {page.workspace}"
    home = "../" if served else "../report.html"
    return _rendered(CLIP, page, title, served, most_bytes, root="../", home=home)


def script_hash() -> str:
    """Return the source expression that lets a content security policy pass the page's script."""
    digest = hashlib.sha256(f"\n{_part('script.js')}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _rendered(
    template: str,
    page: Page | ClipPage,
    title: str,
    served: bool,
    most_bytes: int,
    *,
    root: str,
    home: str,
) -> bytes:
    html = TEMPLATES[template].render(
        page=page,
        title=title,
        root=root,
        home=home,
        style=_part("style.css"),
        script=_part("script.js"),
        script_hash=script_hash(),
        served=served,
    )
    # the last place of that name: clips' names may hold the same letters, and what UTF-8 does not
    parts = html.rpartition(PREVIEWS)
    before, _, after = (part.encode("utf-8", "backslashreplace") for part in parts)
    free = most_bytes - len(before) - len(PREVIEWS) - len(after)
    return before + _fitting(page.previews, free).encode("ascii") + after


def _fitting(previews: Sequence[Image], free: int) -> str:
    """Return as many loops as fit as JSON that is safe inside a script element."""
    entries = []
    for image in previews:
        entry = json.dumps({image.key: image.uri}).replace("<", "\\u003c")
        free -= len(entry)
        if free < 0:
            break
        entries.append(entry[1:-1])
    return "{" + ", ".join(entries) + "}"


def _compiled() -> dict[str, jinja2.Template]:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_part),
    )
    environment.filters.update({word.__name__: word for word in FILTERS})
    names = [part.name for part in files("offhand.report").iterdir()]
    return {name: environment.get_template(name) for name in names if name.endswith(".j2")}


@cache
def _part(name: str) -> str:
    """Return the text of a file of this package."""
    return (files("offhand.report") / name).read_text("utf-8")


TEMPLATES = _compiled()
"""Compiled on import, which a run does while a core is idle."""
