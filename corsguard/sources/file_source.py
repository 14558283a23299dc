"""FileSource: a policy in a TOML file, read anew whenever the file changes."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from corsguard.fork_safety import restart_in_child
from corsguard.sources.document_text import MAX_BYTES, compute_version, decode_document
from corsguard.sources.file_replacement import lock_file, replace_file
from corsguard.sources.path_trace import trace_path
from corsguard.sources.source import ConflictError, Document, SourceEmptyError, SourceError

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

__all__ = ["FileSource"]

_logger = logging.getLogger("corsguard")

_STEP = 20
"""Milliseconds between looks at what has changed, and those in which nothing more may change before
it is reported. `close` takes as long."""
_DEBOUNCE = 100
"""Milliseconds after which a change is reported although more follow."""


class _Watched(NamedTuple):
    """What a change of the document is a change of, at one time."""

    folders: dict[str, tuple[int, int]]
    """Folder -> its device and its inode, which tell one from another that has its name later."""
    paths: frozenset[str]


class FileSource:
    """A source whose document is a TOML file.

    `watch` needs watchfiles (`pip install "corsguard[files]"`), without which a guard polls. It
    sees a file that is written in place or replaced, a symbolic link that is replaced (the
    ConfigMap of Kubernetes), and a file or a folder that is not there yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """`path` is made absolute, so it stays the same where the process changes its folder."""
        self.path: Path = Path(os.path.abspath(path))
        self._has_logged = False
        self._notifier: type[RustNotify] | None = None
        with suppress(ImportError):
            self._notifier = import_module("watchfiles._rust_notify").RustNotify
        self._is_closed = False
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Make a new event, as another thread may have held the lock of the old one at the fork."""
        self._closed = Event()
        if self._is_closed:
            self._closed.set()

    def __repr__(self) -> str:
        return f"FileSource({str(self.path)!r})"

    def load(self) -> Document:
        """Return the document. Its version is the number that is signed, else a checksum.

        Raises SourceEmptyError if the file is missing or blank, and SourceError if it can't be
        read, is no regular file, has more than 64 MiB, or is not UTF-8.
        """
        text = decode_document(self._read(), str(self.path))
        return Document(compute_version(text), text)

    def write(self, text: str, *, expected: str | None) -> None:
        """Replace the document, all at once.

        `expected` is the text that it has now, None if it has none. The file keeps its mode, and
        its owner where the process may set it. A symbolic link stays one: its target is replaced.
        Raises ConflictError if somebody else has changed it, and SourceError, also for a text that
        is blank or too large to be read.
        """
        decode_document(text.encode(), "the new document")
        try:
            with lock_file(self.path):
                if self._load_text() != expected:
                    raise ConflictError(f"{self.path} has been changed by somebody else")
                replace_file(self.path, text)
        except OSError as error:
            raise SourceError(f"{self.path} can't be written: {_describe(error)}") from error

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call on_change when it begins and after each change of the file, until `close` is called.

        Returns at once without watchfiles. Raises OSError if the system can't watch: it has no more
        watches, or the file system has none.
        """
        if self._notifier is None:
            self._log_missing()
            return
        while not self._closed.is_set():
            watched = self._find_watched()
            try:
                notifier = self._notifier([*watched.folders], False, False, 0, False, False)
            except FileNotFoundError:  # a folder that was there a moment ago
                self._closed.wait(_STEP / 1_000)
                continue
            with notifier:
                on_change()  # for what has changed before
                if self._find_watched() == watched:
                    self._wait(notifier, watched, on_change)

    def close(self) -> None:
        """End `watch` within some milliseconds."""
        self._is_closed = True
        self._closed.set()

    def _read(self) -> bytes:
        """Return the bytes of the file, at most one more than a document may have."""
        try:
            # Opening a FIFO would wait for its writer.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            with open(os.open(self.path, flags), "rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise SourceEmptyError(f"{self.path} does not exist") from None
        except OSError as error:
            raise SourceError(f"{self.path} can't be read: {_describe(error)}") from error
        raise SourceError(f"{self.path} is not a regular file")

    def _load_text(self) -> str | None:
        try:
            return self.load().text
        except SourceEmptyError:
            return None

    def _find_watched(self) -> _Watched:
        """Return the folders that can be watched, and the names in them that matter."""
        folders, paths = {}, set()
        for folder, names in trace_path(self.path).items():
            paths |= {folder, *(os.path.join(folder, name) for name in names)}
            with suppress(OSError):
                status = os.stat(folder)
                if stat.S_ISDIR(status.st_mode) and os.access(folder, os.R_OK):
                    folders[folder] = (status.st_dev, status.st_ino)
        return _Watched(folders, frozenset(paths))

    def _wait(
        self, notifier: RustNotify, watched: _Watched, on_change: Callable[[], object]
    ) -> None:
        """Call on_change after each change, until the folders to watch are others, or `close`."""
        while True:
            changes = notifier.watch(_DEBOUNCE, _STEP, 0, self._closed)
            if changes == "signal":
                raise KeyboardInterrupt
            if not isinstance(changes, set):
                return
            if watched.paths.isdisjoint(path for _, path in changes):
                continue
            if self._find_watched() != watched:
                return
            on_change()

    def _log_missing(self) -> None:
        if not self._has_logged:
            self._has_logged = True
            _logger.info(
                '%s is polled. To see changes at once: pip install "corsguard[files]"', self.path
            )


def _describe(error: OSError) -> str:
    return error.strerror or str(error)
