"""The command group `flask cors`. Its commands are loaded when one of them is used."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["cors"]


class _LazyGroup(click.Group):
    """A group whose commands are not loaded by an application that only serves."""

    def list_commands(self, *_: Any) -> list[str]:
        from corsguard_flask.commands import COMMANDS

        return sorted(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        from corsguard_flask.commands import COMMANDS

        return COMMANDS.get(cmd_name)


cors = _LazyGroup("cors", help="Check and show the application's CORS policies.")
