"""The command group `flask cors`. Its commands are loaded when one of them is used."""

from __future__ import annotations

import click

__all__ = ["cors"]


class _LazyGroup(click.Group):
    """A group whose commands are not loaded by an application that only serves."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        from corsguard_flask.commands import COMMANDS

        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> click.Command | None:
        from corsguard_flask.commands import COMMANDS

        return COMMANDS.get(cmd_name)


cors: click.Group = _LazyGroup("cors", help="Check and show the application's CORS policies.")
