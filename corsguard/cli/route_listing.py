"""The table that `flask cors routes` and `manage.py corsguard routes` print."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO

from rich.table import Table
from rich.text import Text

from corsguard.cli.terminal import make_printable, open_console, print_wrapped
from corsguard.guard.route_table import RouteRow
from corsguard.policy import Policy
from corsguard.policy.summary import summarize_policy

__all__ = ["write_routes"]

_ANY_METHOD = "any method"
_NO_CORS = summarize_policy(None)
_UNFOLDED = 10_000
"""Columns of a table in a file or a pipe, where each row is one line."""


def write_routes(rows: Iterable[RouteRow], file: IO[str]) -> None:
    """Write a table of routes to file, and each of their policies once below it.

    In a terminal, long cells are folded to its width. In a file or a pipe, each row is one line
    unless COLUMNS is set. Nothing is cut off.
    """
    rows = list(rows)
    if not rows:
        return
    terminal = open_console(file)
    if not (terminal.is_terminal or os.environ.get("COLUMNS")):
        terminal.width = _UNFOLDED
    policies = _list_distinct_policies(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("METHODS", "URL", "POLICY", "FROM"):
        table.add_column(title, overflow="fold")
    for row in rows:
        name = _NO_CORS if row.policy is None else _name_policy(policies.index(row.policy))
        cells = (_format_methods(row), row.url, name, row.source)
        table.add_row(*(Text(make_printable(cell)) for cell in cells))
    for line in terminal.render_lines(table, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        terminal.print(text, soft_wrap=True)
    if policies:
        terminal.print()
    for index, policy in enumerate(policies):
        print_wrapped(
            terminal, make_printable(summarize_policy(policy)), indent=f"{_name_policy(index):<3}"
        )


def _list_distinct_policies(rows: Iterable[RouteRow]) -> list[Policy]:
    """Return each policy of rows once, in order."""
    # A callable of a policy need not be hashable, so this is no set.
    policies: list[Policy] = []
    for row in rows:
        if row.policy is not None and row.policy not in policies:
            policies.append(row.policy)
    return policies


def _name_policy(index: int) -> str:
    """Return the name of a policy in the table: A to Z, then AA, AB and so on."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = f"{chr(ord('A') + letter)}{name}"
    return name


def _format_methods(row: RouteRow) -> str:
    return ", ".join(row.methods) or _ANY_METHOD
