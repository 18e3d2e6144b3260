"""How groups of commands behave."""

from __future__ import annotations

from typing import Any

import click

from offhand.errors import OffhandError


class Commands(click.Group):
    """Show the commands in the order in which people need them, and errors without a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which the commands were added."""
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of offhand ends it with one line and the exit code 1."""
        try:
            return super().invoke(ctx)
        except OffhandError as error:
            click.echo(f"offhand: {error}", err=True)
            ctx.exit(1)
