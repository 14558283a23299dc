"""The options of `explain` and `probe` for click: the commands of corsguard and of Flask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from corsguard.cli.options import EXPLAIN_OPTIONS, Option

__all__ = ["add_application_options", "add_click_options", "add_explain_options"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def add_application_options(*, is_required: bool = False) -> Callable[[Decorated], Decorated]:
    """Return a decorator that adds the options --app and --factory to a command."""

    def decorate(command: Decorated) -> Decorated:
        command = click.option(
            "--factory", is_flag=True, help="Call what --app names to get the application."
        )(command)
        return click.option(
            "--app",
            metavar="APP",
            required=is_required,
            help="Application, such as main:app or main:create_app(). Its module is run.",
        )(command)

    return decorate


def add_explain_options(command: Decorated) -> Decorated:
    """Add the options of `explain` and the argument URL to a command."""
    return add_click_options(EXPLAIN_OPTIONS)(click.argument("url")(command))


def add_click_options(options: Sequence[Option]) -> Callable[[Decorated], Decorated]:
    """Return a decorator that adds options to a command."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            # click 8.3 takes None for a default value, so a required option must not pass it.
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
