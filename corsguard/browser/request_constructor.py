"""From what a script passes to `fetch()` to a request: the Request constructor of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, get_args

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import Traits
from corsguard.browser.exchange import BlockReason
from corsguard.browser.messages import (
    Credentials,
    Fields,
    Headers,
    Mode,
    Redirect,
    Request,
)
from corsguard.browser.referrer_policy import DEFAULT_POLICY
from corsguard.browser.safelist import is_header_value, is_no_cors_safelisted, list_unsafe_names
from corsguard.browser.trace import Trail
from corsguard.browser.url import URL, URLError, to_scalar_values
from corsguard.fetch_spec import (
    FORBIDDEN_METHODS,
    NORMALIZED_METHODS,
    SAFELISTED_METHODS,
    is_forbidden_request_header,
    is_token,
)

__all__ = ["Fetching", "made"]

_STEP = "make the request"
_WHITE_SPACE = " \t\r\n"
_WORDS = {
    "credentials": get_args(Credentials),
    "mode": get_args(Mode),
    "redirect": get_args(Redirect),
}


@dataclass
class Fetching:
    """A request on its way: what the standard calls a request, as redirects change it."""

    method: str
    urls: list[URL]
    """Where it went; the last one is the current URL."""
    headers: Fields
    """Those of the script, without what the browser adds."""
    body: bytes | None
    credentials: Credentials
    mode: Mode
    redirect: Redirect
    uses_preflight: bool
    """Fetch, "use-CORS-preflight flag": uploads with a listener, and streams."""
    streamed: bool
    by_fetch: bool
    """Whether `fetch()` made it, or an XMLHttpRequest: the one that listens to its upload."""
    tainting: str = "basic"
    """Fetch, "response tainting": basic, cors or opaque."""
    referrer_policy: str = DEFAULT_POLICY
    headers_at_first: Fields = ()
    """Those of the script before any redirect."""
    unsafe_at_first: tuple[str, ...] = ()
    """The names that a preflight would have had to ask for before any redirect."""
    preflighted: bool = False
    """Whether it needed a preflight so far, sent or found in the cache."""

    @property
    def url(self) -> URL:
        """The current URL."""
        return self.urls[-1]


def made(request: Request, base: URL | None, engine: Traits, trail: Trail) -> Fetching:
    """The request that the constructor makes; raises Refused where it throws a TypeError.

    Raises ValueError for credentials, a mode or a redirect that fetch() has no word for, and
    TypeError for headers and a body of another type.
    """
    _check(request)
    url = _url(request, base, trail)
    method = _method(request, trail)
    headers, implied = _headers(request, engine, trail), None
    body = request.body
    if body is not None and method in {"GET", "HEAD"}:
        _refuse(trail, BlockReason.BODY_NOT_ALLOWED, f"{method} has no body", method, "send none")
    if isinstance(body, str):
        body, implied = to_scalar_values(body).encode(), "text/plain;charset=UTF-8"
    streamed = request.streamed and body is not None
    if streamed and request.mode == "no-cors":
        text = "a stream needs a preflight, and `no-cors` has none"
        _refuse(trail, BlockReason.NO_CORS_STREAM, text, "", 'use mode "cors"')
    if implied and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", implied))
    trail.passed(_STEP, Clause.REQUEST_CONSTRUCTOR, f"{method} {url}")
    return Fetching(
        method,
        [url],
        headers,
        body,
        request.credentials,
        request.mode,
        request.redirect,
        uses_preflight=streamed
        or (request.upload_listener and (body is not None or engine.preflights_empty_uploads)),
        streamed=streamed,
        by_fetch=not request.upload_listener,
        headers_at_first=headers,
        unsafe_at_first=tuple(list_unsafe_names(headers, engine)),
    )


def _check(request: Request) -> None:
    """A slip in a test should fail it, not ask for something else."""
    if not (request.body is None or isinstance(request.body, (bytes, str))):
        raise TypeError(f"body={request.body!r} is neither bytes nor a str: write json.dumps(...)")
    for field, words in _WORDS.items():
        given = getattr(request, field)
        if given not in words:
            raise ValueError(f"{field}={given!r} is not one of {', '.join(words)}")


def _refuse(
    trail: Trail,
    reason: BlockReason,
    text: str,
    detail: str,
    fix: str,
    clause: Clause = Clause.REQUEST_CONSTRUCTOR,
) -> NoReturn:
    trail.refuse(_STEP, clause, reason, text, detail=detail, fix=fix)


def _url(request: Request, base: URL | None, trail: Trail) -> URL:
    try:
        url = URL.parse(request.url, base)
    except URLError as error:
        fix = "write an absolute URL, such as https://api.example.com/items"
        _refuse(trail, BlockReason.URL_INVALID, str(error), request.url, fix)
    if url.userinfo:
        text = "a URL with a user name or a password can't be fetched"
        fix = "send an Authorization header instead"
        _refuse(trail, BlockReason.URL_WITH_CREDENTIALS, text, request.url, fix)
    return url


def _method(request: Request, trail: Trail) -> str:
    method = request.method
    if not is_token(method):
        text = f"{method!r} is not a method (RFC 9110, 9.1)"
        _refuse(trail, BlockReason.METHOD_INVALID, text, method, "use the name of a method")
    if method.upper() in FORBIDDEN_METHODS:
        clause = Clause.FORBIDDEN_METHOD
        text = f"no script can send {method}"
        _refuse(trail, BlockReason.METHOD_FORBIDDEN, text, method, "use another method", clause)
    if method.upper() in NORMALIZED_METHODS:
        method = method.upper()
    elif method != method.upper():
        # Methods are case-sensitive, and a browser normalises only six of them.
        text = f"{method} stays as it is written, and is not {method.upper()}"
        trail.passed("normalise the method", Clause.METHOD_NORMALIZATION, text)
    if request.mode == "no-cors" and method not in SAFELISTED_METHODS:
        text = f"{method} can't be sent with mode `no-cors`"
        _refuse(trail, BlockReason.NO_CORS_METHOD, text, method, 'use mode "cors"')
    return method


def _headers(request: Request, engine: Traits, trail: Trail) -> Fields:
    """The script's headers, without those that it may not set: a browser leaves these out."""
    given = request.headers
    fields: list[tuple[str, str]] = []
    for field in given.items() if isinstance(given, Mapping) else given:
        name, value = _field(field)
        if not is_token(name) or not is_header_value(value):
            text = f"{name!r} is not a header that can be sent"
            fix = "use a token as the name, and bytes but NUL, CR and LF as the value"
            _refuse(trail, BlockReason.HEADER_INVALID, text, name, fix)
        if is_forbidden_request_header(name.lower(), value):
            text = f"{name} is left out: it is the browser's own"
            trail.passed("leave out a header", Clause.FORBIDDEN_HEADER, text)
        elif request.mode == "no-cors" and not _joins_safely(name, value, fields, engine):
            text = f"{name} is left out: mode `no-cors` sends safelisted headers only"
            trail.passed("leave out a header", Clause.NO_CORS_SAFELISTED_HEADER, text)
        else:
            fields.append((name, value))
    return tuple(fields)


def _field(given: object) -> tuple[str, str]:
    match given:
        case (str(name), str(value)):
            return name, value.strip(_WHITE_SPACE)
    raise TypeError(
        f"headers: {given!r} is not a name and a value, both of them str: "
        'write headers={"X-Trace": "1"}'
    )


def _joins_safely(name: str, value: str, fields: list[tuple[str, str]], engine: Traits) -> bool:
    """Fetch, "append" to a `Headers` of guard request-no-cors: with what is there already."""
    together = Headers((*fields, (name, value)))[name]
    return is_no_cors_safelisted(name, together, engine)
