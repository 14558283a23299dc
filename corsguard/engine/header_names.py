"""Lists of header names, as requests and responses carry them."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["join_names", "parse_names"]

_MAX_LENGTH = 4_096
_MAX_NAMES = 64
_OWS = " \t"


def parse_names(value: str | None) -> list[str] | None:
    """Return the lower-case names in a list of field names, in their order, each once.

    Leaves out optional white space and empty elements (RFC 9110, 5.6.1.2). Returns None for a list
    of over 4,096 characters or 64 names: no page sends so many, and reading them would be work
    that only an attacker asks for.
    """
    if value is None:
        return []
    if len(value) > _MAX_LENGTH:
        return None
    names = [name for part in filter(None, value.split(",")) if (name := part.strip(_OWS))]
    if len(names) > _MAX_NAMES:
        return None
    # Only ASCII: the lower case of some other letters is an ASCII letter.
    lowered = [name.lower() if name.isascii() else name for name in names]
    return list(dict.fromkeys(lowered))


def join_names(values: Iterable[str]) -> list[str]:
    """Return the names in several lists, each once, in the spelling that comes first."""
    names: dict[str, str] = {}
    for value in values:
        for part in value.split(","):
            if name := part.strip(_OWS):
                names.setdefault(name.lower(), name)
    return list(names.values())
