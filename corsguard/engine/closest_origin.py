"""The listed origin that a refused one is a slip away from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import merge

from corsguard.origin import MAX_LENGTH, Origin, OriginError, default_port_suffix

__all__ = ["find_closest_origin", "sort_origins"]

_SORTED_AT_ONCE = 10_000
_MOST_LEVELS = 5  # of a host: what a stranger sends must not cost more
_OTHER_SCHEME = {"http": "https", "https": "http"}
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  # nothing binds it
"""Hosts by which a developer reaches one and the same server: to a browser, different origins."""


def sort_origins(entries: list[str]) -> list[str]:
    """The entries in order, in short calls: no other thread runs during one to `sorted`."""
    parts = range(0, len(entries), _SORTED_AT_ONCE)
    return [*merge(*(sorted(entries[at : at + _SORTED_AT_ONCE]) for at in parts))]


def find_closest_origin(origin: str, listed: Sequence[str]) -> str | None:
    """Return the one of the sorted patterns that differs least from origin, or None.

    It may differ in its scheme, its port, `www.`, the level of its host, the name of this machine
    (`localhost`, `127.0.0.1`), a trailing slash, upper case or a port that is not written.
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
    starts = [*_starts(parsed)]
    for near in (start + end for start in starts for end in (port, ":*")):
        if _from(near, listed) == near:
            return near
    for start in starts:  # with any port, which is one more difference
        # `-` and `.` sort before `:`, so the port of a host need not follow the bare host.
        for near in (_from(start, listed), _from(f"{start}:", listed)):
            if near == start or near.startswith(f"{start}:"):
                return near
    return None


def _from(text: str, listed: Sequence[str]) -> str:
    """The first of the sorted patterns that does not come before text."""
    at = bisect_left(listed, text)
    return listed[at] if at < len(listed) else ""


def _starts(origin: Origin) -> Iterator[str]:
    """Yield what a nearby pattern begins with, up to its port, the likeliest first."""
    host = origin.host
    others = [name for name in _THIS_MACHINE if name != host] if host in _THIS_MACHINE else []
    toggled = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    labels = host.split(".")
    above = [".".join(labels[level:]) for level in range(1, min(len(labels), _MOST_LEVELS))]
    for scheme in (origin.scheme, _OTHER_SCHEME.get(origin.scheme, origin.scheme)):
        for near in (host, *others, toggled, *(f"*.{parent}" for parent in (host, *above))):
            yield f"{scheme}://{near}"
