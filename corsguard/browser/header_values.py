"""Parsers for the header values of a response, by the rules of Fetch."""

from __future__ import annotations

import re
from itertools import takewhile

from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.messages import Answer
from corsguard.fetch_spec import DEFAULT_MAX_AGE, MAX_AGE, is_token

__all__ = ["join_lines", "parse_leading_list", "parse_list", "parse_max_age", "split_lines"]

_WHITE_SPACE = " \t\r\n"
_OWS = " \t"
_MAX_DIGITS = 10


def split_lines(answer: Answer, name: str) -> list[str]:
    """Return the values of a header, one for each line, without surrounding white space."""
    return [
        value.strip(_WHITE_SPACE) for key, value in answer.headers if key.lower() == name.lower()
    ]


def join_lines(answer: Answer, name: str) -> str | None:
    """Return the value of a header, its lines joined, or None without it (Fetch, "get")."""
    values = split_lines(answer, name)
    return ", ".join(values) if values else None


def parse_list(answer: Answer, name: str) -> list[str] | None:
    """Return the names in a list header (Fetch, "extract header list values").

    Empty if the header is missing. None if an element is not a valid name.
    """
    names = _split_elements(answer, name)
    return names if all(map(is_token, names)) else None


def parse_leading_list(answer: Answer, name: str) -> list[str]:
    """Return the names in a list header up to the first invalid element."""
    return [*takewhile(is_token, _split_elements(answer, name))]


def _split_elements(answer: Answer, name: str) -> list[str]:
    # RFC 9110, 5.6.1.2: empty elements are ignored.
    parts = (join_lines(answer, name) or "").split(",")
    return [stripped for part in parts if (stripped := part.strip(_OWS))]


def parse_max_age(answer: Answer, engine: EngineQuirks) -> int:
    """Return the seconds that a preflight's response is cached for, 0 for not at all.

    Fetch, "CORS-preflight fetch", 7.
    """
    value = join_lines(answer, MAX_AGE) or ""
    # RFC 9111, 1.2.2, delta-seconds: digits only; a number too large to represent is large.
    if re.fullmatch("[0-9]+", value):
        return min(int(value.lstrip("0")[:_MAX_DIGITS] or "0"), engine.max_age_cap)
    is_negative = re.fullmatch("-[0-9]+", value) is not None
    if is_negative and not engine.caches_negative_max_age:
        return 0
    return DEFAULT_MAX_AGE if engine.caches_invalid_max_age or not value else 0
