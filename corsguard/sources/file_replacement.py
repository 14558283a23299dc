"""Writing a file so that readers see the old text or the new one, and one writer at a time."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["lock_file", "replace_file"]

_fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None
"""None on Windows, where writers are not kept apart."""
_LOCK_SECONDS = 5.0
_LOCK_STEP = 0.02


def replace_file(path: Path, text: str) -> None:
    """Write a text to a file, all at once and durably. The file keeps its mode and owner.

    A symbolic link is followed: its target is replaced. The owner is kept where the process may set
    it. Raises OSError, and then the file is as before.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        before: os.stat_result | None = target.stat()
    except FileNotFoundError:
        before = None
    # Nobody else may read the new file before it has the mode of the old one.
    mode = 0o666 if before is None else 0o600
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with open(descriptor, "wb") as file:
            if before is not None:
                _copy_owner_and_mode(temporary, before)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold the lock of a file, so that no other writer that does so changes it meanwhile.

    The lock is that of a file beside it, `.NAME.lock`, which stays there: one that was removed
    could be locked twice. Raises TimeoutError if another process holds it for five seconds, and
    OSError.
    """
    target = Path(os.path.realpath(path))
    lock = target.with_name(f".{target.name}.lock")
    with open(_open_lock(lock), "rb") as file:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(file.fileno()):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"another process holds {lock}")
            time.sleep(_LOCK_STEP)
        yield


def _open_lock(path: Path) -> int:
    """Return a descriptor to lock. That of another user's file can only be read, which may do."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _try_lock(descriptor: int) -> bool:
    """Return True if this process has the lock, which it has until the file is closed."""
    if _fcntl is None:
        return True
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _copy_owner_and_mode(path: Path, before: os.stat_result) -> None:
    for owner in ((-1, before.st_gid), (before.st_uid, -1)):
        with suppress(AttributeError, PermissionError):  # Windows has no owners
            os.chown(path, *owner)
    with suppress(PermissionError):  # of a file that belongs to another user now
        os.chmod(path, stat.S_IMODE(before.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new name durable. Windows can't open a folder, and some file systems not sync it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
