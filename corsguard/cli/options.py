"""The options of `explain` and `probe`, for every parser of options.

Nothing of the browser is imported: an application that has the command pays for it only when it is
used.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import NamedTuple

__all__ = ["OPTIONS", "REQUEST", "Option", "add_options"]


class Option(NamedTuple):
    """One option, whatever parses it."""

    name: str
    help: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    repeated: bool = False
    required: bool = False


REQUEST = (
    Option(
        "page", "Origin or URL of the page that sends it, or null.", metavar="URL", required=True
    ),
    Option("method", "Its method.", "GET", metavar="METHOD"),
    Option(
        "header", "A header that the script sets; repeat it.", metavar="NAME:VALUE", repeated=True
    ),
    Option("body", "Its body, a text.", metavar="TEXT"),
    Option(
        "cookie",
        "A cookie that the API has set, as in Set-Cookie; repeat it.",
        metavar="COOKIE",
        repeated=True,
    ),
    Option(
        "credentials",
        "Whether cookies go with it.",
        "same-origin",
        ("omit", "same-origin", "include"),
    ),
    Option("mode", "As fetch() has it.", "cors", ("cors", "no-cors", "same-origin")),
    Option("redirect", "As fetch() has it.", "follow", ("follow", "error", "manual")),
    Option(
        "engine",
        "Whose habits the browser has.",
        "standard",
        ("standard", "chromium", "firefox", "webkit"),
    ),
)
OPTIONS = (
    *REQUEST,
    Option("format", "Text to read, or one JSON document.", "text", ("text", "json")),
)


def add_options(parser: ArgumentParser) -> None:
    """Give the options and the argument URL to a parser of the standard library."""
    for option in OPTIONS:
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
