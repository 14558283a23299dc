"""Origins that a server should refuse, derived from one that it should allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corsguard.origin import Origin, is_ip_address
from corsguard.public_suffix import find_registrable_domain

__all__ = ["OriginProbe", "list_origin_probes", "list_untrusted_origins"]

_UNTRUSTED_HOST = "untrusted.example"  # RFC 2606, 3: nobody can register it
_SPECIAL_CHARACTERS = "_`{!~,&+"
_OTHER_PORT = 8_441


class OriginProbe(NamedTuple):
    """Origins that one mistake in the comparison of origins allows."""

    code: str
    """The code of the rule that is broken if one of them is allowed."""
    origins: tuple[str, ...]
    implied_by: frozenset[str]
    """Codes of broader mistakes, which allow these origins as well."""
    control: str | None = None
    """An origin that may be allowed on purpose; if it is, so are these."""


def list_untrusted_origins(page: Origin) -> tuple[str, ...]:
    """Return origins that have nothing to do with page; the second shares its public suffix."""
    scheme = page.scheme or "https"
    _, dot, suffix = find_registrable_domain(page.host).partition(".")
    alike = (f"{scheme}://corsguard-untrusted.{suffix}",) if dot and _is_domain(page.host) else ()
    return (f"{scheme}://{_UNTRUSTED_HOST}", *alike)


def list_origin_probes(page: Origin) -> Iterator[OriginProbe]:
    """Yield what a server that allows page might allow by mistake, the broadest first."""
    if page.opaque:
        return
    domain = find_registrable_domain(page.host)
    if _is_domain(page.host):
        yield _build_probe("substring-match", _list_containing(page))
    if not page.host.startswith("["):
        yield _build_probe("prefix-match", _list_beginning(page), "substring-match")
    if _is_domain(page.host):
        yield _build_probe(
            "suffix-match", [_replace_host(page, f"untrusted{domain}")], "substring-match"
        )
        yield _build_probe(
            "suffix-match",
            [_replace_host(page, f"untrusted{page.host}")],
            "substring-match",
            "suffix-match",
        )._replace(control=_replace_host(page, f"untrusted.{domain}"))
        broader = ("substring-match", "prefix-match", "suffix-match")
        yield _build_probe("unescaped-dot", _list_undotted(page), *broader)
        yield _build_probe(
            "special-characters", _list_special(page), "substring-match", "prefix-match"
        )
    if page.scheme == "https":
        downgraded = str(page._replace(scheme="http"))
        yield _build_probe("scheme-downgrade", [downgraded], "substring-match", "suffix-match")
    other_port = str(page._replace(port=_OTHER_PORT))
    yield _build_probe("any-port", [other_port], "substring-match", "prefix-match")


def _build_probe(code: str, origins: list[str], *implied_by: str) -> OriginProbe:
    return OriginProbe(code, tuple(origins), frozenset(implied_by))


def _is_domain(host: str) -> bool:
    return host != "" and not is_ip_address(host)


def _replace_host(page: Origin, host: str) -> str:
    return str(page._replace(host=host))


def _list_containing(page: Origin) -> list[str]:
    return [_replace_host(page, f"untrusted{page.host}.{_UNTRUSTED_HOST}")]


def _list_beginning(page: Origin) -> list[str]:
    origins = [
        _replace_host(page, f"{page.host}.{_UNTRUSTED_HOST}"),
        _replace_host(page, f"{page.host}-{_UNTRUSTED_HOST}"),
    ]
    if page.port is not None:
        origins.append(str(Origin(page.scheme, f"{page.host}.{_UNTRUSTED_HOST}", None)))
    return origins


def _list_undotted(page: Origin) -> list[str]:
    """Return page with one dot of its registrable domain, or before it, replaced."""
    first = len(page.host) - len(find_registrable_domain(page.host)) - 1
    dots = [at for at, character in enumerate(page.host) if character == "." and at >= first]
    return [_replace_host(page, f"{page.host[:at]}x{page.host[at + 1 :]}") for at in dots]


def _list_special(page: Origin) -> list[str]:
    return [
        _replace_host(page, f"{page.host}{character}.{_UNTRUSTED_HOST}")
        for character in _SPECIAL_CHARACTERS
    ]
