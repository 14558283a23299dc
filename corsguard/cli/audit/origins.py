"""Origins that a server should not allow, made from one that it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corsguard.origin import Origin, is_ip_address
from corsguard.public_suffix import find_registrable_domain

__all__ = ["Trick", "strangers", "tricks"]

_STRANGER = "stranger.example"  # RFC 2606, 3: nobody has it
_SPECIAL = "_`{!~,&+"
_OTHER_PORT = 8_441


class Trick(NamedTuple):
    """Origins that one slip in the comparison lets pass."""

    code: str
    """Of the rule that is broken where one of them is allowed."""
    origins: tuple[str, ...]
    unless: frozenset[str]
    """Codes of slips that let these pass as well, so that they show nothing more."""
    control: str | None = None
    """An origin that may well be allowed on purpose, and then these are as well."""


def strangers(page: Origin) -> tuple[str, ...]:
    """Origins that nothing connects with page; the second has its top-level domain."""
    scheme = page.scheme or "https"
    _, dot, suffix = find_registrable_domain(page.host).partition(".")
    alike = (f"{scheme}://corsguard-stranger.{suffix}",) if dot and _is_name(page.host) else ()
    return (f"{scheme}://{_STRANGER}", *alike)


def tricks(page: Origin) -> Iterator[Trick]:
    """What a server that allows page might allow by mistake, the broadest first."""
    if page.opaque:
        return
    owned = find_registrable_domain(page.host)
    if _is_name(page.host):
        yield _trick("substring-match", _containing(page))
    if not page.host.startswith("["):
        yield _trick("prefix-match", _beginning(page), "substring-match")
    if _is_name(page.host):
        yield _trick("suffix-match", [_with_host(page, f"stranger{owned}")], "substring-match")
        yield _trick(
            "suffix-match",
            [_with_host(page, f"stranger{page.host}")],
            "substring-match",
            "suffix-match",
        )._replace(control=_with_host(page, f"stranger.{owned}"))
        broader = ("substring-match", "prefix-match", "suffix-match")
        yield _trick("unescaped-dot", _undotted(page), *broader)
        yield _trick("special-characters", _special(page), "substring-match", "prefix-match")
    if page.scheme == "https":
        downgraded = str(page._replace(scheme="http"))
        yield _trick("scheme-downgrade", [downgraded], "substring-match", "suffix-match")
    other_port = str(page._replace(port=_OTHER_PORT))
    yield _trick("any-port", [other_port], "substring-match", "prefix-match")


def _trick(code: str, origins: list[str], *unless: str) -> Trick:
    return Trick(code, tuple(origins), frozenset(unless))


def _is_name(host: str) -> bool:
    return host != "" and not is_ip_address(host)


def _with_host(page: Origin, host: str) -> str:
    return str(page._replace(host=host))


def _containing(page: Origin) -> list[str]:
    return [_with_host(page, f"stranger{page.host}.{_STRANGER}")]


def _beginning(page: Origin) -> list[str]:
    origins = [
        _with_host(page, f"{page.host}.{_STRANGER}"),
        _with_host(page, f"{page.host}-{_STRANGER}"),
    ]
    if page.port is not None:
        origins.append(str(Origin(page.scheme, f"{page.host}.{_STRANGER}", None)))
    return origins


def _undotted(page: Origin) -> list[str]:
    """Page with one dot replaced, where the result is not a subdomain of the same owner."""
    first = len(page.host) - len(find_registrable_domain(page.host)) - 1
    dots = [at for at, character in enumerate(page.host) if character == "." and at >= first]
    return [_with_host(page, f"{page.host[:at]}x{page.host[at + 1 :]}") for at in dots]


def _special(page: Origin) -> list[str]:
    return [_with_host(page, f"{page.host}{character}.{_STRANGER}") for character in _SPECIAL]
