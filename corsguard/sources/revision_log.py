"""The log of numbered revisions that every store keeps: what a worker lacks, what is outdated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from corsguard.sources.source import (
    ConflictError,
    Document,
    Revision,
    SourceError,
    WorkerReport,
)

__all__ = [
    "MAX_OLDER_BYTES",
    "MAX_OLDER_REVISIONS",
    "LogEntry",
    "LogState",
    "assemble",
    "check_next",
    "decode_entry",
    "decode_report",
    "encode_entry",
    "encode_report",
    "list_lacking",
    "list_outdated",
    "select_complete",
]

MAX_OLDER_REVISIONS = 100
"""How many revisions a store keeps beside those of its state, for `history` and `rollback`."""
MAX_OLDER_BYTES = 64 * 2**20
"""How large their texts may be together where a store is in memory."""


class LogEntry(NamedTuple):
    """A revision without its text, and the size of the text in characters."""

    revision: Revision
    size: int = 0


class LogState(NamedTuple):
    """The small part of a log that a worker reads when it polls."""

    newest: int | None
    """The number of the newest revision; None if the store is empty."""
    document: int | None
    """The number of the newest whole document."""
    identity: str | None = None
    """The identity of the requested revision: another log may have its number too."""


def assemble(revisions: Sequence[Revision]) -> Document:
    """Return a whole document with the changes after it applied.

    Its version is the number of the last revision. With changes it is not signed, as the signature
    of the whole document covers that alone. Raises SourceError if the revisions are not
    complete, and PolicyError if changes have a wrong shape.
    """
    from corsguard.sources.changes import apply_changes, merge_changes, parse_changes
    from corsguard.sources.signature import remove_signature

    document, *changes = select_complete(revisions)
    text = document.text
    if changes:  # all at once: each would take time for the whole text
        merged = merge_changes(parse_changes(each.text) for each in changes)
        text = apply_changes(remove_signature(text), merged)
    return Document(str(revisions[-1].version), text)


def select_complete(revisions: Sequence[Revision], since: int | None = None) -> Sequence[Revision]:
    """Return the last whole document of revisions and the changes after it.

    Without a document, the changes must be those of the version `since`. Raises SourceError if a
    change does not apply to the revision before it.
    """
    documents = [index for index, each in enumerate(revisions) if not each.is_change]
    chosen = revisions[documents[-1] :] if documents else revisions
    before = since
    for revision in chosen:
        if revision.is_change and before != revision.version - 1:
            raise SourceError(
                f"revision {revision.version} is a change, "
                f"but the store has no revision {revision.version - 1}."
            )
        before = revision.version
    return chosen


def check_next(revision: Revision, newest: int | None) -> None:
    """Raise unless a revision may be written to a store whose newest is `newest` (None: empty).

    Raises ConflictError for a wrong number, and SourceError for a change of nothing.
    """
    if newest is None and revision.is_change:
        raise SourceError("the store is empty: publish a whole document first.")
    if newest is not None and revision.version != newest + 1:
        raise ConflictError(
            f"revision {revision.version} can't be published: the newest revision is {newest}. "
            "Somebody else has published: compare with the new state, and publish again."
        )


def list_lacking(newest: int, document: int, since: int) -> range:
    """Return the numbers of the revisions that a worker at version `since` lacks.

    `document` is the number of the newest whole document. Those after it are changes.
    """
    is_known = document <= since <= newest
    return range(since + 1 if is_known else min(document, newest), newest + 1)


def list_outdated(
    entries: Iterable[LogEntry], current: int, max_bytes: float = MAX_OLDER_BYTES
) -> list[int]:
    """Return the numbers of the revisions that a store may delete.

    `current` is the number of the newest whole document: it and all after it are the state. Of the
    older ones, the newest are kept, from a whole document on.
    """
    older = sorted((each for each in entries if each.revision.version < current), reverse=True)
    kept = size = 0
    for count, entry in enumerate(older[:MAX_OLDER_REVISIONS], 1):
        size += entry.size
        if size > max_bytes:
            break
        if not entry.revision.is_change:
            kept = count
    return [entry.revision.version for entry in older[kept:]]


def encode_entry(revision: Revision) -> str:
    """Return the JSON of a revision without its text, with the size of it and a random identity."""
    fields = {**revision._asdict(), "id": uuid4().hex, "size": len(revision.text)}
    del fields["text"]
    return json.dumps(fields)


def decode_entry(text: str | bytes) -> LogEntry:
    """Return what `encode_entry` wrote. Raises SourceError for anything else."""
    fields = _decode(text, "revision")
    try:
        revision = Revision(
            int(fields["version"]),
            "",
            bool(fields.get("is_change")),
            str(fields.get("author", "")),
            str(fields.get("message", "")),
            float(fields.get("published_at", 0)),
        )
        return LogEntry(revision, int(fields.get("size", 0)))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise SourceError("the store has a revision that is not valid.") from None


def encode_report(report: WorkerReport) -> str:
    """Return the JSON of the state of a worker."""
    return json.dumps(report._asdict())


def decode_report(text: str | bytes) -> WorkerReport:
    """Return what `encode_report` wrote. Raises SourceError for anything else."""
    fields = _decode(text, "report of a worker")
    try:
        return WorkerReport(
            str(fields["host"]),
            int(fields["pid"]),
            str(fields["version"]),
            float(fields["since"]),
            str(fields.get("error", "")),
            tuple(
                (str(verdict), str(origin), str(path), int(count))
                for verdict, origin, path, count in fields.get("candidate", ())
            ),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise SourceError("the store has a report of a worker that is not valid.") from None


def _decode(text: str | bytes, kind: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SourceError(f"the store has a {kind} that is not a JSON object.")
    return fields
