"""The listed origin that a refused one is one slip away from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import merge

from corsguard.origin import MAX_LENGTH, Origin, OriginError, default_port_suffix

__all__ = ["in_order", "nearest_listed"]

_SORTED_AT_ONCE = 10_000
_OTHER_SCHEME = {"http": "https", "https": "http"}


def in_order(entries: list[str]) -> list[str]:
    """The entries in order, in short calls: no other thread runs during one to `sorted`."""
    parts = range(0, len(entries), _SORTED_AT_ONCE)
    return [*merge(*(sorted(entries[at : at + _SORTED_AT_ONCE]) for at in parts))]


def nearest_listed(origin: str, listed: Sequence[str]) -> str | None:
    """The first of the sorted patterns that differs from origin in its scheme, its port, `www.`,
    the level of its host, a trailing slash, upper case or a port that should not be written."""
    text = origin[:MAX_LENGTH].strip().rstrip("/").lower()
    text = text.removesuffix(default_port_suffix(text.partition("://")[0]))
    try:
        parsed = Origin.parse(text)
    except OriginError:
        return None
    return next(
        (
            listed[at]
            for start in _starts(parsed)
            # `-` and `.` sort before `:`, so the port of a host need not follow the bare host.
            for at in (bisect_left(listed, start), bisect_left(listed, start + ":"))
            if at < len(listed) and (listed[at] == start or listed[at].startswith(start + ":"))
        ),
        None,
    )


def _starts(origin: Origin) -> Iterator[str]:
    """What a nearby pattern begins with, up to its port, the likeliest first."""
    host = origin.host
    toggled = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    for scheme in (origin.scheme, _OTHER_SCHEME.get(origin.scheme, origin.scheme)):
        for near in (host, toggled, f"*.{host}", f"*.{host.partition('.')[2]}"):
            yield f"{scheme}://{near}"
