"""The newest good document on disk, with which a worker starts while the store is down.

Two files: the whole document, after a line with its version, and `.changes` beside it, one change
of its sets a line. Workers of one host may share them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from corsguard.sources.source import Document, Revision, SourceError

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows, where two workers may both write
    fcntl = None  # type: ignore[assignment]

__all__ = ["LastGood"]

_MARK = "# corsguard-document: "


class LastGood:
    """The files of the newest good document. Safe to use from several processes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        self._changes = self.path.with_name(f"{self.path.name}.changes")
        self._lock = self.path.with_name(f"{self.path.name}.lock")

    def load(self) -> tuple[Document, list[Revision]] | None:
        """Return the whole document and the changes after it; None if there is no file.

        Raises SourceError if the file can't be read.
        """
        try:
            content = self.path.read_bytes()
            changes = self._read_changes()  # those of another document are left out below
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{self.path}: can't be read: {error.strerror}") from None
        document = _parse(content)
        if document is None:
            raise SourceError(f"{self.path}: not a file that a guard has written. Remove it")
        return document, list(_select_following(document, changes))

    def store(self, document: Document) -> None:
        """Write a whole document, unless another worker has.

        Raises OSError, also if another worker is writing.
        """
        with self._locked():
            header = _format_header(document)
            if self._read_header() == header:
                return
            with NamedTemporaryFile(
                "wb", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False
            ) as file:
                try:
                    file.write(header)
                    file.write(_encode(document.text))
                    file.flush()
                    os.fsync(file.fileno())
                    os.replace(file.name, self.path)
                except BaseException:
                    os.unlink(file.name)
                    raise
            # Of another document. If it stayed, its numbers would not follow this version.
            self._changes.unlink(missing_ok=True)

    def append(self, changes: Sequence[Revision]) -> bool:
        """Write changes that follow what is there, unless another worker has written them.

        Returns False if they don't follow it: then the whole document has to be written. Raises
        OSError, also if another worker is writing.
        """
        with self._locked():
            found = _parse(self._read_header())
            version = None if found is None else found.version
            if version is None or not version.isdecimal():
                return False
            document = Document(version, "")
            newest = max((each.version for each in self._read_following(document)), default=0)
            newest = newest or int(version)
            new = [each for each in changes if each.version > newest]
            if new and new[0].version != newest + 1:
                return False
            with self._changes.open("a", encoding="utf-8") as file:
                # Each begins a line, as the last one may have been cut off.
                file.writelines(f"\n{json.dumps(each._asdict())}" for each in new)
        return True

    def _read_following(self, document: Document) -> list[Revision]:
        return list(_select_following(document, self._read_changes()))

    def _read_header(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.readline()
        except FileNotFoundError:
            return b""

    def _read_changes(self) -> list[Revision]:
        changes: list[Revision] = []
        try:
            content = self._changes.read_bytes()
        except FileNotFoundError:
            return changes
        for line in content.splitlines():
            # One is not whole if the disk was full, or the machine stopped, while it was written.
            with suppress(ValueError, TypeError):
                changes.append(Revision(**json.loads(line)))
        return changes

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if fcntl is None:  # pragma: no cover
            yield
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Not flock, whose lock a child that is forked now would hold after this process.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)


def _format_header(document: Document) -> bytes:
    """Return the first line of the file: the version, and a checksum of the text."""
    checksum = sha256(_encode(document.text)).hexdigest()
    return f"{_MARK}{json.dumps([document.version, checksum])}\n".encode()


def _parse(content: bytes) -> Document | None:
    """Return the document of a file, or that of its first line without a text; None for neither."""
    first, _, rest = content.partition(b"\n")
    try:
        version, _ = json.loads(first.decode().removeprefix(_MARK))
        return Document(str(version), rest.decode("utf-8", "surrogatepass"))
    except (ValueError, TypeError):
        return None


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _select_following(document: Document, changes: Sequence[Revision]) -> Iterator[Revision]:
    """Yield the changes that follow a document without a gap."""
    version = int(document.version) if document.version.isdecimal() else 0
    for change in changes:
        if version and change.version == version + 1:
            version += 1
            yield change
