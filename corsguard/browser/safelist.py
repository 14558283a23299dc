"""The CORS-safelisted request headers, which need no preflight (Fetch)."""

from __future__ import annotations

import re
from string import ascii_letters, digits

from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.messages import Fields, Headers

__all__ = [
    "is_header_value",
    "is_no_cors_safelisted",
    "is_safelisted",
    "list_unsafe_names",
]

_MAX_VALUE_BYTES = 128
_MAX_SUM_BYTES = 1_024
# Fetch, "CORS-unsafe request-header byte".
_UNSAFE = frozenset('"():<>?@[\\]{}\x7f' + "".join(map(chr, range(0x20)))) - {"\t"}
_LANGUAGE = frozenset(ascii_letters + digits + " *,-.;=")
_SIMPLE_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
_RANGE = re.compile(r"(?P<unit>(?i:bytes))=(?P<start>[0-9]+)-(?P<end>[0-9]*)")
# Chromium's client hints, by the values that it sends itself.
_CLIENT_HINTS = {
    "user-agent": re.compile(".*"),
    "save-data": re.compile("on"),
    "ect": re.compile("(slow-)?2g|3g|4g"),
    **dict.fromkeys(("device-memory", "dpr", "downlink"), re.compile(r"[0-9]+(\.[0-9]*)?")),
    **dict.fromkeys(("rtt", "viewport-width", "width"), re.compile("[0-9]+")),
}
_NO_CORS_NAMES = frozenset({"accept", "accept-language", "content-language", "content-type"})


def is_header_value(value: str) -> bool:
    """Return True if value, stripped of white space, can be sent (Fetch, "header value")."""
    return all(ord(character) < 0x100 and character not in "\0\r\n" for character in value)


def is_safelisted(name: str, value: str, engine: EngineQuirks) -> bool:
    """Return True if a header needs no preflight (Fetch, "CORS-safelisted request-header")."""
    name = name.lower()
    if len(value) > _MAX_VALUE_BYTES:
        return False
    match name:
        case "accept":
            return _is_safe(value, engine)
        case "accept-language" | "content-language":
            return _LANGUAGE.issuperset(value)
        case "content-type":
            essence = value.partition(";")[0].strip(" \t\r\n").lower()
            return _is_safe(value, engine) and essence in _SIMPLE_TYPES
        case "range":
            return _is_simple_range(value, engine)
    hint = _CLIENT_HINTS.get(name) if engine.safelists_own_headers else None
    return hint is not None and hint.fullmatch(value) is not None


def is_no_cors_safelisted(name: str, value: str, engine: EngineQuirks) -> bool:
    """Return True if a script may set a header in mode `no-cors`.

    Fetch, "no-CORS-safelisted request-header".
    """
    return name.lower() in _NO_CORS_NAMES and is_safelisted(name, value, engine)


def list_unsafe_names(headers: Fields, engine: EngineQuirks) -> list[str]:
    """Return the header names that a preflight lists, in lower case and sorted.

    Fetch, "CORS-unsafe request-header names" and "convert header names to a sorted-lowercase set".
    """
    fields = [(name.lower(), value) for name, value in headers]
    if engine.checks_lines_combined:
        fields = list(Headers(fields).items())
    unsafe = [name for name, value in fields if not is_safelisted(name, value, engine)]
    safe = [(name, value) for name, value in fields if is_safelisted(name, value, engine)]
    size = sum(len(value) for _, value in safe)
    if size > _MAX_SUM_BYTES and engine.limits_safelisted_sum:
        unsafe += [name for name, _ in safe]
    return sorted(unsafe if engine.lists_each_line else set(unsafe))


def _is_safe(value: str, engine: EngineQuirks) -> bool:
    return _UNSAFE.isdisjoint(value) and (engine.safelists_high_bytes or value.isascii())


def _is_simple_range(value: str, engine: EngineQuirks) -> bool:
    # Fetch, "parse a single range header value": the start is required, the end is optional.
    match = _RANGE.fullmatch(value)
    if match is None or not (match["unit"] == "bytes" or engine.safelists_any_case_of_bytes):
        return False
    start, end = int(match["start"]), int(match["end"] or match["start"])
    return start <= end and (engine.largest_range is None or end <= engine.largest_range)
