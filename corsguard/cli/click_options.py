"""The options of `explain` as click has them, for the commands of corsguard and of Flask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from corsguard.cli.options import OPTIONS, Option

__all__ = ["request_options", "with_options"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def request_options(command: Decorated) -> Decorated:
    """Decorate a command with the options of `explain` and the argument URL."""
    return with_options(OPTIONS)(click.argument("url")(command))


def with_options(options: Sequence[Option]) -> Callable[[Decorated], Decorated]:
    """A decorator that gives a command these options."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            # To click 8.3, None is a default as any other, and a required option has none.
            default: dict[str, Any] = {} if option.default is None else {"default": option.default}
            command = click.option(
                f"--{option.name}",
                **default,
                type=click.Choice(option.choices) if option.choices else str,
                metavar=option.metavar,
                multiple=option.repeated,
                required=option.required,
                show_default=option.default is not None,
                help=option.help,
            )(command)
        return command

    return decorate
