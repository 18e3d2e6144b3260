"""The command ``offhand audit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from offhand.annotations.audits import Answer, Audit, Item

_WORDS: dict[str, dict[str, int | str]] = {
    "count": {"n": 0, "?": "cannot tell"},
    "member": {"y": "yes", "yes": "yes", "n": "no", "no": "no", "?": "cannot tell"},
}
_HINTS = {"count": "number, n not repeating, ? cannot tell", "member": "y, n, ? cannot tell"}


@click.command()
@click.argument("out", type=click.Path())
@click.option(
    "--sample", "n", type=click.IntRange(min=1), help="Draw so many items, half of them counts."
)
@click.option("--seed", type=click.IntRange(min=0), help="Makes the draw repeatable; default: 0.")
@click.option("--modality", help="Whose clusters to check; default: late_fusion.")
@click.option("--again", is_flag=True, help="Replace a sample drawn otherwise that has answers.")
@click.option("--ask", is_flag=True, help="Ask the open questions here, one after the other.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures, for programs.")
def audit(
    out: str,
    n: int | None,
    seed: int | None,
    modality: str | None,
    again: bool,
    ask: bool,
    as_json: bool,
) -> None:
    """Have a person check a sample of OUT, and tell how often its results are wrong.

    The sample holds counts of repetitions and segments of clusters, drawn by chance from all of
    them. Watch each stretch, and answer without looking up what the run says. The answers, kept in
    OUT/audit.json, give two error rates with 95 % intervals. Without --sample, the sample that is
    there is used.

    \b
    offhand audit out --sample 50    draw 50 items, and list them
    offhand audit out --ask          answer them; stop with q, and go on at any time
    offhand audit out                how far it is, and the error rates so far
    """
    from offhand.report.audit import as_json_text, print_assessment, print_items
    from offhand.stages.audit import assess, draw_audit, read_audit

    chosen: dict[str, Any] = {"seed": seed, "modality": modality, "again": again or None}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if n is None and chosen:
        raise click.UsageError(f"--{next(iter(chosen))} goes with --sample")
    found = read_audit(out) if n is None else draw_audit(out, n, **chosen)
    if n is not None and not (ask or as_json):
        print_items(found)
    if ask:
        found = _ask(out, found)
    if as_json:
        click.echo(as_json_text(found, assess(out, found)))
    else:
        print_assessment(assess(out, found))


def _ask(out: str, found: Audit) -> Audit:
    """Ask the open items, saving each answer at once, and return the audit with the answers."""
    from offhand.report.audit import question, times
    from offhand.stages.audit import answer, stale

    gone = stale(out, found)
    items = [item for item in found.items if item.answer is None and item.id not in gone]
    click.echo(f"{len(items)} open; b goes back, q stops, nothing is lost", err=True)
    place = 0
    while place < len(items):
        item = items[place]
        where = f"{item.stretch.clip_id} {times(item.stretch)}"
        click.echo(f"\n{place + 1} of {len(items)}: {where}", err=True)
        try:
            said = click.prompt(f"{question(item)} [{_HINTS[item.kind]}]", err=True)
        except click.Abort:
            break
        if said.strip().lower() == "q":
            break
        if said.strip().lower() == "b":
            place = max(0, place - 1)
            continue
        try:
            found = answer(out, item.id, _parsed(item, said))
        except ValueError as error:
            click.echo(str(error), err=True)
            continue
        place += 1
    return found


def _parsed(item: Item, said: str) -> Answer:
    word = said.strip().lower()
    if item.kind == "count" and word.isdecimal():
        return int(word)
    return _WORDS[item.kind].get(word, said)
