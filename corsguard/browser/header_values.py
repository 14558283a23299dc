"""Reading the header fields of an answer as the standard reads them."""

from __future__ import annotations

import re
from itertools import takewhile

from corsguard.browser.engine_quirks import Traits
from corsguard.browser.messages import Answer
from corsguard.fetch_spec import DEFAULT_MAX_AGE, MAX_AGE, is_token

__all__ = ["join_lines", "parse_leading_list", "parse_list", "parse_max_age", "split_lines"]

_WHITE_SPACE = " \t\r\n"
_OWS = " \t"
_MOST_DIGITS = 10


def split_lines(answer: Answer, name: str) -> list[str]:
    """The values of a header, one for each line of that name, without white space around."""
    return [
        value.strip(_WHITE_SPACE) for key, value in answer.headers if key.lower() == name.lower()
    ]


def join_lines(answer: Answer, name: str) -> str | None:
    """The value of a header, several lines joined (Fetch, "get a header"); None without one."""
    values = split_lines(answer, name)
    return ", ".join(values) if values else None


def parse_list(answer: Answer, name: str) -> list[str] | None:
    """The names in a header that holds a list of them (Fetch, "extract header list values").

    Empty where there is no such header; None where the header is not such a list.
    """
    names = _elements(answer, name)
    return names if all(map(is_token, names)) else None


def parse_leading_list(answer: Answer, name: str) -> list[str]:
    """The names in such a header that stand before what is none."""
    return [*takewhile(is_token, _elements(answer, name))]


def _elements(answer: Answer, name: str) -> list[str]:
    # RFC 9110, 5.6.1.2: empty elements don't count.
    parts = (join_lines(answer, name) or "").split(",")
    return [stripped for part in parts if (stripped := part.strip(_OWS))]


def parse_max_age(answer: Answer, engine: Traits) -> int:
    """Seconds for which the answer to a preflight is kept (Fetch, "CORS-preflight fetch", 7)."""
    value = join_lines(answer, MAX_AGE) or ""
    # RFC 9111, 1.2.2, delta-seconds: digits and nothing else; too many of them are a large number.
    if re.fullmatch("[0-9]+", value):
        return min(int(value.lstrip("0")[:_MOST_DIGITS] or "0"), engine.max_age_cap)
    negative = re.fullmatch("-[0-9]+", value)
    if negative and not engine.caches_negative_max_age:
        return 0
    return DEFAULT_MAX_AGE if engine.caches_invalid_max_age or not value else 0
