"""Commands about a finished run: look, correct, export, cut."""

from __future__ import annotations

import sys
from typing import Any

import click


@click.command()
@click.argument("out", type=click.Path())
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one if left out.")
@click.option("--browser/--no-browser", default=True, help="Open the page, or only print it.")
def view(out: str, port: int, browser: bool) -> None:
    """Look at a finished run with its videos, name what repeats, correct it.

    The page is served on this machine alone, at an address that holds a random token. Every edit
    is saved at once in OUT/annotations.json, and comes back after another run. Ctrl+C ends it.

    \b
    offhand view out
    """
    from offhand.viewer.serve import serve

    def tell(address: str) -> None:
        click.echo(f"viewer: {address}")
        click.echo("Ctrl+C ends it; edits are saved at once.", err=True)

    serve(out, port=port, opens_browser=browser, on_ready=tell)


class _FormatNames(click.ParamType[str]):
    """The formats, without importing what writes them before one is asked for."""

    name = "FORMAT"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from offhand.exports.formats import FORMATS

        if value not in FORMATS:
            self.fail(f"no format {value}; there are: {', '.join(FORMATS)}", param, ctx)
        return str(value)


@click.command()
@click.argument("out", type=click.Path())
@click.option("--to", "to", required=True, type=_FormatNames(), help="See the list above.")
@click.option("--modality", help="Whose clusters are the activities; late_fusion if left out.")
@click.option("-o", "--folder", type=click.Path(), help="Where to; OUT/exports/FORMAT if left out.")
def export(out: str, to: str, modality: str | None, folder: str | None) -> None:
    """Write the results of a finished run for other tools, names and corrections applied.

    \b
    csv, jsonl       tables of intervals and counts
    elan, boris      annotation of behaviour (.eaf, tabular events)
    label_studio     timeline labels to correct there
    fiftyone         dataset of temporal detections
    rerun            recordings (.rrd), with offhand[rerun]
    vtt, srt         subtitles
    chapters         chapter metadata for ffmpeg

    \b
    offhand export out --to elan
    offhand export out --to csv --modality flow_rhythm -o tables/
    """
    from offhand.stages.export import export as write

    click.echo(str(write(out, to, modality=modality, folder=folder)))


@click.command()
@click.argument("out", type=click.Path())
@click.argument("activity")
@click.option(
    "--what",
    type=click.Choice(["exemplars", "segments", "repetitions"]),
    default="exemplars",
    show_default=True,
    help="One segment a clip, all segments, or each repetition counted in them.",
)
@click.option("--modality", help="Whose cluster it is; late_fusion if left out.")
@click.option("-o", "--folder", type=click.Path(), help="Where to; OUT/exports/clips if left out.")
def clip(out: str, activity: str, what: Any, modality: str | None, folder: str | None) -> None:
    """Cut an ACTIVITY of a finished run out of its videos, as MP4 files (VP9).

    ACTIVITY is a cluster's number (C4, or 4), or the name that a person gave it in the viewer.

    \b
    offhand clip out C4
    offhand clip out "laying bricks" --what repetitions -o bricks/
    """
    from offhand.report.progress import show_progress
    from offhand.stages.export import cut_activity

    with show_progress() as on_progress:
        written, failures = cut_activity(
            out,
            activity,
            what=what,
            modality=modality,
            folder=folder,
            on_progress=lambda done, n: on_progress("cutting", n, float(done)),
        )
    for path in written:
        click.echo(str(path))
    for reason in failures:
        click.echo(f"offhand: {reason}", err=True)
    if failures:
        sys.exit(1)


@click.command()
@click.argument("out", type=click.Path())
def report(out: str) -> None:
    """Write OUT/report.html and the table of activities anew, from a finished run."""
    from offhand.report.page import write_report
    from offhand.stages.activities import write_activities
    from offhand.store.workspace import Workspace

    write_activities(Workspace(out))
    click.echo(str(write_report(Workspace(out))))
