"""How each misconfiguration is looked for: a check asks the server, and yields what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.cli.audit.catalogue import Evidence, Finding
from corsguard.cli.audit.origins import Trick, tricks
from corsguard.cli.audit.paths import missing_below, other_spellings
from corsguard.cli.audit.server import Server
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
)
from corsguard.origin import Origin, OriginError

__all__ = ["CHECKS", "LOOKED_FOR", "Check"]

Check = Callable[[Server], Iterator[Finding]]

_NEEDS_LOGIN = frozenset({401, 407})
_REFUSES = _NEEDS_LOGIN | {403}


def _origins(server: Server) -> Iterator[Finding]:
    """Who is let in by mistake. Where that is everyone, nobody is named apart."""
    reflected = _reflected(server)
    if reflected:
        code = "reflected-with-credentials" if reflected.credentials else "origin-reflected"
        yield Finding.of(code, reflected)
        return
    for shown in (server.actual("null"), server.preflight("null")):
        if shown.names("null"):
            yield Finding.of("null-allowed", shown)
            break
    yield from _lookalikes(server)


def _reflected(server: Server) -> Evidence | None:
    """A stranger that is let in by its name, with credentials if there is one."""
    found = [shown for shown in _by_strangers(server) if shown.lets_in]
    return next((shown for shown in found if shown.credentials), found[0] if found else None)


def _by_strangers(server: Server) -> Iterator[Evidence]:
    yield server.actual(server.stranger)
    yield server.preflight(server.stranger)
    yield server.actual(server.stranger, cookie=True)
    for origin in server.other_strangers:
        yield server.actual(origin)


def _lookalikes(server: Server) -> Iterator[Finding]:
    found: set[str] = set()
    for trick in tricks(server.page_origin):
        if not found & trick.unless and (shown := _let_in(server, trick)):
            found.add(trick.code)
            yield Finding.of(trick.code, shown)


def _let_in(server: Server, trick: Trick) -> Evidence | None:
    shown = next(filter(lambda one: one.lets_in, map(server.asked_as, trick.origins)), None)
    if shown and trick.control and server.asked_as(trick.control).lets_in:
        return None
    return shown


def _paths(server: Server) -> Iterator[Finding]:
    """Whether the answer can be had, by another spelling of its path, by those kept out."""
    kept_out = [
        origin
        for origin in (server.stranger, server.page)
        if not server.actual(origin).allows(origin)
    ]
    for url in other_spellings(server.url) if kept_out else ():
        for origin in kept_out:
            plain, other = server.actual(origin), server.actual(origin, url=url)
            if other.allows(origin) and _is_same(server, plain, other):
                yield Finding.of("path-spelling", other, plain)
                return


def _is_same(server: Server, plain: Evidence, other: Evidence) -> bool:
    """Whether other is the same resource as plain, going by the answers."""
    if plain.answer.status != other.answer.status or not 200 <= plain.answer.status <= 299:
        return False
    constant = plain.answer.body == server.actual(None).answer.body
    if constant and plain.answer.body:
        return plain.answer.body == other.answer.body
    # The body differs each time, or is not read, as of an event stream.
    same = plain.lines("Content-Type") == other.lines("Content-Type")
    return same and (not constant or not other.answer.body)


def _vary(server: Server) -> Iterator[Finding]:
    """Whether an answer that a cache may keep depends on Origin without saying so."""
    answers = [server.actual(origin) for origin in (server.page, server.stranger, None)]
    for silent, other in permutations(answers, 2):
        if silent.policy != other.policy and not _varies(silent) and _is_kept(silent):
            yield Finding.of("vary-missing", silent, other)
            return


def _varies(shown: Evidence) -> bool:
    return not {"origin", "*"}.isdisjoint(_elements(shown, "Vary"))


def _is_kept(shown: Evidence) -> bool:
    # RFC 9111, 5.2.2.5: no cache keeps what says `no-store`.
    return "no-store" not in _elements(shown, "Cache-Control")


def _elements(shown: Evidence, name: str) -> list[str]:
    return [part.strip().lower() for line in shown.lines(name) for part in line.split(",")]


def _leaks(server: Server) -> Iterator[Finding]:
    for shown in (server.actual(server.stranger), server.preflight(server.stranger)):
        if shown.policy and not _is_for(shown, server.stranger):
            yield Finding.of("policy-leaked", shown)
            return


def _is_for(shown: Evidence, origin: str) -> bool:
    """Whether what the answer allows is for origin, or is a mistake that has its own finding."""
    allowed = shown.lines(ALLOW_ORIGIN)
    return shown.allows(origin) or allowed == ("null",) or bool(allowed and _mistake(allowed))


def _values(server: Server) -> Iterator[Finding]:
    """Header values that browsers do not take for what was meant, each mistake once."""
    found: set[str] = set()
    for origin in (server.page, server.stranger):
        for shown in (server.actual(origin), server.preflight(origin)):
            for code in set(_mistaken(shown)) - found:
                found.add(code)
                yield Finding.of(code, shown)


def _mistaken(shown: Evidence) -> Iterator[str]:
    origins, credentials = shown.lines(ALLOW_ORIGIN), shown.lines(ALLOW_CREDENTIALS)
    if origins and (code := _mistake(origins)):
        yield code
    if credentials and not shown.credentials:
        yield "credentials-invalid"
    lists = (ALLOW_ORIGIN, ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS)
    if shown.credentials and any("*" in _elements(shown, name) for name in lists):
        yield "wildcard-with-credentials"


def _mistake(origins: tuple[str, ...]) -> str | None:
    """What is wrong with the lines of Access-Control-Allow-Origin (Fetch, "CORS check")."""
    if len(origins) > 1 or "," in origins[0] or " " in origins[0]:
        return "allow-origin-repeated"
    try:
        if origins[0] != "*":
            Origin.parse(origins[0])
    except OriginError:
        return "allow-origin-invalid"
    return None


def _preflights(server: Server) -> Iterator[Finding]:
    """Whether preflights, which have no credentials, are kept out for that."""
    refused, actual = server.preflight(server.page), server.actual(server.page)
    status = refused.answer.status
    works = actual.allows(server.page) and actual.answer.status <= 299
    both = {status, actual.answer.status} <= _NEEDS_LOGIN
    if both or (works and status in _REFUSES | REDIRECT_STATUSES):
        yield Finding.of("preflight-authenticated", refused, actual)
    elif server.has_fields and status in _REFUSES | REDIRECT_STATUSES:
        logged_in = server.preflight(server.page, fields=True)
        if logged_in.allows(server.page):
            yield Finding.of("preflight-authenticated", refused, logged_in)


def _errors(server: Server) -> Iterator[Finding]:
    """Whether errors lack the headers where a preflight says that the page is allowed."""
    found = server.actual(server.page)
    if found.answer.status <= 399 and not found.allows(server.page):
        return  # it is not the errors alone
    for url in (server.url, missing_below(server.url)):
        failed = server.actual(server.page, url=url)
        if failed.answer.status >= 400 and not failed.lines(ALLOW_ORIGIN):
            preflight = server.preflight(server.page, url=url)
            if preflight.allows(server.page):
                yield Finding.of("errors-without-headers", failed, preflight)
                return


CHECKS: dict[str, Check] = {
    "origins": _origins,
    "paths": _paths,
    "caches": _vary,
    "strangers": _leaks,
    "values": _values,
    "preflights": _preflights,
    "errors": _errors,
}
"""By what is looked at, in the order in which it is."""

LOOKED_FOR: dict[str, str] = {
    "origins": "any origin sent back, `null`, look-alikes of the page's origin, http, other ports",
    "paths": "a more open policy by another spelling of the path",
    "caches": "a response that depends on Origin without Vary: Origin",
    "strangers": "a policy that is told to an origin that is not allowed",
    "values": "values of Access-Control-* that browsers do not take",
    "preflights": "preflights that need a login",
    "errors": "errors without CORS headers",
}
"""What each check looks for."""
