"""The listed origin that a refused one is a slip away from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from heapq import merge

from corsguard.origin import MAX_LENGTH, Origin, OriginError, default_port_suffix

__all__ = ["find_closest_origin", "sort_origins"]

_SORTED_AT_ONCE = 10_000
_MOST_LEVELS = 5
"""Levels of a host that are tried: what an untrusted origin sends must not cost more."""
_OTHER_SCHEME = {"http": "https", "https": "http"}
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  # nothing binds it
"""Hosts by which a developer reaches one and the same server: to a browser, different origins."""


def sort_origins(entries: list[str]) -> list[str]:
    """Sort entries in short calls: no other thread runs during a call of `sorted`."""
    parts = range(0, len(entries), _SORTED_AT_ONCE)
    return [*merge(*(sorted(entries[at : at + _SORTED_AT_ONCE]) for at in parts))]


def find_closest_origin(origin: str, listed: Sequence[str]) -> str | None:
    """Return the one of the sorted patterns that differs least from origin, or None.

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
    port = "" if parsed.port is None else f":{parsed.port}"
    starts = _list_starts(parsed)
    # Exactly one difference, and then a different port as well.
    for start in starts:
        for closest in (start + port, f"{start}:*"):
            at = bisect_left(listed, closest)
            if at < len(listed) and listed[at] == closest:
                return closest
    for start in starts:
        # `-` and `.` sort before `:`, so the ports of a host need not follow the bare host.
        for prefix in (start, f"{start}:"):
            at = bisect_left(listed, prefix)
            closest = listed[at] if at < len(listed) else ""
            if closest == start or closest.startswith(f"{start}:"):
                return closest
    return None


def _list_starts(origin: Origin) -> list[str]:
    """Return what a close pattern begins with, up to its port, the likeliest first."""
    host = origin.host
    others = [name for name in _THIS_MACHINE if name != host] if host in _THIS_MACHINE else []
    toggled = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    labels = host.split(".")
    above = [".".join(labels[level:]) for level in range(1, min(len(labels), _MOST_LEVELS))]
    hosts = [host, *others, toggled, *[f"*.{parent}" for parent in (host, *above)]]
    schemes = (origin.scheme, _OTHER_SCHEME.get(origin.scheme, origin.scheme))
    return [f"{scheme}://{name}" for scheme in schemes for name in hosts]
