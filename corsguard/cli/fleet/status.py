"""`corsguard status`: which version each worker runs, and what a candidate would change."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import click
from rich.console import Console

from corsguard.cli.fleet.tables import format_age, format_iso_time, write_table
from corsguard.cli.fleet.targets import build_state, open_store, read_version
from corsguard.cli.terminal import ConsoleWriter, format_count, open_console
from corsguard.sources.open import redact
from corsguard.sources.source import PolicyStore, Revision, SourceError, WorkerReport

__all__ = ["run_status"]

_MAX_ROWS = 20
_WOULD_REFUSE = "would-refuse"
_STYLES = {"current": "", "behind": "yellow", "ahead": "yellow", "error": "red"}
Counts = Mapping[tuple[str, str, str], int]
"""Verdict of the candidate, origin and path -> requests that it would decide otherwise."""


def run_status(target: str, *, as_json: bool) -> int:
    """Show the states of the workers of a store. Return 1 unless all run the newest version."""
    with open_store(target, "status of workers") as store:
        revisions = store.list_revisions(1)
        reports = store.list_reports()
        has_candidate = bool(revisions) and _has_candidate(store)
    newest = revisions[0] if revisions else None
    states = [_find_state(each, newest) for each in reports]
    counts = _add_up(
        each for each, state in zip(reports, states, strict=True) if state == "current"
    )
    if as_json:
        click.echo(json.dumps(_describe(target, newest, reports, states, counts), indent=2))
    else:
        console = open_console()
        _write_summary(ConsoleWriter(console), redact(target), newest, reports, states)
        if reports:
            console.print()
            _write_workers(console, reports, states)
        if has_candidate:
            _write_candidate(console, counts)
    return 0 if all(state == "current" for state in states) else 1


def _has_candidate(store: PolicyStore) -> bool:
    """Return True if the published document has a candidate."""
    try:
        document = build_state(store.load_revisions()).mapping
    except SourceError:  # which each worker reports
        return False
    return document is not None and "candidate" in document


def _find_state(report: WorkerReport, newest: Revision | None) -> str:
    """Return `current`, `behind`, `ahead` or `error`."""
    if report.error:
        return "error"
    version = newest.version if newest else 0
    if report.version == str(version):
        return "current"
    # Of a store that has been emptied, the numbers begin anew.
    return "ahead" if read_version(report) > version else "behind"


def _add_up(reports: Iterable[WorkerReport]) -> Counts:
    """Return the counts of the candidate over the workers that run the newest version."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for report in reports:
        for verdict, origin, path, count in report.candidate:
            counts[verdict, origin, path] += count
    # First the requests that work today, and would not with the candidate.
    order = sorted(counts.items(), key=lambda each: (each[0][0] != _WOULD_REFUSE, -each[1], each))
    return dict(order)


def _write_summary(
    writer: ConsoleWriter,
    name: str,
    newest: Revision | None,
    reports: Sequence[WorkerReport],
    states: Sequence[str],
) -> None:
    published = f"version {newest.version} is published" if newest else "nothing is published"
    writer.write_name(f"{name}: {published}", "bold")
    if not reports:
        writer.write_line("no worker has reported lately")
        return
    hosts = format_count(len({each.host for each in reports}), "host")
    number = Counter(states)
    parts = [f"{number['current']} current"]
    parts += [f"{number[state]} {word}" for state, word in _WORDS.items() if number[state]]
    style = "bold green" if number["current"] == len(reports) else "bold red"
    workers = format_count(len(reports), "worker")
    writer.write_line(f"{workers} on {hosts}: {', '.join(parts)}", style)


_WORDS = {"behind": "behind", "ahead": "ahead", "error": "with an error"}


def _write_workers(
    console: Console, reports: Sequence[WorkerReport], states: Sequence[str]
) -> None:
    now = time.time()
    rows = [
        (
            report.host,
            str(report.pid),
            report.version or "none",
            format_age(now, report.since),
            f"error: {report.error}" if report.error else state,
        )
        for report, state in zip(reports, states, strict=True)
    ]
    titles = ("HOST", "PID", "VERSION", "FOR", "STATE")
    write_table(console, titles, rows, [_STYLES[state] for state in states])


def _write_candidate(console: Console, counts: Counts) -> None:
    writer = ConsoleWriter(console)
    total = sum(counts.values())
    requests = f"{total:,} requests" if total > 1 else format_count(total, "request")
    writer.write_heading(f"the candidate would decide {requests} otherwise")
    if not counts:
        return
    rows = [
        (f"{count:,}", verdict, origin, path)
        for (verdict, origin, path), count in [*counts.items()][:_MAX_ROWS]
    ]
    write_table(console, ("REQUESTS", "CANDIDATE", "ORIGIN", "PATH"), rows)
    if len(counts) > _MAX_ROWS:
        writer.write_line(f"and {len(counts) - _MAX_ROWS} more: see --format json")


def _describe(
    target: str,
    newest: Revision | None,
    reports: Sequence[WorkerReport],
    states: Sequence[str],
    counts: Counts,
) -> dict[str, object]:
    return {
        "target": redact(target),
        "newest": newest.version if newest else None,
        "workers": [
            {
                "host": report.host,
                "pid": report.pid,
                "version": report.version or None,
                "since": format_iso_time(report.since),
                "state": state,
                "error": report.error or None,
            }
            for report, state in zip(reports, states, strict=True)
        ],
        "candidate": [
            {"verdict": verdict, "origin": origin, "path": path, "requests": count}
            for (verdict, origin, path), count in counts.items()
        ],
    }
