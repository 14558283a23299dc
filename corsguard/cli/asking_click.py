"""The options of `explain` as click has them, for the commands of corsguard and of Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from corsguard.cli.asking import OPTIONS

__all__ = ["request_options"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def request_options(command: Decorated) -> Decorated:
    """Decorate a command with the options and the argument URL."""
    command = click.argument("url")(command)
    for option in reversed(OPTIONS):
        command = click.option(
            f"--{option.name}",
            default=option.default,
            type=click.Choice(option.choices) if option.choices else str,
            metavar=option.metavar,
            multiple=option.repeated,
            required=option.required,
            show_default=option.default is not None,
            help=option.help,
        )(command)
    return command
