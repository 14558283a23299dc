"""Advice for a line of the log: the change that would allow a refused request.

No decision depends on it. Only this module reads `X-Forwarded-Host` and `Forwarded`, which show
how a proxy rewrites `Host`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from corsguard import fetch_spec
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.escaping import escape_text
from corsguard.origin import Origin, OriginError, default_port_suffix

if TYPE_CHECKING:
    from corsguard.engine import Engine
    from corsguard.engine.request import CORSRequest

__all__ = ["advise"]

_LONGEST_FORWARDED = 1_000
_LONGEST_HOST = 80
_SENDERS = {
    "null": "any sandboxed frame",
    "file://": "any file on the user's disk, a downloaded page too,",
}
"""Opaque origin -> the pages that send it."""


def advise(decision: Decision, reason: Reason, request: CORSRequest, engine: Engine | None) -> str:
    """Return the change that would allow a refused request.

    `reason` is the one before enforcement, and `engine` that of the policy that applies, None if
    there is none.
    """
    if decision.kind is not Kind.PREFLIGHT and (own := _suggest_own_origin(request)):
        return own
    if request.origin is None:
        return "list the path in enforce_exempt, if any site may do this"
    if engine is None:
        return "allow the origin in a policy for this path, or list the path in enforce_exempt"
    if reason is Reason.ORIGIN_INVALID:
        return "no browser sends such an Origin: look for a proxy that rewrites it"
    if reason is Reason.ORIGIN_NOT_ALLOWED:
        return _suggest_for_origin(request.origin, engine)
    if reason is Reason.METHOD_NOT_ALLOWED:
        return _suggest_for_method(request.requested_method or "", engine)
    if reason is Reason.HEADERS_NOT_ALLOWED:
        return (
            "add it to allow_headers"
            if fetch_spec.is_token(decision.detail)
            else "no page sends it"
        )
    if engine.any_origin:  # of a view, under enforcement, or without credentials
        return "list the origin by name in allow_origins, and set allow_credentials for its cookies"
    return 'set allow_credentials, or have the page send no cookies (credentials: "omit")'


def _suggest_for_origin(text: str, engine: Engine) -> str:
    origin = _parse(text)
    if origin is None or origin.opaque:
        flag = "" if engine.guards_users else ", or list it with dangerously_allow_null_origin"
        who = _SENDERS.get(text, _SENDERS["null"])
        return f"{who} sends it: give the page an origin of its own{flag}"
    if engine.origins.refuses_plain_http(origin):
        flag = "dangerously_allow_insecure_origins"
        if engine.origins.may_match(text):
            return f"plain http is the reason: serve the page over https, or set {flag}"
        return f"serve the page over https, or add it to allow_origins and set {flag}"
    return "add it to allow_origins"


def _suggest_for_method(method: str, engine: Engine) -> str:
    if method.upper() in engine.policy.allow_methods:
        return f"methods are case-sensitive: have the page send {escape_text(method.upper(), 20)}"
    if not fetch_spec.is_token(method) or method.upper() in fetch_spec.FORBIDDEN_METHODS:
        return "no page can send it"
    return "add it to allow_methods"


def _suggest_own_origin(request: CORSRequest) -> str:
    """Return the advice for a proxy that rewrites `Host`, so that own pages look cross-origin.

    Empty if that is not the reason. A request with `Sec-Fetch-Site` does not depend on `Host`.
    """
    origin = _parse(request.origin)
    if origin is None or origin.opaque or request.fetch_site is not None:
        return ""
    for name, host in _list_forwarded_hosts(request):
        if host.lower().removesuffix(default_port_suffix(origin.scheme)) == origin.authority:
            given = escape_text(request.host or "missing", _LONGEST_HOST)
            hosts = f"Host is {given}, {name} {escape_text(host, _LONGEST_HOST)}"
            return f"if this service is {origin}, list {origin} in own_origins: {hosts}"
    return ""


def _list_forwarded_hosts(request: CORSRequest) -> Iterator[tuple[str, str]]:
    """Yield the field and the host for each host that proxies say the client has requested."""
    for host in (request.forwarded_host or "")[:_LONGEST_FORWARDED].split(","):
        yield "X-Forwarded-Host", host.strip()
    for element in (request.forwarded or "")[:_LONGEST_FORWARDED].split(","):  # RFC 7239, 4
        for pair in element.split(";"):
            name, _, value = pair.partition("=")
            if name.strip().lower() == "host":
                yield "Forwarded host", value.strip().strip('"')


def _parse(text: str | None) -> Origin | None:
    try:
        return None if text is None else Origin.parse(text)
    except OriginError:
        return None
