"""The stores that are measured, and how a policy is written to each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import time

from support.store_servers import PostgresServer, RedisServer, StoreServer

from corsguard.sources import FileSource, PolicyStore, Revision
from corsguard.sources.changes import SetChange, apply_changes, format_changes
from corsguard.sources.open import open_source

REDIS, POSTGRES, FILE, SQLITE = "Redis", "PostgreSQL", "file", "SQLite"
STORES = (REDIS, POSTGRES, FILE, SQLITE)
_SERVERS: dict[str, Callable[[], StoreServer]] = {REDIS: RedisServer, POSTGRES: PostgresServer}


class MeasuredStore:
    """A store, and the document in it."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._source = open_source(url)
        self._number = 0
        self._text: str | None = None

    def publish(self, text: str) -> None:
        """Write a whole document."""
        if isinstance(self._source, PolicyStore):
            self._write(self._source, text)
        else:
            self._replace(text)

    def prepare_change(self, name: str, change: SetChange) -> Callable[[], None]:
        """Return what writes a change of a set; to a file, the whole document after it."""
        changes = {name: change}
        if isinstance(self._source, PolicyStore):
            text = format_changes(changes)
            return partial(self._write, self._source, text, is_change=True)
        assert self._text is not None
        return partial(self._replace, apply_changes(self._text, changes))

    def close(self) -> None:
        self._source.close()

    def _write(self, store: PolicyStore, text: str, *, is_change: bool = False) -> None:
        self._number += 1
        store.publish(Revision(self._number, text, is_change, published_at=time()))

    def _replace(self, text: str) -> None:
        assert isinstance(self._source, FileSource)
        self._source.write(text, expected=self._text)
        self._text = text


@contextmanager
def open_store(name: str, folder: Path) -> Iterator[MeasuredStore]:
    """Yield an empty store. A server is started for it, and stopped at the end."""
    server = _SERVERS[name]() if name in _SERVERS else None
    urls = {FILE: f"{folder}/corsguard.toml", SQLITE: f"sqlite:///{folder}/policies.db"}
    try:
        if server is not None:
            server.start()
            server.reset()
        store = MeasuredStore(name, urls[name] if server is None else server.url)
        try:
            yield store
        finally:
            store.close()
    finally:
        if server is not None:
            server.remove()
