"""The sentence that says what changes for pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from corsguard.cli.migrate.replay.entries import Entry
from corsguard.cli.migrate.replay.exchanges import UNNAMED
from corsguard.cli.migrate.replay.findings import Cause, Change
from corsguard.cli.migrate.replay.origins import OriginCase, Trust

__all__ = ["Group", "build_hang_sentence", "build_sentence", "describe_cause"]

_MOST = 3  # names in a list
_MOST_CHARACTERS = 60  # of a text on which an expression hangs
_COOKIES = " with the user's cookies"
_CAUSES = {
    Cause.ORIGIN: "origin not in allow_origins",
    Cause.CREDENTIALS: "allow_credentials is not set",
    Cause.METHOD: "method not in allow_methods",
    Cause.HEADER: "header not in allow_headers",
    Cause.EXPOSED: "header not in expose_headers",
}
_LOSSES = frozenset({Change.BLOCKED, Change.HIDDEN, Change.CLOSED})
_JSON_BODIES = "JSON bodies (Content-Type)"


class Group(NamedTuple):
    """Changes of one kind that one sentence describes."""

    change: Change
    cause: Cause
    subjects: tuple[str, ...]
    """The methods or the headers; empty where the cause concerns every request."""
    cases: tuple[OriginCase, ...]
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    """The methods of the requests."""
    has_cookies: bool
    """True if only requests with cookies are concerned, or for untrusted origins, also those."""
    has_all_origins: bool
    """True if every listed origin that was tried is concerned."""
    has_all_paths: bool
    text: str
    """The finding of the browser, where no field of a policy is the cause."""


def describe_cause(group: Group) -> str:
    """Return why it is blocked, in words; empty for what is no longer blocked."""
    if group.change not in _LOSSES:
        return ""
    return group.text or _CAUSES[group.cause]


def build_sentence(group: Group) -> str:
    """Return the change in one sentence, with lists that are cut to a few names."""
    origins = _join(_name_origins(group))
    paths = _name_paths(group)
    cookies = _COOKIES if group.has_cookies else ""
    cause = f" ({describe_cause(group)})"
    what = _name_subjects(group)
    match group.change:
        case Change.BLOCKED:
            return f"now blocked: {what}{cookies} from {origins} at {paths}{cause}"
        case Change.HIDDEN:
            return f"now hidden from {origins}: {what} at {paths}{cause}"
        case Change.CLOSED:
            return f"no longer open: {origins} could {_name_act(group)} {paths}{cookies}"
        case Change.OPENED:
            return f"now open: {origins} can {_name_act(group)} {paths}{cookies}"
        case Change.READABLE:
            return f"now readable by {origins}: {what} at {paths}"
        case _:
            return f"now allowed: {what}{cookies} from {origins} at {paths}"


def build_hang_sentence(pattern: re.Pattern[str], text: str, seconds: float) -> str:
    """Return the sentence on an expression that takes longer than seconds for a text."""
    shown = repr(text)
    if len(text) > _MOST_CHARACTERS:
        shown = f"{text[:_MOST_CHARACTERS]!r}... ({len(text)} characters)"
    time = f"takes over {seconds:g} s for the Origin {shown}"
    return f"the old regex hangs: {pattern.pattern!r} {time}, so one request blocks a worker"


def _name_subjects(group: Group) -> str:
    """Return the methods, the headers or the kind of request."""
    if group.cause is Cause.METHOD:
        return _join(group.subjects, most=len(group.subjects))
    if group.cause is Cause.HEADER:
        names = [name for name in group.subjects if name.lower() != "content-type"]
        bodies = [_JSON_BODIES] * (len(names) < len(group.subjects))
        headers = [_name_headers("header", names)] if names else []
        return " and ".join([*bodies, *headers])
    if group.cause is Cause.EXPOSED:
        names = [name for name in group.subjects if name != UNNAMED]
        headers = [_name_headers("response header", names)] if names else []
        others = ["any other response header"] * (len(names) < len(group.subjects))
        return " and ".join([*headers, *others])
    return "every request" if group.cause is Cause.ORIGIN else "requests"


def _name_headers(noun: str, names: Sequence[str]) -> str:
    return f"the {noun}{'s' if len(names) > 1 else ''} {_join(names, most=len(names))}"


def _name_act(group: Group) -> str:
    if group.cause in {Cause.METHOD, Cause.HEADER}:
        return f"send {_name_subjects(group)} to"
    return "read"


def _name_paths(group: Group) -> str:
    if group.has_all_paths and len(group.paths) > _MOST:
        return "every path"
    return _join(group.paths)


def _name_origins(group: Group) -> list[str]:
    """Return the names of origins; those that one pattern matches are one."""
    if any(_is_anyone(case) for case in group.cases):
        return ["any site"]
    by_entry: dict[Entry, list[OriginCase]] = {}
    for case in group.cases:
        is_sample = case.trust is Trust.MATCHED and case.entry is not None
        key = case.entry if is_sample and case.entry is not None else case.origin
        by_entry.setdefault(key, []).append(case)
    named = [_name_entry(entry, cases) for entry, cases in by_entry.items()]
    is_every = group.has_all_origins and len(named) > _MOST
    return ["every listed origin"] if is_every else named


def _is_anyone(case: OriginCase) -> bool:
    """Return True if what holds for an origin holds for that of any site."""
    is_untrusted = case.trust is Trust.UNTRUSTED and case.origin != "null"
    return is_untrusted or case.trust is Trust.ANYONE


def _name_entry(entry: Entry, cases: Sequence[OriginCase]) -> str:
    origin = cases[0].origin
    if isinstance(entry, re.Pattern):
        return f"{origin} (matched by {entry.pattern!r})"
    return f"{origin} (one of {entry})" if entry != origin else origin


def _join(names: Iterable[str], most: int = _MOST) -> str:
    """Return names as a list in words, the first ones with the number of the others."""
    names = [*names]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
