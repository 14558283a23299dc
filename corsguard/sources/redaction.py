"""URLs without their passwords, for messages and logs."""

from __future__ import annotations

import re

__all__ = ["redact"]

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+._-]+:/{0,2})(.*)", re.DOTALL)
"""A scheme has two letters or more here: `C:` is a drive of Windows."""
_PARAMETER = re.compile(r"([?&;])([^=&;]*)=([^&;]*)")
_SHOWN_PARAMETERS = frozenset({"policy"})
_HIDDEN = "***"


def redact(url: str) -> str:
    """Return a URL for messages, in one line: without user, password, fragment and parameters.

    All before the last `@` is hidden, as a password that is not escaped may contain anything. A
    value of the query may be a password too. Only that of `policy` is shown. A path is returned as
    it is.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return url
    scheme, rest = match.groups()
    _, at, shown = rest.rpartition("@")
    shown = _PARAMETER.sub(_hide_value, shown.partition("#")[0])
    return f"{scheme}{at and _HIDDEN}{at}{''.join(shown.split())}"


def _hide_value(match: re.Match[str]) -> str:
    separator, name, value = match.groups()
    return f"{separator}{name}={value if name in _SHOWN_PARAMETERS else _HIDDEN}"
