"""The effect of a decision, or of a response, on a page: what its browser lets it notice."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from corsguard.engine.cache import BoundedCache
from corsguard.engine.decision import Decision, Reason
from corsguard.engine.header_names import parse_names
from corsguard.engine.request import CORSRequest
from corsguard.engine.same_origin import is_same_origin
from corsguard.escaping import as_text
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    SAFELISTED_METHODS,
)

__all__ = [
    "CORSResponse",
    "Effect",
    "ResponseValues",
    "Verdict",
    "describe_effect",
    "describe_response",
    "read_response",
]

Verdict = Literal["would-allow", "would-refuse"]


class Effect(NamedTuple):
    """What a decision means to a page. Of two effects, the greater one allows more."""

    is_served: bool
    """True unless corsguard refuses the request, or its preflight, with 403."""
    is_readable: bool
    """True if the browser lets the page have the response."""
    has_credentials: bool


class CORSResponse(NamedTuple):
    """What a browser reads of a response for the CORS protocol.

    Several lines of one field are joined with a comma. None stands for a field that is missing.
    """

    status: int
    allow_origin: str | None = None
    allow_credentials: str | None = None
    allow_methods: str | None = None
    allow_headers: str | None = None

    @classmethod
    def of(cls, values: ResponseValues) -> CORSResponse:
        """Return the response of values that `read_response` has found."""
        status, *fields = values
        texts = (None if each is None else as_text(each) for each in fields)
        return cls(int(status[:3]) if isinstance(status, str) else status, *texts)


_Value = str | bytes | None
ResponseValues = tuple[int | str, _Value, _Value, _Value, _Value]
"""The values of a CORSResponse. The first may be a status line of WSGI, the others bytes."""

_INDICES = {
    name.lower(): index
    for index, name in enumerate((ALLOW_ORIGIN, ALLOW_CREDENTIALS, ALLOW_METHODS, ALLOW_HEADERS), 1)
}
# Name of a field, as it was spelled -> its index in CORSResponse, 0 for any other field.
_spelled: BoundedCache[str | bytes, int] = BoundedCache()


def read_response(
    status: int | str, headers: Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
) -> ResponseValues:
    """Return what the CORS protocol needs of a response, whose fields are texts or bytes."""
    origin = credentials = methods = names = None
    for name, value in headers:
        try:
            index = _spelled[name]
        except KeyError:
            index = _find_index(name)
        if index == 0:
            continue
        if index == 1:
            origin = _join(origin, value) if origin else value
        elif index == 2:
            credentials = _join(credentials, value) if credentials else value
        elif index == 3:
            methods = _join(methods, value) if methods else value
        else:
            names = _join(names, value) if names else value
    return status, origin, credentials, methods, names


def _join(before: str | bytes, value: str | bytes) -> str:
    """Return the value of two lines of one field."""
    return f"{as_text(before)}, {as_text(value)}"


def _find_index(name: str | bytes) -> int:
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    index = _INDICES.get(text.lower(), 0)
    _spelled.store(name, index)
    return index


def describe_effect(
    decision: Decision, request: CORSRequest, own_origins: Collection[str]
) -> Effect:
    """Return the effect of a decision on the page that sends the request.

    A path without CORS counts as one whose responses are blocked.
    """
    is_served = decision.status != 403
    if _is_own(request, own_origins):
        return Effect(is_served, is_readable=is_served, has_credentials=is_served)
    is_readable = decision.allowed and decision.reason is not Reason.NO_POLICY
    has_credentials = is_readable and (ALLOW_CREDENTIALS, "true") in decision.headers
    return Effect(is_served, is_readable, has_credentials)


def describe_response(
    response: CORSResponse, request: CORSRequest, own_origins: Collection[str]
) -> Effect:
    """Return the effect of a response that anything has given on the page that gets it.

    Fetch, "CORS check" and "CORS-preflight fetch". A preflight does not say whether its request
    has credentials, so it is readable if either request may follow.
    """
    if _is_own(request, own_origins):
        return Effect(is_served=True, is_readable=True, has_credentials=True)
    is_named = response.allow_origin == request.origin
    is_allowed = is_named or response.allow_origin == "*"
    has_credentials = is_named and response.allow_credentials == "true"
    if request.is_preflight:
        # In a request with credentials `*` is a name like any other.
        is_ok = 200 <= response.status <= 299
        has_credentials = is_ok and has_credentials and _covers(response, request, is_literal=True)
        is_plain = is_ok and is_allowed and _covers(response, request, is_literal=False)
        is_readable = has_credentials or is_plain
        return Effect(is_readable, is_readable, has_credentials)
    if request.has_cookie and request.fetch_mode in {None, "cors"}:
        is_allowed = has_credentials
    return Effect(is_served=True, is_readable=is_allowed, has_credentials=has_credentials)


def _is_own(request: CORSRequest, own_origins: Collection[str]) -> bool:
    """Return True if no CORS check applies to a request: it has no origin, or its own one."""
    if request.is_preflight:
        return False
    return request.origin is None or is_same_origin(request, own_origins)


def _covers(response: CORSResponse, request: CORSRequest, *, is_literal: bool) -> bool:
    """Return True if the response to a preflight lists the method and the headers."""
    methods = _split(response.allow_methods)
    method = request.requested_method or ""
    is_listed = method in methods or method in SAFELISTED_METHODS
    if not is_listed and (is_literal or "*" not in methods):
        return False
    listed = {name.lower() for name in _split(response.allow_headers)}
    names = parse_names(request.requested_headers)
    if names is None:
        return False
    # Fetch, "CORS non-wildcard request-header name": `*` does not cover Authorization.
    is_any = "*" in listed and not is_literal
    return all(name in listed or (is_any and name != "authorization") for name in names)


def _split(value: str | None) -> set[str]:
    return {part.strip(" \t") for part in (value or "").split(",")} - {""}
