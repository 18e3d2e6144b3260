"""What ``offhand audit`` prints: the items to check, and how often they are wrong."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhand.annotations.audits import Audit, CountItem, Item
from offhand.annotations.edits import Stretch
from offhand.evaluation.audit import Assessment, Part
from offhand.report.agreement import without_nan
from offhand.report.wording import clock


def question(item: Item) -> str:
    """Return what a person is asked about an item; what the run answered is not in it."""
    if isinstance(item, CountItem):
        return "How many repetitions do you see?"
    return f"Is this the same activity as {item.exemplar.clip_id} {times(item.exemplar)}?"


def times(stretch: Stretch) -> str:
    """Return a stretch's interval: ``1:02.3 to 1:10.0``."""
    return f"{clock(stretch.start_s, decimals=1)} to {clock(stretch.stop_s, decimals=1)}"


def print_items(audit: Audit) -> None:
    """Print the items of a sample, with the answers there are."""
    table = Table("no.", "kind", "clip", "time", "question", "answer", title="Sample")
    for number, item in enumerate(audit.items, 1):
        clip, said = item.stretch.clip_id, "" if item.answer is None else str(item.answer)
        row = (str(number), item.kind, clip, times(item.stretch), question(item), said)
        table.add_row(*map(escape, row))
    Console().print(table)


def print_assessment(found: Assessment) -> None:
    """Print how far an audit has come, and what it says."""
    console = Console(highlight=False)
    table = Table("wrong", "checked", "rate", "95 % interval", "open", title="Errors")
    for name, part in (
        ("counts off by more than one", found.counts),
        ("members of another activity", found.members),
    ):
        error = part.error
        checked = f"{error.n_checked} of {error.n_population}"
        interval = f"{_share(error.low)} to {_share(error.high)}" if error.n_checked else "-"
        table.add_row(
            f"{error.n_wrong} {name}", checked, _share(error.rate), interval, str(part.n_open)
        )
    console.print(table)
    if found.counts.error.n_checked:
        relative = "-" if math.isnan(found.relative_error) else f"{found.relative_error:.3f}"
        console.print(
            f"counts: exact {_share(found.exact)}, within one {_share(found.within_one)}, "
            f"mean relative error {relative}"
        )
    for name, part in (("counts", found.counts), ("members", found.members)):
        for line in _remarks(name, part):
            console.print(line, style="dim")


def as_json_text(audit: Audit, found: Assessment) -> str:
    """Return every figure as JSON; what is not known is null."""
    drawn = {"n": audit.n, "seed": audit.seed, "modality": audit.modality}
    record: dict[str, Any] = drawn | dataclasses.asdict(found)
    record["counts"]["cannot_tell"] = found.counts.cannot_tell
    record["members"]["cannot_tell"] = found.members.cannot_tell
    return json.dumps(without_nan(record), indent=1, allow_nan=False)


def _remarks(name: str, part: Part) -> list[str]:
    lines = []
    if part.error.n_checked and part.error.covered < 1:
        lines.append(
            f"{name}: the rate speaks for {_share(part.error.covered)} of them; "
            "no answer yet in the other strata"
        )
    if part.n_cannot_tell:
        lines.append(
            f"{name}: nobody can tell for {part.n_cannot_tell}, "
            f"{_share(part.cannot_tell)} of the answers; they are in no rate"
        )
    if part.n_stale:
        lines.append(
            f"{name}: {part.n_stale} stale and left out, as another run changed them; "
            "draw anew with --sample"
        )
    return lines


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"
