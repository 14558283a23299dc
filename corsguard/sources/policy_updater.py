"""The updater of a guard: it puts the newest valid document of a source in force, as a whole."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import escape_text
from corsguard.guard.config import Compiled, Settings
from corsguard.guard.options import Options
from corsguard.guard.snapshot import Snapshot
from corsguard.policy.suggestion_formats import as_toml
from corsguard.sources.changes import parse_changes
from corsguard.sources.last_good import LastGood
from corsguard.sources.parsed_document import ReadDocument, change_sets, read_document
from corsguard.sources.revision_log import assemble, select_complete
from corsguard.sources.signature import verify
from corsguard.sources.source import Document, PolicySource, PolicyStore, Revision, SourceError

if TYPE_CHECKING:
    from corsguard.guard.runtime import GuardRuntime
    from corsguard.sources.signature import VerifyingKey

__all__ = ["ClosedError", "PolicyUpdater", "RefusedError", "describe_error"]

_logger = logging.getLogger("corsguard")

_MAX_WARNINGS = 20
"""Warnings of one document that are logged."""
_Identity = tuple[str, int]
"""A version, and the hash of its text: a source may give another text the same version."""
_Save = Callable[[LastGood], bool]
"""Writes what is in force to disk. Returns False if that is not possible without the rest."""


class RefusedError(Exception):
    """A document that is not put in force."""

    def __init__(self, version: str, problems: Sequence[Problem]) -> None:
        super().__init__(version, problems)
        self.version: str = version
        self.problems: Sequence[Problem] = problems

    def __str__(self) -> str:
        return f"version {self.version} is refused: {'; '.join(map(str, self.problems))}"


class ClosedError(Exception):
    """The guard follows no longer, so nothing is put in force."""


class _OlderError(SourceError):
    """A signed document whose number is lower than that of the one in force."""


class PolicyUpdater:
    """What puts documents of a source in force. Used by one thread at a time."""

    def __init__(
        self,
        runtime: GuardRuntime,
        source: PolicySource,
        last_good: LastGood | None,
        key: VerifyingKey | None,
    ) -> None:
        self.version: str | None = None
        """The version in force."""
        self.since: float | None = None
        """Seconds since the epoch at which that came into force."""
        self.responded_at: float = time.monotonic()
        """Seconds of the monotonic clock at which the source was last read."""
        self.refused: RefusedError | None = None
        """Why the newest document is not in force; None if it is."""
        self._runtime = runtime
        self._source = source
        self._store = source if isinstance(source, PolicyStore) else None
        self._last_good = last_good
        self._is_saved = True
        self._is_unwritable = False
        self._key = key
        current = runtime.snapshot
        self._defaults = Options(current.enforce, current.enforce_exempt, current.own_origins)
        self._settings: Settings | None = None
        self._document: ReadDocument | None = None  # in force, unless changes came after it
        self._identity: _Identity | None = None
        self._refused_identity: _Identity | None = None
        self._number = 0  # of the revision in force, or of the signed document
        self._least = 0  # the number that a signed document must have
        self._is_closed = False

    def load(self) -> None:
        """Put the newest document in force, unless it is, or was refused.

        Raises RefusedError once for a document that can't be, and whatever the source raises.
        """
        if self._store is None:
            version, text = self._source.load()
            document = Document(str(version), text)  # a source of the user's may have an int
            self.responded_at = time.monotonic()
            if self._is_new(_identify(document, ())):
                self._apply(document, ())
        else:
            revisions = self._store.load_revisions(self._number)
            self.responded_at = time.monotonic()
            if not revisions:
                # After a store was emptied, the refused one may have the number in force.
                if self.refused is not None and self.refused.version != self.version:
                    self.refused = None
            elif self._is_new(_identify(None, revisions)):
                self._apply_revisions(self._store, revisions)
        self._complete_last_good()

    def close(self) -> None:
        """Put nothing in force any more: from then on a swap raises ClosedError."""
        self._is_closed = True

    def require_as_new_as_last_good(self) -> None:
        """Refuse signed documents that are older than the one on disk, which was in force here."""
        if self._key is not None and self._last_good is not None:
            with suppress(SourceError):
                found = self._last_good.load()
                self._least = self._authenticate(*found) if found else 0

    def load_last_good(self) -> bool:
        """Put the document on disk in force. Returns False if there is none that is valid."""
        if self._last_good is None:
            return False
        try:
            found = self._last_good.load()
            if found is None:
                return False
            self._apply(*found, is_new=False)
        except (SourceError, RefusedError) as error:
            text = describe_error(error)
            _logger.error("the last good document can't be used: %s", text)  # noqa: TRY400
            return False
        version = escape_text(self.version or "")
        _logger.warning("started with version %s from %s", version, self._last_good.path)
        return True

    def _is_new(self, identity: _Identity) -> bool:
        """Return True for what is neither in force nor refused."""
        if identity == self._identity:
            self.refused = None
        return identity not in (self._identity, self.refused and self._refused_identity)

    def _apply_revisions(self, store: PolicyStore, revisions: Sequence[Revision]) -> None:
        if revisions[0].is_change:
            if self._apply_changes(revisions):
                return
            revisions = store.load_revisions()
        document, changes = _split(revisions)
        self._apply(document, changes)

    def _apply(
        self, document: Document, changes: Sequence[Revision], *, is_new: bool = True
    ) -> None:
        """Put a whole document and the changes after it in force.

        Raises RefusedError.
        """
        identity = _identify(document, changes)
        try:
            number = self._authenticate(document, changes)
            read = _read_whole(document, changes, self._document)
            self._replace(read.settings)
        except PolicyError as error:
            raise self._refuse(identity, map(as_toml, error.problems)) from None
        except SourceError as error:
            raise self._refuse(identity, [_reject_signature(error)]) from None
        save = partial(_store, document=document, changes=changes)
        self._document = None if changes else read
        self._conclude(identity, number, read.settings, save if is_new else None)

    def _apply_changes(self, revisions: Sequence[Revision]) -> bool:
        """Put changes in force, unless they need the whole document: then return False."""
        settings = self._settings
        numbers = range(self._number + 1, self._number + 1 + len(revisions))
        is_complete = all(map(_is_change_number, revisions, numbers))
        if settings is None or not is_complete:
            return False
        try:
            for revision in revisions:
                self._verify(revision)
                changed = change_sets(settings, parse_changes(revision.text))
                if changed is None:
                    return False
                settings = changed
            self._replace(settings)
        except PolicyError:
            return False  # the whole document says what is wrong
        except SourceError as error:
            identity = _identify(None, revisions)
            raise self._refuse(identity, [_reject_signature(error)]) from None
        self._document = None
        save = partial(_append, changes=revisions)
        self._conclude(_identify(None, revisions), revisions[-1].version, settings, save)
        return True

    def _replace(self, settings: Settings) -> None:
        """Put settings in force, all at once. Raises PolicyError, and then nothing is."""
        compiled: list[Compiled] = []

        def build(current: Snapshot) -> Snapshot:
            if self._is_closed:
                raise ClosedError
            compiled.append(settings.compile(current, self._defaults))
            return compiled[0].snapshot

        self._runtime.swap(build)
        self._runtime.set_candidate(compiled[0].candidate)

    def _refuse(self, identity: _Identity, problems: Iterable[Problem]) -> RefusedError:
        self._refused_identity = identity
        self.refused = RefusedError(identity[0], tuple(problems))
        return self.refused

    def _conclude(
        self, identity: _Identity, number: int, settings: Settings, save: _Save | None
    ) -> None:
        """Note and log that a version is in force, and write it to disk."""
        version, self._identity = identity[0], identity
        was = f", after {escape_text(self.version)}" if self.version else ""
        self.version, self.since = version, time.time()
        self.refused = None
        # The number last: a child that is forked in between applies the same changes once more.
        self._settings = settings
        self._number = self._least = number
        _logger.info("policy version %s is in force%s", escape_text(version), was)
        for warning in map(as_toml, settings.warnings[:_MAX_WARNINGS]):
            _logger.warning("policy version %s: %s", escape_text(version), warning)
        if save is not None:
            self._is_saved = self._try_saving(save)

    def _authenticate(self, document: Document, changes: Sequence[Revision]) -> int:
        """Return the number of the newest revision, 0 for a document without one.

        Raises SourceError if it has no valid signature, or an older one than is in force.
        """
        number = int(document.version) if self._store and document.version.isdecimal() else 0
        if self._key is not None:
            number = verify(document.text, self._key)
            if self._store is not None and str(number) != document.version:
                raise SourceError(f"the signature is that of version {number}")
            for change in changes:
                self._verify(change)
        if changes:
            number = changes[-1].version
        if self._key is not None and number < self._least:
            raise _OlderError(f"version {self._least} was in force, and this one is older")
        return number

    def _verify(self, change: Revision) -> None:
        """Raise SourceError unless a change has a valid signature, where one is required."""
        if self._key is None:
            return
        if verify(change.text, self._key, is_change=True) != change.version:
            raise SourceError(f"the signature of version {change.version} is that of another one")

    def _complete_last_good(self) -> None:
        """Write the whole document, if what changed could not be written or appended.

        Raises whatever the source raises.
        """
        if self._is_saved:
            return
        document, changes = (
            (self._source.load(), ())
            if self._store is None
            else _split(self._store.load_revisions())
        )
        newest = str(changes[-1].version) if changes else document.version
        if newest == self.version:
            self._is_saved = self._try_saving(partial(_store, document=document, changes=changes))

    def _try_saving(self, save: _Save) -> bool:
        if self._last_good is None:
            return True
        try:
            return save(self._last_good)
        except BlockingIOError:  # another worker is writing
            return False
        except OSError as error:
            level = logging.DEBUG if self._is_unwritable else logging.WARNING
            text = describe_error(error)
            _logger.log(level, "the last good document can't be written to disk: %s", text)
            self._is_unwritable = True
            return False


def _identify(document: Document | None, revisions: Sequence[Revision]) -> _Identity:
    """Return the identity of the last revision, or of a document without later ones."""
    if document is not None and not revisions:
        return document.version, hash(document.text)
    return str(revisions[-1].version), hash(revisions[-1].text)


def _split(revisions: Sequence[Revision]) -> tuple[Document, Sequence[Revision]]:
    """Return the whole document of revisions, and the changes after it. Raises SourceError."""
    whole, *changes = select_complete(revisions)
    return Document(str(whole.version), whole.text), changes


def _read_whole(
    document: Document, changes: Sequence[Revision], previous: ReadDocument | None
) -> ReadDocument:
    """Return a document after changes of its sets. `previous` is in force. Raises PolicyError."""
    read = read_document(document.text, previous)
    if not changes:
        return read
    changed: Settings | None = read.settings
    for revision in changes:
        changed = changed and change_sets(changed, parse_changes(revision.text))
    if changed is not None and not changed.problems:
        return read._replace(settings=changed)
    whole = Revision(int(document.version), document.text)
    return read_document(assemble([whole, *changes]).text)


def _is_change_number(revision: Revision, number: int) -> bool:
    return revision.is_change and revision.version == number


def _store(last_good: LastGood, document: Document, changes: Sequence[Revision]) -> bool:
    last_good.store(document)
    return not changes or last_good.append(changes)


def _append(last_good: LastGood, changes: Sequence[Revision]) -> bool:
    return last_good.append(changes)


def _reject_signature(error: SourceError) -> Problem:
    """Return the problem of a document that is not what a key has signed."""
    suggestion = "publish it with --sign"
    if isinstance(error, _OlderError):
        suggestion = "publish it again, under a number that is higher"
    return Problem("document-not-authentic", "source", None, str(error), suggestion)


def describe_error(error: Exception) -> str:
    """Return an error in one line without control characters."""
    text = str(error).rstrip(".") or "no further information"
    if not isinstance(error, (SourceError, RefusedError)):
        text = f"{type(error).__name__}: {text}"
    return escape_text(text, 500)
