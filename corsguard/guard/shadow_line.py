"""The lines of the shadow mode in the log: written by Shadow, read by `corsguard shadow-report`.

    shadow: would-refuse origin=https://a.example route=/api kind=request method=GET cookies=yes
    count=10 reason=ORIGIN_NOT_ALLOWED process=4711-5f3a0c

on one line. Every value from a request is percent-encoded, so that it contains neither white space
nor `=`, quotes, backslashes or brackets: it can't forge another field or line, and a formatter
that writes JSON changes nothing in it. A word in brackets stands for something else than a value.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, cast
from urllib.parse import quote, unquote

from corsguard.guard.effect import Verdict

__all__ = [
    "OTHER",
    "SERVED",
    "ShadowLine",
    "ShadowVerdict",
    "format_line",
    "format_start",
    "parse_line",
]

ShadowVerdict = Verdict | Literal["served-with-cookies"]

SERVED: Final = "served-with-cookies"
"""The verdict of a request with cookies that the layer inside let a page of its origin read."""
OTHER: Final = "(other)"
"""The place of what is counted together: further origins, or a method that is not registered."""

_NONE = "(none)"
_SAFE = ":/*[]"
_LINE = re.compile(
    r"shadow: (would-refuse|would-allow|served-with-cookies)"
    r" origin=(\S{0,1000}) route=(\S{0,1000}) kind=(preflight|request) method=(\S{1,40})"
    r" cookies=(yes|no) count=(\d{1,18}) reason=([A-Z_]+|\(other\))(?::(\S{0,200}))?"
    r" process=(\d{1,10}-[0-9a-f]{6})(?![0-9a-f])"
)
_START = re.compile(r"shadow: started process=(\d{1,10}-[0-9a-f]{6})(?![0-9a-f])")


class ShadowLine(NamedTuple):
    """An item that the shadow mode counts, and its count in one process."""

    verdict: ShadowVerdict
    origin: str | None
    """As it was sent; None if it was not, OTHER for all beyond the limit."""
    route: str | None
    """The route prefix or the view whose policy was compared; None where no route applies."""
    is_preflight: bool
    method: str
    """The method of the request; of a preflight, the requested one."""
    has_cookie: bool
    reason: str
    """The reason of the policy's decision."""
    detail: str = ""
    """The header that the policy does not list, else empty."""
    process: str = ""
    """The process id, and six digits that distinguish processes of the same id."""
    requests: int = 1


def format_start(process: str) -> str:
    """Return the line that a process writes when its shadow mode starts."""
    return f"shadow: started process={process}"


def format_line(line: ShadowLine) -> str:
    """Return the text of a line."""
    detail = f":{_encode(line.detail)}" if line.detail else ""
    return (
        f"shadow: {line.verdict} origin={_encode(line.origin)} route={_encode(line.route)}"
        f" kind={'preflight' if line.is_preflight else 'request'} method={_encode(line.method)}"
        f" cookies={'yes' if line.has_cookie else 'no'} count={line.requests}"
        f" reason={line.reason}{detail} process={line.process}"
    )


def parse_line(text: str) -> ShadowLine | str | None:
    """Return the item in a line of a log, or the process that it says has started.

    Whatever is around our text is ignored. None if the line has no text of the shadow mode.
    """
    if "shadow: " not in text:
        return None
    text = text.replace("\\/", "/")  # some writers of JSON escape it
    found = _LINE.search(text)
    if found is None:
        start = _START.search(text)
        return start and start[1]
    verdict, origin, route, kind, method, cookies, count, reason, detail, process = found.groups()
    return ShadowLine(
        cast(ShadowVerdict, verdict),
        _decode(origin),
        _decode(route),
        kind == "preflight",
        _decode(method) or "",
        cookies == "yes",
        reason,
        _decode(detail or "") or "",
        process,
        int(count),
    )


def _encode(value: str | None) -> str:
    if value is None:
        return _NONE
    return value if value == OTHER else quote(value, _SAFE, errors="replace")


def _decode(text: str) -> str | None:
    return None if text == _NONE else unquote(text)
