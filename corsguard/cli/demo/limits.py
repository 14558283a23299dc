"""The limits of a text in the playground. Within them, its validation takes seconds at most."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from corsguard import PolicyError, Problem
from corsguard.guard.config import parse_toml

__all__ = ["MAX_REGEXES", "MAX_SET_ORIGINS", "MAX_TEXT", "check_limits"]

MAX_TEXT = 8_192
"""Characters of a text."""
MAX_REGEXES = 5
"""Values that look like a regular expression. To find what such a one means may take a second."""
MAX_SET_ORIGINS = 1_000
"""Origins in sets, each counted for each reference to a set, since each policy validates them."""
_REGEX_SIGN = re.compile(r"[(|+?^$\\]|\*[^:]*\*")
"""A character of regular expressions, or two wildcards before the port. No file may have either."""


def check_limits(text: str) -> None:
    """Raise PolicyError for a text whose validation would take too long."""
    _check(len(text), MAX_TEXT, "characters")
    document: dict[str, Any] = {}
    with suppress(ValueError):  # not TOML: the reader says so
        document = parse_toml(text.encode("utf-8", "replace"), "document")
    values = list(_iter_values(document))
    regexes = sum(isinstance(each, str) and bool(_REGEX_SIGN.search(each)) for each in values)
    _check(regexes, MAX_REGEXES, "values that look like a regular expression")
    references = sum(isinstance(each, dict) and "set" in each for each in values)
    in_sets = sum(isinstance(each, str) for each in _iter_values(document.get("origin_sets")))
    _check(references * in_sets, MAX_SET_ORIGINS, "origins by references to sets")


def _check(found: int, limit: int, what: str) -> None:
    if found > limit:
        message = f"the text has {found:,} {what}, and the limit here is {limit:,}"
        suggestion = "remove what the example does not need"
        raise PolicyError([Problem("document-invalid", "document", None, message, suggestion)])


def _iter_values(document: object) -> Iterator[object]:
    """Yield each table, and each line of each text, in a document of TOML."""
    rest = [document]
    while rest:
        match rest.pop():
            case dict() as table:
                yield table
                rest += table.values()
            case list() as entries:
                rest += entries
            case str() as lines:  # one origin a line, in a set of origins
                yield from lines.splitlines()
