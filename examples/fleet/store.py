"""What the example publishes to: a file in a folder of its own, or Redis."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Protocol

from corsguard.sources import (
    FileSource,
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    open_source,
)

__all__ = ["FileTarget", "StoreTarget", "Target", "start_redis"]

_START_SECONDS = 10.0


class Target(Protocol):
    """What can be published to."""

    url: str
    """What the workers follow."""

    def publish(self, text: str) -> str:
        """Replace the policy. Return its new version. Raises SourceError."""


class FileTarget:
    """A file, which is replaced all at once."""

    def __init__(self, path: Path) -> None:
        self.url = str(path)
        self._source = FileSource(path)
        self._text: str | None = None

    def publish(self, text: str) -> str:
        self._source.write(text, expected=self._text)
        self._text = text
        return self._source.load().version


class StoreTarget:
    """A store, whose revisions are numbered."""

    def __init__(self, url: str) -> None:
        self.url = url
        source = open_source(url)
        if not isinstance(source, PolicyStore):
            raise SourceError("not a store: give a URL such as redis://localhost:6379")
        self._store = source

    def publish(self, text: str) -> str:
        revision = Revision(
            self._find_newest() + 1, text, author="run.py", published_at=time.time()
        )
        self._store.publish(revision)
        return str(revision.version)

    def _find_newest(self) -> int:
        try:
            return self._store.load_revisions()[-1].version
        except SourceEmptyError:
            return 0


@contextmanager
def start_redis(folder: Path) -> Iterator[str]:
    """Run a redis-server on a free port until the end of the block, and yield its URL."""
    program = which("redis-server")
    if program is None:
        raise SourceError("redis-server is not installed: apt install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with subprocess.Popen(
        [program, *options], stdout=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise SourceError("redis-server does not start") from None
            time.sleep(0.05)
        else:
            return
