"""The reports of `corsguard shadow-report`: text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import click
from rich.console import Console

from corsguard.cli.fleet.tables import write_table
from corsguard.cli.shadow.log_totals import LogTotals
from corsguard.cli.terminal import (
    make_printable,
    open_console,
    print_wrapped,
)
from corsguard.escaping import quote
from corsguard.guard.effect import Verdict
from corsguard.guard.shadow_line import OTHER, ShadowLine

__all__ = ["write_json", "write_text"]

_TITLES: dict[Verdict, tuple[str, str]] = {
    "would-refuse": ("The new policy would refuse", "bold red"),
    "would-allow": ("The new policy would newly allow", "bold yellow"),
}
_COUNTS = (
    "Each process logs 1, 10, 100 ... requests of a kind, so there may have been up to ten "
    "times as many."
)
_TRUST = (
    "Warning: an origin in this list is trusted with your users' cookies. Its pages can read and "
    "do whatever a signed-in user can. Do not paste an origin that nobody knows: an attacker's "
    "site is in the list too if the old layer served it."
)
_OTHERS = (
    "A process has met more origins than it tells apart. They are counted as `(other)`, and the "
    "list is not complete."
)


def write_text(totals: LogTotals) -> None:
    """Write the report as tables, for a terminal."""
    console = open_console()
    served = totals.list_served()
    processes = len(totals.processes)
    print_wrapped(console, f"shadow mode in {processes} process{'' if processes == 1 else 'es'}")
    _write_title(console, "Served with cookies by the old layer", "bold")
    if served:
        rows = [
            (
                each.origin,
                f"{each.requests:,}+",
                ", ".join(map(_show, each.routes)),
                "allows it" if each.is_allowed else "refuses it",
            )
            for each in served
        ]
        styles = ["green" if each.is_allowed else "red" for each in served]
        write_table(console, ("ORIGIN", "REQUESTS", "ROUTES", "NEW POLICY"), rows, styles)
    else:
        print_wrapped(console, "no request")
    for verdict, (title, style) in _TITLES.items():
        _write_differences(console, title, style, totals.list_differences(verdict))
    console.print()
    print_wrapped(console, _COUNTS, "dim")
    if totals.has_others:
        print_wrapped(console, _OTHERS, "yellow")
    _write_proposal(console, totals)


def _write_title(console: Console, title: str, style: str) -> None:
    console.print()
    print_wrapped(console, title, style)


def _write_differences(
    console: Console, title: str, style: str, found: Sequence[tuple[ShadowLine, int]]
) -> None:
    _write_title(console, title, style if found else "bold")
    if not found:
        print_wrapped(console, "nothing")
        return
    rows = (
        (
            _show(line.origin),
            _show(line.route),
            f"{'preflight of ' if line.is_preflight else ''}{line.method}"
            f"{' with cookies' if line.has_cookie else ''}",
            f"{number:,}+",
            f"{line.reason}{': ' if line.detail else ''}{line.detail}",
        )
        for line, number in found
    )
    write_table(console, ("ORIGIN", "ROUTE", "REQUEST", "REQUESTS", "REASON"), rows)


def _write_proposal(console: Console, totals: LogTotals) -> None:
    proposed, left_out = totals.list_proposed()
    if not (proposed or left_out):
        return
    _write_title(console, "For the new policy, with allow_credentials = true", "bold")
    for each in left_out:
        text = make_printable(f"left out: {each.origin}: {each.why}")
        print_wrapped(console, text, "yellow")
    print_wrapped(console, _TRUST, "bold yellow")
    console.print()
    for line in format_origins(proposed):
        console.print(line, soft_wrap=True)  # to be copied


def format_origins(origins: Iterable[str]) -> list[str]:
    """Return the lines that list origins, in TOML and in Python."""
    return ["allow_origins = [", *(f"    {quote(each)}," for each in origins), "]"]


def _show(value: str | None) -> str:
    return "-" if value is None else value


def write_json(totals: LogTotals) -> None:
    """Write the report as one JSON document."""
    proposed, left_out = totals.list_proposed()
    document = {
        "processes": len(totals.processes),
        "is_complete": not totals.has_others,
        "served_with_cookies": [each._asdict() for each in totals.list_served()],
        "differences": [
            _describe(line, number)
            for verdict in _TITLES
            for line, number in totals.list_differences(verdict)
        ],
        "allow_origins": proposed,
        "left_out": [each._asdict() for each in left_out],
    }
    click.echo(json.dumps(document, indent=2))


def _describe(line: ShadowLine, number: int) -> dict[str, object]:
    return {
        "verdict": line.verdict,
        "origin": line.origin,
        "route": line.route,
        "is_preflight": line.is_preflight,
        "method": None if line.method == OTHER else line.method,
        "has_cookie": line.has_cookie,
        "requests": number,
        "reason": line.reason,
        "detail": line.detail,
    }
