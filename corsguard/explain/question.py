"""The request that the options of `explain` and `probe` describe."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from corsguard.browser import Browser, Cookie, EngineName, Exchange, Request
from corsguard.browser.cookies import parse_cookie
from corsguard.browser.messages import Send
from corsguard.browser.safelist import is_header_value
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError, add_scheme, parse_page_origin
from corsguard.fetch_spec import is_token
from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_fixes import fix_origin

__all__ = ["Question", "UsageError", "build_question", "parse_target"]

_EXAMPLE_PAGE = "https://app.example.com"
_EXAMPLE_URL = "https://api.example.com/"
# HTML, "origin", and the URL standard, "origin": pages of these have an opaque one.
_OPAQUE_SCHEMES = frozenset({"about", "blob", "data", "file"})


class UsageError(ValueError):
    """An option that can't be used. Its text is one line that says why."""


class Question(NamedTuple):
    """A request of a script, and the page that the script is on."""

    page: str
    """The origin of the page, as a browser sends it."""
    given: str
    """The page as the option names it."""
    engine: EngineName
    request: Request
    cookies: tuple[Cookie, ...]
    """The cookies that the browser has stored."""
    as_json: bool

    @property
    def origin(self) -> Origin:
        """The origin that the request is sent to."""
        return URL.parse(self.request.url).origin

    def play(self, send: Send) -> Exchange:
        """Return what a new browser, with empty caches, does with the request."""
        browser = Browser(self.page, engine=self.engine, cookies=self.cookies)
        return browser.play(self.request, send)


def build_question(url: str, options: Mapping[str, Any]) -> Question:
    """Return the question about a URL that the options describe.

    `options` are name -> value for every option of `corsguard.cli.options`, as parsed. Raises
    UsageError for one that can't be used.
    """
    _check_encoding(url, *options.values())
    target = parse_target(url)
    request = Request(
        url,
        options["method"],
        tuple(_parse_header(text) for text in options["header"] or ()),
        options["body"],
        options["credentials"],
        options["mode"],
        options["redirect"],
    )
    given = options["page"]
    return Question(
        _parse_page(given),
        given,
        options["engine"],
        request,
        tuple(_parse_cookie_option(text, target) for text in options["cookie"] or ()),
        as_json=options["format"] == "json",
    )


def _check_encoding(*values: object) -> None:
    """Raise UsageError for text that the command line could not decode."""
    for value in values:
        if isinstance(value, (list, tuple)):
            _check_encoding(*value)
        elif isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UsageError(f"{value!r} is not UTF-8")


def parse_target(text: str) -> URL:
    """Parse the URL of a request. Raises UsageError, also for a URL without a scheme."""
    _check_encoding(text)
    suggested = add_scheme(text)
    try:
        url = URL.parse(text)
    except URLError as error:
        hint = f"did you mean {suggested}?" if suggested else f"use one such as {_EXAMPLE_URL}"
        raise UsageError(f"{error}: {hint}") from None
    if url.scheme not in HTTP_SCHEMES and suggested:
        raise UsageError(f"{text!r} has no scheme: did you mean {suggested}?")
    return url


def _parse_page(given: str) -> str:
    """Return the origin of a page that is given as an origin or a URL. Raises UsageError."""
    why = ""
    try:
        return str(parse_page_origin(given))
    except OriginError:
        pass
    try:
        # URL standard, "origin": that of a blob is the origin of the URL in it.
        url = URL.parse(re.sub("(?i)^blob:(?=https?:)", "", given))
        if url.scheme in HTTP_SCHEMES:
            return str(url.origin)
        if url.scheme in _OPAQUE_SCHEMES:
            return "null"
    except URLError as error:
        why = f" ({error})"
    suggested = fix_origin(given)
    is_origin = suggested is not None and "*" not in suggested
    hint = f"did you mean {suggested}?" if is_origin else f"use one such as {_EXAMPLE_PAGE}"
    raise UsageError(f"--page {given!r} is neither an origin nor a URL of a page{why}: {hint}")


def _parse_cookie_option(text: str, url: URL) -> Cookie:
    # A script's cookies are sent as UTF-8 (HTML, `document.cookie`).
    cookie = parse_cookie(text.encode().decode("latin-1"), url, time.time())
    if cookie is None or not cookie.name:
        raise UsageError(
            f"--cookie {text!r} sets no cookie for {url}: use the form session=1; SameSite=Lax"
        )
    return cookie


def _parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not is_token(name.strip()) or not is_header_value(value):
        raise UsageError(f"--header {text!r} is not a header: use the form content-type:text/plain")
    return name.strip(), value
