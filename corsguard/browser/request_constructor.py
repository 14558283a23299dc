"""The Request constructor: it turns the arguments of `fetch()` into a request (Fetch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, get_args

from corsguard.browser.clauses import Clause
from corsguard.browser.engine_quirks import EngineQuirks
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
from corsguard.browser.trace import Trace
from corsguard.browser.url import URL, URLError, to_scalar_values
from corsguard.fetch_spec import (
    FORBIDDEN_METHODS,
    NORMALIZED_METHODS,
    SAFELISTED_METHODS,
    is_forbidden_request_header,
    is_token,
)

__all__ = ["FetchRequest", "build_request"]

_STEP = "make the request"
_WHITE_SPACE = " \t\r\n"
_ENUMERATIONS = {
    "credentials": get_args(Credentials),
    "mode": get_args(Mode),
    "redirect": get_args(Redirect),
}


@dataclass
class FetchRequest:
    """A request as the standard defines it. Redirects change it."""

    method: str
    urls: list[URL]
    """The URL list; the last one is the current URL (Fetch, "URL list")."""
    headers: Fields
    """The script's headers, without those that the browser adds."""
    body: bytes | None
    credentials: Credentials
    mode: Mode
    redirect: Redirect
    uses_preflight: bool
    """Fetch, "use-CORS-preflight flag": uploads with a listener, and streams."""
    streamed: bool
    by_fetch: bool
    """True for `fetch()`, False for an XMLHttpRequest, which can listen to its upload."""
    tainting: str = "basic"
    """Fetch, "response tainting": basic, cors or opaque."""
    referrer_policy: str = DEFAULT_POLICY
    initial_method: str = ""
    """The method before any redirect."""
    initial_headers: Fields = ()
    """The script's headers before any redirect."""
    initial_unsafe_names: tuple[str, ...] = ()
    """The names in `Access-Control-Request-Headers` of a preflight before any redirect."""
    preflighted: bool = False
    """True once the request needed a preflight, sent or found in the cache."""

    @property
    def url(self) -> URL:
        """The current URL."""
        return self.urls[-1]


def build_request(
    request: Request, base: URL | None, engine: EngineQuirks, trace: Trace
) -> FetchRequest:
    """Return the request that `new Request()` builds, its URL relative to base.

    Raises Refused where the constructor throws a TypeError in a browser. Raises ValueError for
    credentials, a mode or a redirect that `fetch()` does not define, and TypeError for headers or
    a body of an unsupported type.
    """
    _check_arguments(request)
    url = _parse_url(request, base, trace)
    method = _normalize_method(request, trace)
    headers, implied_type = _filter_headers(request, engine, trace), None
    body = request.body
    if body is not None and method in {"GET", "HEAD"}:
        text = f"{method} can't have a body"
        _refuse(trace, BlockReason.BODY_NOT_ALLOWED, text, method, "remove the body")
    if isinstance(body, str):
        body, implied_type = to_scalar_values(body).encode(), "text/plain;charset=UTF-8"
    streamed = request.streamed and body is not None
    if streamed and request.mode == "no-cors":
        text = "a stream needs a preflight, and mode `no-cors` sends none"
        _refuse(trace, BlockReason.NO_CORS_STREAM, text, "", 'use mode "cors"')
    if implied_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", implied_type))
    trace.add_step(_STEP, Clause.REQUEST_CONSTRUCTOR, f"{method} {url}")
    return FetchRequest(
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
        initial_method=method,
        initial_headers=headers,
        initial_unsafe_names=tuple(list_unsafe_names(headers, engine)),
    )


def _check_arguments(request: Request) -> None:
    """Raise for an argument that `fetch()` does not define: a typo must fail the test."""
    if not (request.body is None or isinstance(request.body, (bytes, str))):
        raise TypeError(f"body={request.body!r} is neither bytes nor a str: write json.dumps(...)")
    for field, values in _ENUMERATIONS.items():
        value = getattr(request, field)
        if value not in values:
            raise ValueError(f"{field}={value!r} is not one of {', '.join(values)}")


def _refuse(
    trace: Trace,
    reason: BlockReason,
    text: str,
    detail: str,
    fix: str,
    clause: Clause = Clause.REQUEST_CONSTRUCTOR,
) -> NoReturn:
    trace.refuse((_STEP, clause), reason, text, detail=detail, fix=fix)


def _parse_url(request: Request, base: URL | None, trace: Trace) -> URL:
    try:
        url = URL.parse(request.url, base)
    except URLError as error:
        fix = "write an absolute URL, such as https://api.example.com/items"
        _refuse(trace, BlockReason.URL_INVALID, str(error), request.url, fix)
    if url.userinfo:
        text = "a URL with a user name or a password can't be fetched"
        fix = "send an Authorization header instead"
        _refuse(trace, BlockReason.URL_WITH_CREDENTIALS, text, request.url, fix)
    return url


def _normalize_method(request: Request, trace: Trace) -> str:
    method = request.method
    if not is_token(method):
        text = f"{method!r} is not a valid method (RFC 9110, 9.1)"
        _refuse(trace, BlockReason.METHOD_INVALID, text, method, "use a method name, such as GET")
    if method.upper() in FORBIDDEN_METHODS:
        clause = Clause.FORBIDDEN_METHOD
        text = f"scripts can't send {method}"
        _refuse(trace, BlockReason.METHOD_FORBIDDEN, text, method, "use another method", clause)
    if method.upper() in NORMALIZED_METHODS:
        method = method.upper()
    elif method != method.upper():
        # Fetch, "normalize a method": browsers change the case of six methods only.
        text = f"{method} is sent as written, not as {method.upper()}: methods are case-sensitive"
        trace.add_step("normalise the method", Clause.METHOD_NORMALIZATION, text)
    if request.mode == "no-cors" and method not in SAFELISTED_METHODS:
        text = f"{method} can't be sent with mode `no-cors`"
        _refuse(trace, BlockReason.NO_CORS_METHOD, text, method, 'use mode "cors"')
    return method


def _filter_headers(request: Request, engine: EngineQuirks, trace: Trace) -> Fields:
    """Return the script's headers without those that it may not set, which browsers ignore."""
    headers = request.headers
    fields: list[tuple[str, str]] = []
    for field in headers.items() if isinstance(headers, Mapping) else headers:
        name, value = _parse_field(field)
        if not is_token(name) or not is_header_value(value):
            text = f"{name!r} is not a valid header name, or its value is not valid"
            fix = "use a token as the name, and a value of bytes without NUL, CR and LF"
            _refuse(trace, BlockReason.HEADER_INVALID, text, name, fix)
        if is_forbidden_request_header(name.lower(), value):
            text = f"{name} is left out: only the browser sets it"
            trace.add_step("leave out a header", Clause.FORBIDDEN_HEADER, text)
        elif request.mode == "no-cors" and not _is_no_cors_safe(name, value, fields, engine):
            text = f"{name} is left out: mode `no-cors` sends safelisted headers only"
            trace.add_step("leave out a header", Clause.NO_CORS_SAFELISTED_HEADER, text)
        else:
            fields.append((name, value))
    return tuple(fields)


def _parse_field(value_pair: object) -> tuple[str, str]:
    match value_pair:
        case (str(name), str(value)):
            return name, value.strip(_WHITE_SPACE)
    raise TypeError(
        f"headers: {value_pair!r} is not a name and a value, both of them str: "
        'write headers={"X-Trace": "1"}'
    )


def _is_no_cors_safe(
    name: str, value: str, fields: list[tuple[str, str]], engine: EngineQuirks
) -> bool:
    """Return True if a header, joined with its earlier lines, is allowed in mode `no-cors`.

    Fetch, "append" to a `Headers` object whose guard is `request-no-cors`.
    """
    joined = Headers((*fields, (name, value)))[name]
    return is_no_cors_safelisted(name, joined, engine)
