"""Where a policy is published: a store of revisions, or a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from corsguard.cli.terminal import fail, make_printable
from corsguard.errors import PolicyError
from corsguard.sources.file_source import FileSource
from corsguard.sources.open import open_source, redact
from corsguard.sources.revision_log import assemble, select_complete
from corsguard.sources.signature import read_signed_version
from corsguard.sources.source import (
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
)

__all__ = [
    "State",
    "Target",
    "build_state",
    "describe_file",
    "open_store",
    "open_target",
    "read_toml",
    "read_version",
]


_VERSION = re.compile(r"[0-9]{1,18}")


class State(NamedTuple):
    """What is published, or was at some version."""

    revisions: tuple[Revision, ...]
    """The whole document and the changes after it; one without a store."""
    text: str
    """The whole document with the changes, without signature if there are any."""

    @property
    def version(self) -> int:
        """The number of the newest revision; 0 for a file that is not signed."""
        return self.revisions[-1].version

    @property
    def mapping(self) -> Mapping[str, Any] | None:
        """The document; None if it is not TOML."""
        return read_toml(self.text)

    @property
    def is_signed(self) -> bool:
        """True if the newest revision has a signature, whether right or wrong."""
        return read_signed_version(self.revisions[-1].text) is not None


class Target(Protocol):
    """What `corsguard publish` writes to."""

    name: str
    """The URL without a password, or the path, in one line."""
    has_versions: bool
    """True if each revision has a number."""

    def load(self) -> State | None:
        """Return what is published; None if that is nothing. Raises SourceError."""

    def load_version(self, version: int) -> State:
        """Return what was published as a version. Raises SourceError."""
        ...

    def publish(self, revision: Revision, state: State | None) -> None:
        """Write a revision after `state`: a whole document, unless the target has versions.

        Raises ConflictError if something else has been published meanwhile, and SourceError.
        """

    def find_highest_version(self) -> int:
        """Return the highest version that workers report to run, 0 if there is none."""
        ...


class _StoreTarget:
    has_versions = True

    def __init__(self, name: str, store: PolicyStore) -> None:
        self.name = name
        self._store = store

    def load(self) -> State | None:
        try:
            return build_state(self._store.load_revisions())
        except SourceEmptyError:
            return None

    def load_version(self, version: int) -> State:
        return build_state(self._store.load_revision(version))

    def publish(self, revision: Revision, state: State | None) -> None:  # noqa: ARG002
        self._store.publish(revision)

    def find_highest_version(self) -> int:
        return max(map(read_version, self._store.list_reports()), default=0)


class _FileTarget:
    has_versions = False

    def __init__(self, name: str, source: FileSource) -> None:
        self.name = name
        self._source = source

    def load(self) -> State | None:
        try:
            text = self._source.load().text
        except SourceEmptyError:
            return None
        return State((Revision(read_signed_version(text) or 0, text),), text)

    def load_version(self, version: int) -> State:  # noqa: ARG002
        raise SourceError(f"{self.name}: {describe_file('history')}")

    def publish(self, revision: Revision, state: State | None) -> None:
        self._source.write(revision.text, expected=state.text if state else None)

    def find_highest_version(self) -> int:
        return 0


def read_toml(text: str) -> Mapping[str, Any] | None:
    """Return what a text means; None if it is not TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def read_version(report: WorkerReport) -> int:
    """Return the number of the revision that a worker reports to run, 0 if it is not a number."""
    return int(report.version) if _VERSION.fullmatch(report.version) else 0


def build_state(revisions: Sequence[Revision]) -> State:
    """Return the state after revisions: a whole document and the changes after it, in order.

    Raises SourceError if they are not complete, or if a change can't be applied.
    """
    try:
        return State(tuple(select_complete(revisions)), assemble(revisions).text)
    except PolicyError as error:
        raise SourceError(f"a change can't be applied: {error.problems[0]}") from None


@contextmanager
def open_target(url: str) -> Iterator[Target]:
    """Open what a URL or a path names for writing. End the command if that is impossible."""
    with _report_errors():
        source, name = open_source(url), make_printable(redact(url))
        try:
            if isinstance(source, FileSource):
                yield _FileTarget(name, source)
            elif isinstance(source, PolicyStore):
                yield _StoreTarget(name, source)
            else:
                fail(f"{name} can only be read: publish to where it is served from")
        finally:
            source.close()


@contextmanager
def open_store(url: str, keeps: str) -> Iterator[PolicyStore]:
    """Open the store that a URL names. End the command if it is none.

    `keeps` says what the command needs it for, such as `history`.
    """
    with _report_errors():
        source = open_source(url)
        try:
            if not isinstance(source, PolicyStore):
                fail(f"{redact(url)}: {describe_file(keeps)}")
            yield source
        finally:
            source.close()


@contextmanager
def _report_errors() -> Iterator[None]:
    """End the command with one line if a source can't be used."""
    try:
        yield
    except SourceError as error:
        fail(str(error).rstrip("."))


def describe_file(keeps: str) -> str:
    """Return what a file lacks, in a sentence that names the alternative."""
    return f"a file keeps no {keeps}: publish to a store, such as sqlite:///corsguard.db"
