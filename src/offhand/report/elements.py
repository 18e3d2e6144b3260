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
        parts.append(
            f'<i class="k{look}{" narrow" if width < NARROW else ""}" '
            f'style="left:{left:.2f}%;width:{width:.2f}%" '
            f'title="{title} · {_tenths(start_s)}–{_tenths(stop_s)}" '
            f'data-from="{start_s:.3f}" data-to="{stop_s:.3f}">{text}</i>'
        )
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
        parts.append(
            f'<i class="{look}{" narrow" if row.width < NARROW else ""}" '
            f'style="left:{row.left:.2f}%;width:{row.width:.2f}%" '
            f'title="{title} · {_tenths(row.start_s)}–{_tenths(row.stop_s)}" '
            f'data-from="{row.start_s:.3f}" data-to="{row.stop_s:.3f}" '
            f'data-count="{"" if row.reason else row.count}">{text}</i>'
        )
        marks += [f'<em class="rep" style="left:{at:.2f}%"></em>' for at in row.marks]
    return Markup("".join([*parts, *marks]))


@lru_cache(maxsize=20_000)
def _tenths(time_s: float) -> str:
    return clock(time_s, decimals=1)
