"""The route prefixes that say what a regular expression of paths says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsguard.cli.migrate.configuration import PeerError
from corsguard.cli.migrate.expansion import ANY, DIGITS, FEW_DIGITS, SLASHES, expand
from corsguard.cli.migrate.replay.limits import TIME_LIMIT, measure_match
from corsguard.policy.origin_fixes import fix_prefix
from corsguard.policy.redos import is_linear

__all__ = ["covers", "find_prefixes", "reject_slow_pattern"]

_OPEN_END = re.compile(f"[{ANY}{SLASHES}]+$")


def find_prefixes(pattern: re.Pattern[str] | str, paths: Iterable[str]) -> list[str] | None:
    """Return prefixes that cover the same paths as a pattern, which is matched as a prefix.

    A pattern that is a text is compared as it is. `paths` are those of the application's router:
    other paths need not agree. None if there are no such prefixes.
    """
    texts = [pattern] if isinstance(pattern, str) else expand(pattern)
    if texts is None:
        return None
    prefixes = list(dict.fromkeys(_read_prefix(text) for text in texts))
    found = [prefix for prefix in prefixes if prefix is not None]
    if len(found) < len(prefixes):
        return None
    for path in paths:
        is_matched = (
            pattern == path if isinstance(pattern, str) else pattern.match(path) is not None
        )
        if is_matched != any(covers(prefix, path) for prefix in found):
            return None
    return found


def reject_slow_pattern(pattern: re.Pattern[str] | str, paths: Iterable[str], place: str) -> None:
    """Raise PeerError for a pattern that hangs on one of the paths. `place` is where it is."""
    if isinstance(pattern, str) or is_linear(pattern):
        return
    slow = measure_match(pattern, paths).slow
    if slow is not None:
        raise PeerError(
            f"{place} '{pattern.pattern}' takes more than {TIME_LIMIT:g} s for the path {slow}, as "
            "each request to it does. Rewrite it with one repeat, such as [a-z]+, and try again"
        )


def covers(prefix: str, path: str) -> bool:
    """Return True if a route of corsguard covers a path."""
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")


def _read_prefix(text: str) -> str | None:
    """Return the prefix that one alternative of a pattern says, or None."""
    literal = _OPEN_END.sub("", text)
    if not set(literal).isdisjoint({ANY, DIGITS, FEW_DIGITS, SLASHES}):
        return None
    prefix = literal.rstrip("/") or "/"
    return prefix if prefix == fix_prefix(prefix) else None
