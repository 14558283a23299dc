"""The options of `explain`, for every parser of options, and the request that they ask about."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from corsguard.browser import Browser, EngineName, Exchange, Request
from corsguard.browser.messages import Credentials, Mode, Redirect, Send
from corsguard.browser.safelist import is_header_value
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError
from corsguard.fetch import is_token
from corsguard.origin import Origin, OriginError

__all__ = ["OPTIONS", "REQUEST", "Asked", "Option", "UsageError", "add_options", "asked"]


class UsageError(ValueError):
    """An option that can't be used: why, in one line."""


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
    Option("credentials", "Whether cookies go with it.", "same-origin", get_args(Credentials)),
    Option("mode", "As fetch() has it.", "cors", get_args(Mode)),
    Option("redirect", "As fetch() has it.", "follow", get_args(Redirect)),
    Option("engine", "Whose habits the browser has.", "standard", get_args(EngineName)),
)
OPTIONS = (
    *REQUEST,
    Option("format", "Text to read, or one JSON document.", "text", ("text", "json")),
)


class Asked(NamedTuple):
    """A request of a script, and the page that the script is on."""

    page: str
    """Its origin, as a browser sends it."""
    given: str
    """The same as it was given."""
    engine: EngineName
    request: Request
    as_json: bool

    @property
    def origin(self) -> Origin:
        """The origin that the request goes to."""
        return URL.parse(self.request.url).origin

    @property
    def play(self) -> Callable[[Send], Exchange]:
        """What a browser does with the request; each time, a new one with empty caches."""
        return lambda send: Browser(self.page, engine=self.engine).play(self.request, send)


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


def asked(url: str, options: Mapping[str, Any]) -> Asked:
    """What is asked of a URL, by options. Raises UsageError."""
    try:
        URL.parse(url)
    except URLError as error:
        raise UsageError(f"{error}: write one such as https://api.example.com/items") from None
    request = Request(
        url,
        options["method"],
        tuple(_header(text) for text in options["header"] or ()),
        options["body"],
        options["credentials"],
        options["mode"],
        options["redirect"],
    )
    given = options["page"]
    as_json = options["format"] == "json"
    return Asked(_page(given), given, options["engine"], request, as_json)


def _page(given: str) -> str:
    """The origin of a page: of itself where it is one, else of its URL."""
    try:
        return str(Origin.parse(given))
    except OriginError:
        pass
    try:
        url = URL.parse(given)
    except URLError as error:
        raise UsageError(
            f"--page {given!r} is neither an origin nor a URL ({error}): write one such as "
            "https://app.example.com"
        ) from None
    # HTML, "origin": pages of file:, data: and the like have an opaque one.
    return str(url.origin) if url.scheme in HTTP_SCHEMES else "null"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not is_token(name.strip()) or not is_header_value(value):
        raise UsageError(f"--header {text!r} is not a header: write one as content-type:text/plain")
    return name.strip(), value
