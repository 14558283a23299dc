"""Reading the header fields of an answer as the standard reads them."""

from __future__ import annotations

from corsguard.browser.messages import Answer
from corsguard.fetch import is_token

__all__ = ["combined", "listed", "max_age"]

_WHITE_SPACE = " \t\r\n"
_OWS = " \t"
_MOST_DIGITS = 10


def combined(answer: Answer, name: str) -> str | None:
    """The value of a header, several lines joined (Fetch, "get a header"); None without one."""
    values = [
        value.strip(_WHITE_SPACE) for key, value in answer.headers if key.lower() == name.lower()
    ]
    return ", ".join(values) if values else None


def listed(answer: Answer, name: str) -> list[str] | None:
    """The names in a header that holds a list of them (Fetch, "extract header list values").

    Empty where there is no such header; None where the header is not such a list.
    """
    value = combined(answer, name)
    if value is None:
        return []
    # RFC 9110, 5.6.1.2: empty elements don't count.
    names = [part for element in value.split(",") if (part := element.strip(_OWS))]
    return names if all(map(is_token, names)) else None


def max_age(answer: Answer) -> int | None:
    """Seconds of `Access-Control-Max-Age`; None where there is none that can be read."""
    value = combined(answer, "Access-Control-Max-Age")
    # RFC 9111, 1.2.2, delta-seconds: digits and nothing else; too many of them are a large number.
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return int(value.lstrip("0")[:_MOST_DIGITS] or "0")
