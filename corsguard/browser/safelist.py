"""Which headers a script may set at all, and which of them a preflight has to ask for."""

from __future__ import annotations

import re
from string import ascii_letters, digits

from corsguard.browser.messages import Fields

__all__ = [
    "is_header_value",
    "is_no_cors_safelisted",
    "is_safelisted",
    "unsafe_names",
]

_LONGEST_VALUE = 128
_MOST_BYTES = 1_024
# Fetch, "CORS-unsafe request-header byte".
_UNSAFE = frozenset('"():<>?@[\\]{}\x7f' + "".join(map(chr, range(0x20)))) - {"\t"}
_LANGUAGE = frozenset(ascii_letters + digits + " *,-.;=")
_SIMPLE_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")
_NO_CORS_NAMES = frozenset({"accept", "accept-language", "content-language", "content-type"})


def is_header_value(value: str) -> bool:
    """Whether value, without white space around it, can be sent (Fetch, "header value")."""
    return all(ord(character) < 0x100 and character not in "\0\r\n" for character in value)


def is_safelisted(name: str, value: str) -> bool:
    """Whether a header needs no preflight (Fetch, "CORS-safelisted request-header")."""
    if len(value) > _LONGEST_VALUE:
        return False
    match name.lower():
        case "accept":
            return _UNSAFE.isdisjoint(value)
        case "accept-language" | "content-language":
            return _LANGUAGE.issuperset(value)
        case "content-type":
            essence = value.partition(";")[0].strip(" \t\r\n").lower()
            return _UNSAFE.isdisjoint(value) and essence in _SIMPLE_TYPES
        case "range":
            return _is_simple_range(value)
    return False


def is_no_cors_safelisted(name: str, value: str) -> bool:
    """Whether a script may set a header with `mode: "no-cors"`."""
    return name.lower() in _NO_CORS_NAMES and is_safelisted(name, value)


def unsafe_names(headers: Fields) -> list[str]:
    """The names that a preflight must ask for, in lower case, sorted, each once.

    Fetch, "CORS-unsafe request-header names" and "convert header names to a sorted-lowercase set".
    """
    unsafe: set[str] = set()
    safe: set[str] = set()
    size = 0
    for name, value in headers:
        if is_safelisted(name, value):
            safe.add(name.lower())
            size += len(value)
        else:
            unsafe.add(name.lower())
    return sorted(unsafe | safe if size > _MOST_BYTES else unsafe)


def _is_simple_range(value: str) -> bool:
    # Fetch, "parse a single range header value": a start is needed, an end may follow.
    match = _RANGE.fullmatch(value)
    return match is not None and (not match[2] or int(match[1]) <= int(match[2]))
