"""How far long work is, on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def show_progress() -> Iterator[Callable[[str, int, float], None]]:
    """Show a bar for each stage on a terminal, and a line for each stage elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        seen: set[str] = set()

        def say(stage: str, total: int, done: float) -> None:
            if done >= total and stage not in seen:
                seen.add(stage)
                console.print(f"{stage}: {total} done", highlight=False)

        yield say
        return
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as bars:
        shown: dict[str, Any] = {}

        def advance(stage: str, total: int, done: float) -> None:
            if stage not in shown:
                shown[stage] = bars.add_task(stage, total=max(total, 1), count="")
            bars.update(shown[stage], completed=done if total else 1, count=f"{int(done)}/{total}")

        yield advance
