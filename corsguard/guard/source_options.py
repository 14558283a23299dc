"""The option `source` of a configuration: where a guard reads its policy from while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value

__all__ = ["SourceOptions", "follow_source", "read_source"]

_FORM = '{"url": "redis://...", "last_good": "/var/lib/app/corsguard.last"}'


class SourceOptions(NamedTuple):
    """What a guard follows, and how; see Guard.follow."""

    url: str
    last_good: str | None = None
    poll: float = 5.0
    key: str | None = None


def read_source(given: object, problems: list[Problem]) -> SourceOptions | None:
    """Return the options of a URL, or of a table; None if there are problems, which are added."""
    table: Any = {"url": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping):
        message = f"a {type(given).__name__} is neither a URL nor a table"
        problems.append(Problem("type-invalid", "source", None, message, _FORM))
        return None
    found = list(_find_problems(table))
    problems.extend(found)
    return None if found else SourceOptions(**table)


def follow_source(follow: Callable[..., None], options: SourceOptions) -> None:
    """Call Guard.follow with configured options.

    Raises PolicyError, also for a URL or a key that can't be used.
    """
    from corsguard.sources.source import SourceError

    url, *others = options
    try:
        follow(url, **dict(zip(options._fields[1:], others, strict=True)))
    except PolicyError:
        raise
    except (SourceError, ValueError, ImportError, OSError) as error:
        suggestion = "redis://host:6379/0, postgresql://host/database, or the path of a file"
        problem = Problem("source-invalid", "source", None, str(error), suggestion)
        raise PolicyError([problem]) from None


def _find_problems(table: Mapping[Any, object]) -> list[Problem]:
    # The values of problems are left out: a URL may have a password.
    found = []
    for key in table:
        if key not in SourceOptions._fields:
            known = ", ".join(SourceOptions._fields)
            field = f"source.{show_value(key, str)}"
            found.append(Problem("unknown-field", field, None, "unknown field", f"one of {known}"))
    url = table.get("url")
    if not isinstance(url, str) or not url.strip():
        message = "the URL of the source is missing, or is not a str"
        found.append(Problem("type-invalid", "source.url", None, message, "redis://host:6379/0"))
    for name in ("last_good", "key"):
        path = table.get(name)
        if path is not None and not isinstance(path, str):
            message = f"{show_value(path)} is not the path of a file"
            found.append(Problem("type-invalid", f"source.{name}", path, message, "a path"))
    poll = table.get("poll", 5.0)
    if isinstance(poll, bool) or not isinstance(poll, (int, float)):
        message = f"{show_value(poll)} is not a number of seconds"
        found.append(Problem("type-invalid", "source.poll", poll, message, "5.0"))
    elif not (isfinite(poll) and poll > 0):
        message = f"{poll} is not a number of seconds above 0"
        found.append(Problem("source-invalid", "source.poll", poll, message, "5.0"))
    return found
