"""The options of `explain` and `probe`, independent of the parser.

Nothing of the browser is imported here: it is loaded when a command runs.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import NamedTuple

__all__ = ["EXPLAIN_OPTIONS", "REQUEST_OPTIONS", "Option", "add_options"]


class Option(NamedTuple):
    """An option of a command, without its dashes."""

    name: str
    help: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    repeated: bool = False
    required: bool = False


REQUEST_OPTIONS = (
    Option(
        "page",
        "Origin or URL of the page that sends the request, or null.",
        metavar="URL",
        required=True,
    ),
    Option("method", "Method of the request.", "GET", metavar="METHOD"),
    Option(
        "header", "Header that the script sets. Repeatable.", metavar="NAME:VALUE", repeated=True
    ),
    Option("body", "Body of the request, as text.", metavar="TEXT"),
    Option(
        "cookie",
        "Cookie that the API has set, as in Set-Cookie. Repeatable.",
        metavar="COOKIE",
        repeated=True,
    ),
    Option(
        "credentials",
        "When cookies are sent, as in fetch().",
        "same-origin",
        ("omit", "same-origin", "include"),
    ),
    Option(
        "mode", "Mode of the request, as in fetch().", "cors", ("cors", "no-cors", "same-origin")
    ),
    Option(
        "redirect",
        "What to do with redirects, as in fetch().",
        "follow",
        ("follow", "error", "manual"),
    ),
    Option(
        "engine",
        "Browser engine whose quirks apply.",
        "standard",
        ("standard", "chromium", "firefox", "webkit"),
    ),
)
EXPLAIN_OPTIONS = (
    *REQUEST_OPTIONS,
    Option("format", "Format of the output.", "text", ("text", "json")),
)


def add_options(parser: ArgumentParser) -> None:
    """Add the options of `explain` and the argument URL to a parser of argparse."""
    for option in EXPLAIN_OPTIONS:
        parser.add_argument(
            f"--{option.name}",
            default=option.default,
            choices=option.choices or None,
            metavar=option.metavar,
            action="append" if option.repeated else "store",
            required=option.required,
            help=option.help,
        )
    parser.add_argument("url", metavar="URL")
