"""The listed origin that a refused one is a slip away from."""

from __future__ import annotations

from collections import ChainMap

from corsguard.origin import MAX_LENGTH, Origin, OriginError, default_port_suffix
from corsguard.policy.allow_list import AllowList

__all__ = ["find_closest_origin"]

_MOST_LEVELS = 5
"""Levels of a host that are tried: what an untrusted origin sends must not cost more."""
_OTHER_SCHEME = {"http": "https", "https": "http"}
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  # nothing binds it
"""Hosts by which a developer reaches one and the same server: to a browser, different origins."""


def find_closest_origin(origin: str, *lists: AllowList) -> str | None:
    """Return the origin or pattern in any of the lists that differs least from origin, or None.

    It may differ in its scheme, its port, `www.`, the level of its host, the name of this machine
    (`localhost`, `127.0.0.1`), a trailing slash, upper case or a default port.
    """
    text = origin[:MAX_LENGTH].strip().rstrip("/").lower()
    text = text.removesuffix(default_port_suffix(text.partition("://")[0]))
    try:
        parsed = Origin.parse(text)
    except OriginError:
        return None
    if parsed.opaque:
        return None
    port = "" if parsed.port is None else str(parsed.port)
    hosts = _list_hosts(parsed)
    found = [each.find_entries(hosts) for each in lists]
    merged = found[0] if len(found) == 1 else map(_merge, *found)
    some = [entries for entries in merged if entries]
    # Exactly one difference, and then a different port as well.
    for entries in some:
        closest = entries.get(port) or entries.get("*")
        if closest:
            return closest
    return next(iter(some[0].values())) if some else None


def _merge(*entries: dict[str, str]) -> dict[str, str]:
    """Return the entries of all lists for a scheme and a host, sorted by port."""
    return dict(sorted(ChainMap(*entries).items()))


def _list_hosts(origin: Origin) -> list[tuple[str, str]]:
    """Return the scheme and the host of close patterns, the likeliest first."""
    host = origin.host
    others = [name for name in _THIS_MACHINE if name != host] if host in _THIS_MACHINE else []
    toggled = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    labels = host.split(".")
    above = [".".join(labels[level:]) for level in range(1, min(len(labels), _MOST_LEVELS))]
    hosts = [host, *others, toggled, *[f"*.{parent}" for parent in (host, *above)]]
    schemes = (origin.scheme, _OTHER_SCHEME.get(origin.scheme, origin.scheme))
    return [(scheme, name) for scheme in schemes for name in hosts]
