"""The checks of an audit: each sends requests to the server, and yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.cli.audit.catalogue import Evidence, Finding
from corsguard.cli.audit.origin_probes import OriginProbe, list_origin_probes
from corsguard.cli.audit.path_spellings import build_missing_url, list_other_spellings
from corsguard.cli.audit.server import AuditedServer
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
)
from corsguard.origin import Origin, OriginError

__all__ = ["CHECKS", "LOOKED_FOR", "Check", "find_origin_mistake"]

Check = Callable[[AuditedServer], Iterator[Finding]]

_NEEDS_LOGIN = frozenset({401, 407})
_REFUSES = _NEEDS_LOGIN | {403}


def _check_origins(server: AuditedServer) -> Iterator[Finding]:
    """Find origins that are allowed by mistake. A reflected origin includes all the others."""
    reflected = _find_reflected(server)
    if reflected:
        code = "reflected-with-credentials" if reflected.credentials else "origin-reflected"
        yield Finding.build(code, reflected)
        return
    for shown in (server.send_actual("null"), server.send_preflight("null")):
        if shown.names_origin("null"):
            yield Finding.build("null-allowed", shown)
            break
    yield from _find_similar_origins(server)


def _find_reflected(server: AuditedServer) -> Evidence | None:
    """Return evidence that an untrusted origin is allowed, with credentials if possible."""
    found = [shown for shown in _send_as_untrusted(server) if shown.names_own_origin]
    return next((shown for shown in found if shown.credentials), found[0] if found else None)


def _send_as_untrusted(server: AuditedServer) -> Iterator[Evidence]:
    yield server.send_actual(server.untrusted_origin)
    yield server.send_preflight(server.untrusted_origin)
    yield server.send_actual(server.untrusted_origin, cookie=True)
    for origin in server.other_untrusted_origins:
        yield server.send_actual(origin)


def _find_similar_origins(server: AuditedServer) -> Iterator[Finding]:
    found: set[str] = set()
    for probe in list_origin_probes(server.page_origin):
        if not found & probe.implied_by and (shown := _send_probe(server, probe)):
            found.add(probe.code)
            yield Finding.build(probe.code, shown)


def _send_probe(server: AuditedServer, probe: OriginProbe) -> Evidence | None:
    shown = next(filter(lambda one: one.names_own_origin, map(server.send_as, probe.origins)), None)
    if shown and probe.control and server.send_as(probe.control).names_own_origin:
        return None
    return shown


def _check_paths(server: AuditedServer) -> Iterator[Finding]:
    """Find another spelling of the path with a more open policy."""
    refused = [
        origin
        for origin in (server.untrusted_origin, server.page)
        if not server.send_actual(origin).allows(origin)
    ]
    for url in list_other_spellings(server.url) if refused else ():
        for origin in refused:
            plain, other = server.send_actual(origin), server.send_actual(origin, url=url)
            if other.allows(origin) and _is_same_resource(server, plain, other):
                yield Finding.build("path-spelling", other, plain)
                return


def _is_same_resource(server: AuditedServer, plain: Evidence, other: Evidence) -> bool:
    """Return True if other is the same resource as plain, as far as the responses show."""
    if plain.answer.status != other.answer.status or not 200 <= plain.answer.status <= 299:
        return False
    constant = plain.answer.body == server.send_actual(None).answer.body
    if constant and plain.answer.body:
        return plain.answer.body == other.answer.body
    # The body differs each time, or is not read, such as that of an event stream.
    same = plain.lines("Content-Type") == other.lines("Content-Type")
    return same and (not constant or not other.answer.body)


def _check_caches(server: AuditedServer) -> Iterator[Finding]:
    """Find a cacheable response that depends on Origin without `Vary: Origin`."""
    answers = [
        server.send_actual(origin) for origin in (server.page, server.untrusted_origin, None)
    ]
    for plain, other in permutations(answers, 2):
        if plain.policy != other.policy and not plain.varies_by_origin and plain.is_cacheable:
            yield Finding.build("vary-missing", plain, other)
            return


def _check_leaks(server: AuditedServer) -> Iterator[Finding]:
    for shown in (
        server.send_actual(server.untrusted_origin),
        server.send_preflight(server.untrusted_origin),
    ):
        if shown.policy and not _is_meant_for(shown, server.untrusted_origin):
            yield Finding.build("policy-leaked", shown)
            return


def _is_meant_for(shown: Evidence, origin: str) -> bool:
    """Return True if the response allows origin, or is a mistake with a separate finding."""
    allowed = shown.lines(ALLOW_ORIGIN)
    return (
        shown.allows(origin)
        or allowed == ("null",)
        or bool(allowed and find_origin_mistake(allowed))
    )


def _check_values(server: AuditedServer) -> Iterator[Finding]:
    """Find header values that browsers do not accept, each mistake once."""
    found: set[str] = set()
    for origin in (server.page, server.untrusted_origin):
        for shown in (server.send_actual(origin), server.send_preflight(origin)):
            for code in set(_iter_mistakes(shown)) - found:
                found.add(code)
                yield Finding.build(code, shown)


def _iter_mistakes(shown: Evidence) -> Iterator[str]:
    origins, credentials = shown.lines(ALLOW_ORIGIN), shown.lines(ALLOW_CREDENTIALS)
    if origins and (code := find_origin_mistake(origins)):
        yield code
    if credentials and not shown.credentials:
        yield "credentials-invalid"
    lists = (ALLOW_ORIGIN, ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS)
    if shown.credentials and any("*" in shown.list_elements(name) for name in lists):
        yield "wildcard-with-credentials"


def find_origin_mistake(origins: tuple[str, ...]) -> str | None:
    """Return the code of a mistake in lines of Access-Control-Allow-Origin (Fetch, "CORS check").

    None for one origin, or `*`.
    """
    first, *others = origins
    if others or "," in first or " " in first:
        return "allow-origin-repeated"
    try:
        if first != "*":
            Origin.parse(first)
    except OriginError:
        return "allow-origin-invalid"
    return None


def _check_preflights(server: AuditedServer) -> Iterator[Finding]:
    """Find preflights that are refused because they have no credentials."""
    refused, actual = server.send_preflight(server.page), server.send_actual(server.page)
    status = refused.answer.status
    works = actual.allows(server.page) and actual.answer.status <= 299
    both = {status, actual.answer.status} <= _NEEDS_LOGIN
    if both or (works and status in _REFUSES | REDIRECT_STATUSES):
        yield Finding.build("preflight-authenticated", refused, actual)
    elif server.has_fields and status in _REFUSES | REDIRECT_STATUSES:
        logged_in = server.send_preflight(server.page, fields=True)
        if logged_in.allows(server.page):
            yield Finding.build("preflight-authenticated", refused, logged_in)


def _check_errors(server: AuditedServer) -> Iterator[Finding]:
    """Find errors without CORS headers where a preflight allows the page."""
    found = server.send_actual(server.page)
    if found.answer.status <= 399 and not found.allows(server.page):
        return  # not only errors lack the headers
    for url in (server.url, build_missing_url(server.url)):
        failed = server.send_actual(server.page, url=url)
        if failed.answer.status >= 400 and not failed.lines(ALLOW_ORIGIN):
            preflight = server.send_preflight(server.page, url=url)
            if preflight.allows(server.page):
                yield Finding.build("errors-without-headers", failed, preflight)
                return


CHECKS: dict[str, Check] = {
    "origins": _check_origins,
    "paths": _check_paths,
    "caches": _check_caches,
    "leaks": _check_leaks,
    "values": _check_values,
    "preflights": _check_preflights,
    "errors": _check_errors,
}
"""name -> check, in the order of the run"""

LOOKED_FOR: dict[str, str] = {
    "origins": "any origin sent back, `null`, similar origins, http, other ports",
    "paths": "a more open policy for another spelling of the path",
    "caches": "a response that depends on Origin without Vary: Origin",
    "leaks": "a policy that is sent to an origin that is not allowed",
    "values": "values of Access-Control-* that browsers do not accept",
    "preflights": "preflights that require a login",
    "errors": "errors without CORS headers",
}
"""name of a check -> what it looks for"""
