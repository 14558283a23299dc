"""The request that the options of `explain` ask about."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from corsguard.browser import Browser, Cookie, EngineName, Exchange, Request
from corsguard.browser.cookies import parse_cookie
from corsguard.browser.messages import Send
from corsguard.browser.safelist import is_header_value
from corsguard.browser.url import HTTP_SCHEMES, URL, URLError, add_scheme, parse_page_origin
from corsguard.fetch_spec import is_token
from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_fixes import fix_origin

__all__ = ["Question", "UsageError", "build_question"]

# HTML, "origin", and the URL standard, "origin": pages of these have an opaque one.
_OPAQUE_SCHEMES = frozenset({"about", "blob", "data", "file"})


class UsageError(ValueError):
    """An option that can't be used: why, in one line."""


class Question(NamedTuple):
    """A request of a script, and the page that the script is on."""

    page: str
    """Its origin, as a browser sends it."""
    given: str
    """The same as it was given."""
    engine: EngineName
    request: Request
    cookies: tuple[Cookie, ...]
    """What the browser has."""
    as_json: bool

    @property
    def origin(self) -> Origin:
        """The origin that the request goes to."""
        return URL.parse(self.request.url).origin

    @property
    def play(self) -> Callable[[Send], Exchange]:
        """What a browser does with the request; each time, a new one with empty caches."""

        def play(send: Send) -> Exchange:
            browser = Browser(self.page, engine=self.engine, cookies=self.cookies)
            return browser.play(self.request, send)

        return play


def build_question(url: str, options: Mapping[str, Any]) -> Question:
    """What is asked of a URL, by options. Raises UsageError."""
    _check_encoding(url, *options.values())
    target = _target(url)
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
    return Question(
        _page(given),
        given,
        options["engine"],
        request,
        tuple(_cookie(text, target) for text in options["cookie"] or ()),
        as_json=options["format"] == "json",
    )


def _check_encoding(*values: object) -> None:
    """Refuse what the command line could not decode, and what could not be sent either."""
    for value in values:
        if isinstance(value, (list, tuple)):
            _check_encoding(*value)
        elif isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise UsageError(f"{value!r} is not UTF-8")


def _target(text: str) -> URL:
    """The URL that is asked; one that names no scheme is not, as it was not meant like that."""
    meant = add_scheme(text)
    try:
        url = URL.parse(text)
    except URLError as error:
        hint = f"did you mean {meant}?" if meant else "write one such as https://api.example.com/"
        raise UsageError(f"{error}: {hint}") from None
    if url.scheme not in HTTP_SCHEMES and meant:
        raise UsageError(f"{text!r} has no scheme: did you mean {meant}?")
    return url


def _page(given: str) -> str:
    """The origin of a page: of itself where it is one, else of its URL."""
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
    meant = fix_origin(given)
    known = meant is not None and "*" not in meant
    hint = f"did you mean {meant}?" if known else "write one such as https://app.example.com"
    raise UsageError(f"--page {given!r} is neither an origin nor a URL of a page{why}: {hint}")


def _cookie(text: str, url: URL) -> Cookie:
    # A script's cookies are sent as UTF-8 (HTML, `document.cookie`).
    cookie = parse_cookie(text.encode().decode("latin-1"), url, time.time())
    if cookie is None or not cookie.name:
        raise UsageError(
            f"--cookie {text!r} sets no cookie for {url}: write one as session=1; SameSite=Lax"
        )
    return cookie


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not is_token(name.strip()) or not is_header_value(value):
        raise UsageError(f"--header {text!r} is not a header: write one as content-type:text/plain")
    return name.strip(), value
