"""The options of several commands for click: those of corsguard and of Flask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from corsguard.cli.options import EXPLAIN_OPTIONS, Option

__all__ = [
    "add_application_options",
    "add_click_options",
    "add_client_options",
    "add_explain_options",
]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_CLIENT_OPTIONS = (
    click.option("--timeout", default=10.0, show_default=True, help="Seconds for each request."),
    click.option(
        "--rate", default=20.0, show_default=True, help="Maximum number of requests per second."
    ),
    click.option(
        "--requests", default=300, show_default=True, help="Maximum number of requests in total."
    ),
    click.option("--ca", type=click.Path(), help="File with the certificates to trust."),
    click.option("--insecure", is_flag=True, help="Trust any certificate."),
)


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


def add_client_options(command: Decorated) -> Decorated:
    """Add the limits and the certificates of requests to a live server."""
    for add_option in reversed(_CLIENT_OPTIONS):
        command = add_option(command)
    return command


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
