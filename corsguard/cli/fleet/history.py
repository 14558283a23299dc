"""`corsguard history`: what has been published, when, by whom, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click

from corsguard.cli.fleet.tables import format_iso_time, format_time, write_table
from corsguard.cli.fleet.targets import build_state, open_store
from corsguard.cli.terminal import make_printable, open_console
from corsguard.sources.open import redact
from corsguard.sources.signature import read_signed_version
from corsguard.sources.source import PolicyStore, Revision, SourceError

__all__ = ["run_history", "run_show"]


def run_history(target: str, limit: int, *, as_json: bool) -> int:
    """Show the newest revisions of a store, `limit` of them. Return the exit code."""
    with open_store(target, "history") as store:
        revisions = store.list_revisions(limit)
        signed = _find_signed(store, revisions)
    if as_json:
        rows = [_describe(each, signed.get(each.version)) for each in revisions]
        click.echo(json.dumps({"target": redact(target), "revisions": rows}, indent=2))
    elif not revisions:
        click.echo(f"{redact(target)}: nothing is published")
    else:
        titles = ("VERSION", "WHEN (UTC)", "AUTHOR", "KIND", "SIGNED", "MESSAGE")
        write_table(open_console(), titles, (_format_row(each, signed) for each in revisions))
    return 0


def run_show(target: str, version: int) -> int:
    """Print the document that was published as a version. Return the exit code."""
    with open_store(target, "history") as store:
        text = build_state(store.load_revision(version)).text
    if sys.stdout.isatty():  # which a text that is not TOML could control
        text = "\n".join(map(make_printable, text.split("\n")))
    click.echo(text, nl=not text.endswith("\n"), color=True)  # else it removes what looks like one
    return 0


def _find_signed(store: PolicyStore, revisions: Iterable[Revision]) -> dict[int, bool]:
    """Return if revisions are signed: version -> bool, without those that the store has no longer.

    The text of a revision comes with all since the whole document before it, which are then known.
    """
    signed: dict[int, bool] = {}
    for revision in revisions:
        if revision.version in signed:
            continue
        try:
            texts: Sequence[Revision] = store.load_revision(revision.version)
        except SourceError:
            break
        signed |= {each.version: read_signed_version(each.text) is not None for each in texts}
    return signed


def _format_row(revision: Revision, signed: dict[int, bool]) -> tuple[str, ...]:
    return (
        str(revision.version),
        format_time(revision.published_at),
        revision.author,
        "changes" if revision.is_change else "whole",
        {True: "yes", False: "no", None: "?"}[signed.get(revision.version)],
        revision.message,
    )


def _describe(revision: Revision, is_signed: bool | None) -> dict[str, object]:
    return {
        "version": revision.version,
        "published_at": format_iso_time(revision.published_at),
        "author": revision.author,
        "message": revision.message,
        "is_change": revision.is_change,
        "is_signed": is_signed,
    }
