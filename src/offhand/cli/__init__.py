"""The command ``offhand``: parse, one call, print."""

from __future__ import annotations

import gc
import json
import logging
import math
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offhand.cli.audit import audit
from offhand.cli.group import Commands
from offhand.cli.results import clip, export, report, view
from offhand.cli.weights import weights
from offhand.errors import OffhandError

if TYPE_CHECKING:
    from offhand.config import Config

_CONFIG_OPTIONS = (
    click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False),
        help="TOML file with options; `offhand config` prints all of them.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override one option, such as segments.changepoint.penalty=30. May be repeated.",
    ),
)


def _configured(function: Any) -> Any:
    for add in reversed(_CONFIG_OPTIONS):
        function = add(function)
    return function


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  offhand run CLIPS -o OUT   then open OUT/report.html",
)
@click.version_option(package_name="offhand")
def main() -> None:
    """Find which work activities repeat in video, when the hands are barely visible.

    \b
    offhand run clips/ -o out          analyse a folder of clips; open out/report.html
    offhand run a.mp4 b.mp4 -o out     or single files
    offhand view out                   look at it with the videos, name and correct
    offhand export out --to elan       the results for another tool
    offhand clip out C4                cut an activity out of the videos
    offhand count a.mp4                count the repetitions in one video, at once
    offhand evaluate out --truth dir/  compare a finished run with ground truth
    offhand audit out --sample 50      check a sample by eye, and get error rates
    offhand info a.mp4                 what is in a file, and does it decode
    offhand synth demo/                make clips with known activities to try settings on
    offhand config > offhand.toml      all options with their documentation
    """
    logging.basicConfig(level=logging.WARNING, format="offhand: %(message)s")


@main.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--out", required=True, type=click.Path(), help="Folder for the results.")
@_configured
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Clips at a time; as many as cores if left out."
)
@click.option("--from", "from_s", type=click.FloatRange(min=0), default=0.0, help="Start, seconds.")
@click.option("--to", "to_s", type=click.FloatRange(min=0), help="End, seconds of the recording.")
@click.option(
    "--mask",
    type=click.Path(exists=True, dir_okay=False),
    help="Image whose black pixels are left out.",
)
@click.option(
    "--groups",
    type=click.Path(exists=True, dir_okay=False),
    help="CSV table: clip, and what stands above it (worker, site, camera, day).",
)
@click.option(
    "--hands",
    type=click.Choice(["sampled", "every-frame", "off"]),
    help="Hand coverage: from stretches (the default), a full audit (slow), or none.",
)
@click.option(
    "--download/--offline",
    default=None,
    help="Fetch model weights that are missing, or never; left out: general.download decides.",
)
@click.option(
    "--runner",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Processes of this machine, or Ray, with offhand[ray].",
)
@click.option(
    "--ray-address", help="Of a Ray cluster, such as auto; a new one on this machine if left out."
)
@click.option(
    "--gpus-per-model",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="On Ray: share of a GPU of each process that holds models of the hub; 0.5 if left out.",
)
@click.option("--strict", is_flag=True, help="Exit with an error if any clip failed.")
def run(
    clips: tuple[str, ...],
    out: str,
    config_file: str | None,
    overrides: tuple[str, ...],
    jobs: int | None,
    from_s: float,
    to_s: float | None,
    mask: str | None,
    groups: str | None,
    hands: str | None,
    download: bool | None,
    runner: str,
    ray_address: str | None,
    gpus_per_model: float | None,
    strict: bool,
) -> None:
    """Analyse CLIPS (video files, folders of them, or lists) and write tables and a report.

    A list is a text with a file a line, or a CSV, JSON Lines or Parquet table with the column
    path, file, file_name, video or clip; names are relative to its folder. A tar archive stands
    for the videos in it, and a Hugging Face folder for those that its metadata names.

    Clips, lists and OUT may be URLs (s3://, gs://, https://) with offhand[remote]; credentials
    are those of the environment.

    Run it again with more clips or other options: only what changed is computed anew. A clip that
    cannot be read is listed with its reason and costs the others nothing. What needs model weights
    that are not on this machine is left out and listed: get them with `offhand weights pull`, or
    with --download.

    \b
    offhand run clips/ -o out
    offhand run clips/ -o out --download --hands every-frame
    offhand run clips/ -o out --set segments.changepoint.penalty=30
    offhand run clips/ -o out --set general.segmentation=window
    offhand run day1.mp4 -o out --from 60 --to 600 --mask vest.png
    offhand run clips.csv -o /shared/out --runner ray --ray-address auto
    offhand run s3://bucket/shards/ -o s3://bucket/out
    """
    if ray_address and runner != "ray":
        raise click.UsageError("--ray-address goes with --runner ray")
    if gpus_per_model and runner != "ray":
        raise click.UsageError("--gpus-per-model goes with --runner ray")
    from offhand.runners import forkserver

    if runner == "local":
        forkserver.start()  # it imports what workers need while this process does the same
    gc.disable()  # imports leave nothing to collect
    from offhand import pipeline
    from offhand.report.progress import show_progress
    from offhand.report.summary import print_summary
    from offhand.stages.register import Selection

    gc.freeze()  # what they leave stays for good: the collector need not go through it
    gc.enable()

    config = _load(config_file, overrides)
    if hands:
        config = config.with_hands(hands)
    if not all(map(math.isfinite, (from_s, to_s or 0.0))):
        raise click.BadParameter("--from and --to take a number of seconds")
    if to_s is not None and to_s <= from_s:
        raise click.BadParameter(f"--to {to_s:g} must lie after --from {from_s:g}")
    selection = Selection(from_s=from_s, to_s=to_s, mask=mask)
    with show_progress() as on_progress:
        workspace = pipeline.run(
            clips,
            out,
            config=config,
            selection=selection,
            groups=groups,
            jobs=jobs,
            download=download,
            ray_address=(ray_address or "local") if runner == "ray" else None,
            gpus_per_model=gpus_per_model,
            on_progress=on_progress,
        )
    failed, total = print_summary(workspace)
    if failed == total or (strict and failed):
        sys.exit(1)


@main.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each video.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    help="Draw motion, bouts and repetitions into this PNG file (one video only).",
)
def count(videos: tuple[str, ...], as_json: bool, plot: str | None) -> None:
    """Count the repetitions in VIDEOS: how many, when, how fast, and how sure.

    Nothing is stored, and no model weights are needed. A stretch is counted where independent
    measurements of it agree; everything else is refused with a reason, and a total of null in the
    JSON means that nothing was counted.

    \b
    offhand count squats.mp4
    offhand count squats.mp4 --plot squats.png
    offhand count *.mp4 --json | jq .total
    """
    from offhand.files import write_bytes
    from offhand.files.names import location
    from offhand.report.counts import as_lines, as_png, as_record
    from offhand.report.progress import show_progress
    from offhand.stages.count import count_video

    if plot and len(videos) > 1:
        raise click.BadParameter("--plot takes one video")
    list(map(location, videos))  # a URL that is refused is not printed as it stands
    failed = False
    for video in videos:
        try:
            if sys.stderr.isatty():
                with show_progress() as tell:
                    found = count_video(video, on_progress=partial(tell, "reading", 1))
            else:
                found = count_video(video)
        except OffhandError as error:
            failed = True
            reason = str(error) if video in str(error) else f"{video}: {error}"
            click.echo(f"offhand: {reason}", err=True)
            if as_json:
                nothing: dict[str, Any] = {"clip": video, "total": None, "bouts": []}
                click.echo(json.dumps({**nothing, "error": reason}))
            continue
        if as_json:
            click.echo(json.dumps(as_record(video, found.count)))
        else:
            click.echo("\n".join(as_lines(video, found.count)))
        if found.info.status == "partial":
            click.echo(f"offhand: {video}: {found.info.error}", err=True)
        if plot:
            motion, stop_s = found.signals["motion"], found.info.duration_s
            image = as_png(Path(video).name, found.count, motion, stop_s=stop_s)
            write_bytes(Path(plot), image)
            click.echo(f"plot: {plot}", err=True)
    if failed:
        sys.exit(1)


@main.command()
@click.argument("out", type=click.Path())
@click.option(
    "--truth",
    required=True,
    type=click.Path(exists=True),
    help="Folder with <clip>.json, <clip>.eaf or CSV tables; or one such file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every figure, for programs.")
def evaluate(out: str, truth: str, as_json: bool) -> None:
    """Compare a finished run with ground truth: segments, clusters, counts.

    The truth names activities in time: as JSON with blocks, as ELAN annotations, or as a CSV table
    with the columns clip, start_s, stop_s and label. It is compared, and never learnt from.

    \b
    offhand evaluate out --truth labels/
    offhand evaluate out --truth labels.csv --json > figures.json
    """
    from offhand.report.agreement import as_json_text, print_evaluation
    from offhand.stages.evaluate import evaluate as compare

    found = compare(out, truth)
    if as_json:
        click.echo(as_json_text(found))
    else:
        print_evaluation(found)


@main.command()
@click.argument("clip", type=click.Path())
def info(clip: str) -> None:
    """Decode CLIP once and tell what is in it: size, rates, time stamps, damage."""
    from offhand.records import Clip
    from offhand.video.decode import FrameReader

    reader = FrameReader(Clip(clip_id="clip", path=clip), [])
    for _ in reader:
        pass
    found = reader.info
    rows = {
        "file": clip,
        "status": found.status + (f": {found.error}" if found.error else ""),
        "codec": found.codec,
        "size": f"{found.width} x {found.height} px"
        + (f", turned by {found.rotation_deg} degrees" if found.rotation_deg else ""),
        "frames": f"{found.n_frames} decoded, {found.frame_rate:.3f} a second",
        "duration": f"{found.duration_s:.3f} s",
        "recorded": found.start_time or "no clock in the file",
    }
    for name, value in rows.items():
        click.echo(f"{name:10}{value}")


@main.command()
@_configured
def config(config_file: str | None, overrides: tuple[str, ...]) -> None:
    """Print the effective configuration as TOML, with the documentation of every option.

    \b
    offhand config > offhand.toml      a file to edit, for: offhand run ... --config offhand.toml
    """
    from offhand.config import to_toml

    click.echo(to_toml(_load(config_file, overrides)), nl=False)


@main.command()
@click.argument("folder", type=click.Path())
@click.option("--clips", "n_clips", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--duration", "duration_s", type=click.FloatRange(min=10), default=60.0)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def synth(folder: str, n_clips: int, duration_s: float, seed: int) -> None:
    """Write synthetic clips with known activities (and their truth as JSON) into FOLDER.

    They are drawn, not filmed: good for trying settings, no substitute for real footage.

    \b
    offhand synth demo/ --clips 4 && offhand run demo/ -o demo-out
    """
    from offhand.stages.synth import synthesise

    for path in synthesise(Path(folder), n_clips=n_clips, duration_s=duration_s, seed=seed):
        click.echo(str(path))


def _load(config_file: str | None, overrides: tuple[str, ...]) -> Config:
    from offhand.config import load

    return load(config_file, overrides)


_FIRST = [main.commands.pop("run")]
_OTHERS = list(main.commands.values())
main.commands.clear()
for _command in (*_FIRST, view, report, export, clip, audit, *_OTHERS, weights):
    main.add_command(_command)
