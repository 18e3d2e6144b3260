"""The elements that a large report has millions of, written without a template."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape

from offhand.report.view_clip import Strip
from offhand.report.view_repetitions import BoutRow
from offhand.report.wording import clock, number

NARROW = 7
"""Percent of the axis below which a block has no room for its text on a phone."""

NAMED, CALLED = 2.6, 9
"""Percent of the axis from which a block has room for its number, and for its name."""

LOOKS = {-1: "n", -2: "u"}


def blocks(strip: Strip) -> Markup:
    """Return the blocks of a strip."""
    parts = []
    for left, width, colour, name, called, start_s, stop_s in strip.blocks:
        look = colour % 24 if colour >= 0 else LOOKS[colour]
        title, text = name, ""
        if called:
            called = escape(called)
            title = f"{name} {called}"
        if width >= NAMED and colour >= 0:
            text = f"<span>{called}</span>" if called and width >= CALLED else name
        narrow = " narrow" if width < NARROW else ""
        span, place = _placed(left, width, start_s, stop_s)
        parts.append(f'<i class="k{look}{narrow}" title="{title} · {span}" {place}>{text}</i>')
    return Markup("".join(parts))


def bouts(rows: tuple[BoutRow, ...]) -> Markup:
    """Return bouts along a clip, and a mark for each repetition."""
    parts, marks = [], []
    for row in rows:
        look = "ku" if row.reason else "kr"
        title = escape(row.reason)
        if not row.reason:
            how = " by hand" if row.by_hand else f", one every {number(row.period_s)} s"
            title = escape(f"{row.count} repetitions{how}")
        text = f"{row.count}×" if row.width >= NAMED and not row.reason else ""
        narrow = " narrow" if row.width < NARROW else ""
        span, place = _placed(row.left, row.width, row.start_s, row.stop_s)
        parts.append(
            f'<i class="{look}{narrow}" title="{title} · {span}" {place} '
            f'data-count="{"" if row.reason else row.count}">{text}</i>'
        )
        marks += [f'<em class="rep" style="left:{at:.2f}%"></em>' for at in row.marks]
    return Markup("".join([*parts, *marks]))


@lru_cache(maxsize=5_000)
def _placed(left: float, width: float, start_s: float, stop_s: float) -> tuple[str, str]:
    """Return a span of time as text and as attributes: every strip has the same segments."""
    span = f"{clock(start_s, decimals=1)}–{clock(stop_s, decimals=1)}"
    style = f'style="left:{left:.2f}%;width:{width:.2f}%"'
    return span, f'{style} data-from="{start_s:.3f}" data-to="{stop_s:.3f}"'
