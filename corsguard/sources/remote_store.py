"""The base of the stores behind a connection: the connection of each process, and its errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock
from typing import Generic, TypeVar

from corsguard.fork_safety import restart_in_child
from corsguard.sources.revision_log import (
    LogEntry,
    LogState,
    assemble,
    list_lacking,
    select_complete,
)
from corsguard.sources.source import Document, Revision, SourceEmptyError, SourceError, WorkerReport
from corsguard.sources.store_url import StoreURL

__all__ = ["SHORT_SECONDS", "TRANSFER_SECONDS", "RemoteStore"]

SHORT_SECONDS = 2.0
"""How long a server may take to connect, or to respond to a small question."""
TRANSFER_SECONDS = 20.0
"""How long a large document may take to arrive."""

Client = TypeVar("Client")
Listener = TypeVar("Listener")

_INHERITED: list[object] = []
"""Connections of parent processes. A child keeps them for ever: closing one, or letting Python
finalise it, could send bytes on the connection that the parent still uses."""


class RemoteStore(ABC, Generic[Client, Listener]):
    """A store that each process connects to by itself, at first use.

    Client is what sends questions, from any thread. Listener is the connection of `watch`.
    """

    _client_errors: tuple[type[Exception], ...]
    """What the client raises when the store can't be read or written."""

    def __init__(self, url: str) -> None:
        """Parse the URL and connect to nothing. Raises SourceError if it is not valid."""
        self._url = StoreURL(url)
        self._lock = Lock()
        self._closed = Event()
        self._client: Client | None = None
        self._listener: Listener | None = None
        self._loaded: tuple[int, str | None] | None = None
        """The number and the identity of the revision that was loaded last."""
        restart_in_child(self._restart)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url.shown!r})"

    def load(self) -> Document:
        """Return the whole text with all changes applied."""
        return assemble(self.load_revisions())

    def load_revisions(self, since: int = 0) -> Sequence[Revision]:
        """Return what a worker at version `since` lacks, with one small question if nothing.

        Where the store has been emptied and `since` is now the number of another revision, that is
        the whole document.
        """
        with self._translate_errors():
            while True:
                state = self._read_state(since)
                newest, document, identity = state
                if newest is None or document is None:
                    raise SourceEmptyError("the store has no revision yet. Publish one first.")
                if self._loaded is None:
                    self._loaded = since, identity
                is_other = self._loaded[0] == since and self._loaded[1] != identity
                lacking = list_lacking(newest, document, 0 if is_other else since)
                if not lacking:
                    return ()
                # Before the texts, so that one replaced meanwhile is noticed next time.
                loaded = newest, self._read_state(newest).identity
                try:
                    revisions = self._read_complete(lacking, since)
                except SourceError:
                    if self._read_state(since) == state:
                        raise
                    continue  # published meanwhile, and the old texts deleted
                self._loaded = loaded
                return revisions

    @abstractmethod
    def publish(self, revision: Revision) -> None:
        """Write a revision and notify the workers in one transaction, unless another was faster."""

    def list_revisions(self, limit: int) -> Sequence[Revision]:
        """Return the newest revisions, the newest first, with empty texts."""
        with self._translate_errors():
            return [entry.revision for entry in self._read_log()[: -limit - 1 : -1]]

    def load_revision(self, version: int) -> Sequence[Revision]:
        """Return the whole document at or before a version, and the changes up to it."""
        with self._translate_errors():
            revisions = [entry.revision for entry in self._read_log()]
            documents = [each.version for each in revisions if not each.is_change]
            document = max((each for each in documents if each <= version), default=version)
            return self._read_complete(range(document, version + 1))

    @abstractmethod
    def report(self, report: WorkerReport, seconds: float) -> None:
        """Write the state of a worker, which the store forgets after so many seconds."""

    @abstractmethod
    def list_reports(self) -> Sequence[WorkerReport]:
        """Return the states of the workers that have reported lately, by host and process."""

    @abstractmethod
    def watch(self, on_change: Callable[[], object]) -> None:
        """Call on_change whenever the document may have changed, until `close` is called."""

    def close(self) -> None:
        """End `watch`, and close the connections of this process."""
        self._closed.set()
        with self._lock:
            client, self._client = self._client, None
            listener, self._listener = self._listener, None
        if listener is not None:
            self._shut_down(listener)
        if client is not None:
            self._close_client(client)

    @abstractmethod
    def _read_state(self, version: int = 0) -> LogState:
        """Return the state of the log, with the identity of one of its revisions."""

    @abstractmethod
    def _read_revisions(self, numbers: range) -> Sequence[Revision]:
        """Return those of some revisions that the store has, in order."""

    @abstractmethod
    def _read_log(self) -> Sequence[LogEntry]:
        """Return all revisions without their texts, in order."""

    def _read_complete(self, numbers: range, since: int | None = None) -> Sequence[Revision]:
        """Return the state that some revisions make up. Raises SourceError if one is missing."""
        revisions = self._read_revisions(numbers)
        if not revisions or revisions[-1].version != numbers[-1]:
            raise SourceError(f"the store has no revision {numbers[-1]}.")
        return select_complete(revisions, since)

    @abstractmethod
    def _create_client(self) -> Client: ...

    @abstractmethod
    def _close_client(self, client: Client) -> None: ...

    @abstractmethod
    def _shut_down(self, listener: Listener) -> None:
        """Make the thread that reads from the connection of `watch` return at once."""

    def _get_client(self) -> Client:
        """Return the client of this process."""
        with self._lock:
            if self._client is None:
                self._client = self._create_client()
            return self._client

    def _set_listener(self, listener: Listener) -> None:
        """Register the connection of `watch`, for `close`."""
        with self._lock:
            self._listener = listener

    def _restart(self) -> None:
        """Connect anew in a forked child, and leave alone the connections of the parent."""
        _INHERITED.append((self._client, self._listener))
        self._client = self._listener = None
        self._lock = Lock()
        was_closed = self._closed.is_set()
        self._closed = Event()
        if was_closed:
            self._closed.set()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise what the client raises as SourceError, without its passwords."""
        try:
            yield
        except SourceError as error:
            raise type(error)(self._url.describe(error)) from None
        except self._client_errors as error:
            raise SourceError(self._url.describe(self._explain(error))) from None

    def _explain(self, error: Exception) -> object:
        """Return what to show of an error of the client."""
        return error
