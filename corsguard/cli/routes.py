"""Routes beside the policies that apply to them: as a table, and compared.

`flask cors routes` and `manage.py corsguard routes` write the table; the comparison is a part of
`flask cors check` and of Django's system checks. Only the table needs rich.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple

from corsguard.errors import Problem
from corsguard.fetch_spec import SAFELISTED_METHODS
from corsguard.policy import Policy
from corsguard.policy.summary import summarize_policy

__all__ = ["RouteRow", "compare_routes", "write_routes"]

_ALWAYS_ALLOWED = frozenset({*SAFELISTED_METHODS, "OPTIONS"})
"""Methods that need no entry in `allow_methods`: safelisted, or the preflight's own."""
_ANY = "any method"
_MOST_SOURCES = 3
_UNFOLDED = 10_000
_NO_CORS = summarize_policy(None)


class RouteRow(NamedTuple):
    """A URL of an application, and a policy that applies to some of its methods.

    A URL has one row for each policy that may apply to it.
    """

    methods: tuple[str, ...]
    """In upper case; empty where the route takes any method."""
    url: str
    """The URL or its pattern, as the framework writes it."""
    policy: Policy | None
    """None for no CORS."""
    source: str
    """Where the policy comes from, in words: `route "/api"`, `the view items`."""


class _Placed(NamedTuple):
    """A policy, the words for its places, and the methods of the routes that it applies to."""

    policy: Policy
    sources: dict[str, None]
    methods: set[str]


def write_routes(rows: Iterable[RouteRow], file: IO[str]) -> None:
    """Write a table of routes, and below it each of their policies once.

    The table takes the width of the terminal: long cells are folded, and nothing is cut off. In a
    file or a pipe, each row is one line, unless COLUMNS is set.
    """
    from rich.table import Table
    from rich.text import Text

    from corsguard.cli.terminal import console, printable, wrapped

    rows = list(rows)
    if not rows:
        return
    terminal = console(file)
    if not (terminal.is_terminal or os.environ.get("COLUMNS")):
        terminal.width = _UNFOLDED
    policies = _distinct(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("METHODS", "URL", "POLICY", "FROM"):
        table.add_column(title, overflow="fold")
    for row in rows:
        name = _NO_CORS if row.policy is None else _letters(policies.index(row.policy))
        cells = (_methods(row), row.url, name, row.source)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    for line in terminal.render_lines(table, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        terminal.print(text, soft_wrap=True)
    if policies:
        terminal.print()
    for index, policy in enumerate(policies):
        wrapped(terminal, printable(summarize_policy(policy)), indent=f"{_letters(index):<3}")


def compare_routes(
    rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]] = ()
) -> list[Problem]:
    """Return where routes and policies do not fit: what starts, but is rarely meant.

    `route-method-not-allowed` is a route with a method that no policy of it allows to any page. A
    route without CORS is a decision, and is not reported. `method-not-routed` is a policy that
    allows a method that none of its routes has. `placed` are policies that may have no route at
    all, each with the words for its place.
    """
    rows = list(rows)
    return [*_not_allowed(rows), *_not_routed(rows, placed)]


def _distinct(rows: Iterable[RouteRow]) -> list[Policy]:
    """Return the policies of rows, each once; a callable of one need not be hashable."""
    policies: list[Policy] = []
    for row in rows:
        if row.policy is not None and row.policy not in policies:
            policies.append(row.policy)
    return policies


def _letters(index: int) -> str:
    """Return the name of a policy in the table: A to Z, then AA."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = f"{chr(ord('A') + letter)}{name}"
    return name


def _methods(row: RouteRow) -> str:
    return ", ".join(row.methods) or _ANY


def _not_allowed(rows: Iterable[RouteRow]) -> Iterator[Problem]:
    by_url: dict[str, list[RouteRow]] = {}
    for row in rows:
        if row.policy is not None:
            by_url.setdefault(row.url, []).append(row)
    for url, found in by_url.items():
        allowed = {method for row in found for method in row.methods if _allows(row, method)}
        for row in found:
            missing = [method for method in row.methods if method not in allowed]
            if missing:
                yield _not_allowed_problem(url, row, missing)
                allowed.update(missing)  # reported once


def _allows(row: RouteRow, method: str) -> bool:
    allowed = row.policy.allow_methods if row.policy else ()
    return method in _ALWAYS_ALLOWED or "*" in allowed or method in allowed


def _not_allowed_problem(url: str, row: RouteRow, missing: Sequence[str]) -> Problem:
    names = ", ".join(missing)
    message = f"no page may send {names}: the policy from {row.source} does not allow it"
    allowed = row.policy.allow_methods if row.policy else ()
    suggestion = f"{_field([*allowed, *missing])}, if pages of other origins need it"
    return Problem("route-method-not-allowed", f'route "{url}"', names, message, suggestion)


def _not_routed(
    rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]]
) -> Iterator[Problem]:
    for policy, sources, methods in _by_policy(rows, placed):
        needed = _ALWAYS_ALLOWED | methods | {"*"}
        unused = [name for name in policy.allow_methods if name not in needed]
        if _ANY in methods or not unused:
            continue
        named = list(sources)[:_MOST_SOURCES]
        more = len(sources) - len(named)
        place = " and ".join([*named, *([f"{more} more"] if more else [])])
        names = ", ".join(unused)
        message = f"allows {names}, and no route that it applies to has such a method"
        kept = [name for name in policy.allow_methods if name not in unused]
        suggestion = _field(kept) if kept else "remove allow_methods"
        yield Problem("method-not-routed", f"policy from {place}", names, message, suggestion)


def _by_policy(rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]]) -> Iterable[_Placed]:
    """Group rows by policy; equal ones are one, as in the table."""
    groups: list[_Placed] = []

    def group_of(policy: Policy) -> _Placed:
        for group in groups:
            if group.policy == policy:
                return group
        groups.append(_Placed(policy, {}, set()))
        return groups[-1]

    for row in rows:
        if row.policy is not None:
            group = group_of(row.policy)
            group.sources[row.source] = None
            group.methods.update(row.methods or {_ANY})
    for place, policy in placed:
        group_of(policy).sources.setdefault(place)
    return groups


def _field(methods: Iterable[str]) -> str:
    listed = ", ".join(f'"{method}"' for method in methods)
    return f"allow_methods=[{listed}]"
