"""The interfaces of what a guard follows: a source of a document, and a store that can be written.

A source of your own needs the three methods of PolicySource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = [
    "ConflictError",
    "Document",
    "PolicySource",
    "PolicyStore",
    "Revision",
    "SourceEmptyError",
    "SourceError",
    "WorkerReport",
]


class SourceError(Exception):
    """A source can't be read or written. The message has no password of its URL."""


class SourceEmptyError(SourceError):
    """A source has no document. That is a failure: it never means that nothing is allowed."""


class ConflictError(SourceError):
    """Somebody else has published a revision first."""


class Document(NamedTuple):
    """A configuration as it is in a source."""

    version: str
    """What changes whenever the text does: a number, an ETag, a checksum."""
    text: str
    """The TOML of a `corsguard.toml`."""


class Revision(NamedTuple):
    """A numbered document of a store, or changes of the one before it."""

    version: int
    """1 or more. The next revision of a store has the next number."""
    text: str
    """The TOML of a `corsguard.toml`; if `is_change`, tables `[changes.SET]` with `add` and
    `remove`, which apply to the revision before this one alone."""
    is_change: bool = False
    author: str = ""
    message: str = ""
    published_at: float = 0.0
    """Seconds since the epoch by the clock of the publisher. It is shown, and decides nothing."""


class WorkerReport(NamedTuple):
    """The state of one worker, which it writes to the store."""

    host: str
    pid: int
    version: str
    """The version in force; empty if it is not known."""
    since: float
    """Seconds since the epoch at which that version came into force."""
    error: str = ""
    """Why the newest revision is not in force, in one line; empty if it is."""
    candidate: tuple[tuple[str, str, str, int], ...] = ()
    """The requests that a candidate would decide otherwise: verdict, origin, path, count."""


class PolicySource(Protocol):
    """Where a guard reads its policy from. All methods are called in threads of the follower."""

    def load(self) -> Document:
        """Return the current document.

        Must end within seconds. Raises SourceError, or any other exception, if that is impossible:
        the guard then keeps its policy, and tries again.
        """
        ...

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call on_change whenever the document may have changed, until `close` is called.

        Runs in a thread of its own, so it may block; or register on_change somewhere and return.
        One that can detect no change returns at once: the guard polls as well. If it raises, it is
        called again later. A source that has been disconnected calls on_change once it is back.
        """

    def close(self) -> None:
        """End `watch`, and close connections. May be called more than once, by any thread."""


@runtime_checkable
class PolicyStore(PolicySource, Protocol):
    """A source of numbered revisions that `corsguard publish` can write.

    Its state is the newest whole document and the changes after it, up to the newest revision.
    """

    def load_revisions(self, since: int = 0) -> Sequence[Revision]:
        """Return what a worker at version `since` lacks, in order; nothing if it is up to date.

        That is the changes after it, one for each number; or else, where they are not complete or
        `since` is not a version of this store, the newest whole document and the changes after it.
        Raises SourceEmptyError if the store has no revision, and SourceError if it can't be read.
        """
        ...

    def publish(self, revision: Revision) -> None:
        """Write a revision after all others, all at once, and notify the workers.

        Raises ConflictError unless its number is one more than that of the newest revision (any
        number in an empty store), and SourceError.
        """

    def list_revisions(self, limit: int) -> Sequence[Revision]:
        """Return the newest revisions, the newest first, with empty texts. Raises SourceError."""
        ...

    def load_revision(self, version: int) -> Sequence[Revision]:
        """Return the whole document at or before a version, and the changes up to it, in order.

        Raises SourceError, also if the store has that version no longer.
        """
        ...

    def report(self, report: WorkerReport, seconds: float) -> None:
        """Write the state of a worker, which the store forgets after so many seconds."""

    def list_reports(self) -> Sequence[WorkerReport]:
        """Return the states of the workers that have reported lately, by host and process."""
        ...
