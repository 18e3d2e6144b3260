"""The commands ``offhand weights``."""

from __future__ import annotations

import sys

import click

from offhand.cli.group import Commands


@click.group(cls=Commands)
def weights() -> None:
    """Get and check the model weights that signals need.

    `offhand weights pull` fetches what the default install uses. Others, which need
    offhand[hub], are fetched by name, such as `offhand weights pull dinov2_small`.
    """


@weights.command("list")
def weights_list() -> None:
    """List all weights, and whether they are here."""
    from offhand.weights import MANIFEST, check

    row = "{:19}{:9}{:12}{:>9}  {:9}{:19}{}".format
    click.echo(row("name", "version", "licence", "size", "install", "needed by", "status"))
    for entry in MANIFEST.values():
        install, size = entry.extra or "default", f"{entry.size / 1e6:.1f} MB"
        users, (status, _) = ", ".join(entry.needed_by), check(entry.name)
        click.echo(row(entry.name, entry.version, entry.licence, size, install, users, status))


@weights.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def weights_pull(names: tuple[str, ...]) -> None:
    """Fetch weights: by NAME, or the default ones.

    Without NAME, everything that the default install uses is fetched. What is here and right is
    not fetched again, and what is damaged is replaced.
    """
    from offhand.report.progress import show_progress
    from offhand.weights import home, pull

    with show_progress() as on_progress:
        fetched = pull(names or None, on_progress=on_progress)
    click.echo(f"fetched: {', '.join(fetched) or 'nothing, all of it is here'}")
    click.echo(f"folder: {home() / 'weights'}")


@weights.command("verify")
def weights_verify() -> None:
    """Check all files that are here.

    The exit code is 1 if any is damaged.
    """
    from offhand.weights import MANIFEST, check

    found = {name: check(name) for name in MANIFEST}
    for name, (status, reason) in found.items():
        click.echo(f"{name:19}{status}" + (f": {reason}" if status == "damaged" else ""))
    if any(status == "damaged" for status, _ in found.values()):
        sys.exit(1)


@weights.command("path")
@click.argument("name", required=False)
def weights_path(name: str | None) -> None:
    """Print the cache folder, or that of NAME."""
    from offhand.weights import MANIFEST, folder, home

    if name and name not in MANIFEST:
        raise click.BadParameter(f"no weights {name}; known: {', '.join(MANIFEST)}")
    click.echo(str(folder(name) if name else home()))
