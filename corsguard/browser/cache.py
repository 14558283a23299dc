"""The CORS-preflight cache: what a browser need not ask again (Fetch, "CORS-preflight cache")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from corsguard.browser.engines import Engine

__all__ = ["CacheKey", "PreflightCache"]


class CacheKey(NamedTuple):
    """What is asked of the cache."""

    origin: str
    """As it is sent, so `null` after some redirects."""
    url: str
    credentials: bool
    """Whether the credentials mode is `include`."""


class _Entry(NamedTuple):
    key: CacheKey
    method: bool
    """Whether a method is allowed, and not a header."""
    name: str


class PreflightCache:
    """What the answers to preflights allow, and until when."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expiry: dict[_Entry, float] = {}

    def allows_method(self, key: CacheKey, method: str, now: float) -> bool:
        """Fetch, "method cache entry match"; now is in seconds."""
        return self._matches(_Entry(key, method=True, name=method), now)

    def allows_header(self, key: CacheKey, name: str, now: float) -> bool:
        """Fetch, "header-name cache entry match"; name is in lower case."""
        return self._matches(_Entry(key, method=False, name=name), now)

    def add(
        self, key: CacheKey, methods: Iterable[str], headers: Iterable[str], now: float, age: int
    ) -> None:
        """Keep for age seconds what an answer allows (Fetch, "CORS-preflight fetch", 7)."""
        if self._engine.keeps_one_preflight:
            self.clear(key)
        names = [_Entry(key, True, method) for method in methods]
        names += [_Entry(key, False, name.lower()) for name in headers]
        for entry in names:
            # A newer answer counts for what an older one said of the same name, and no less.
            matching = [held for held in self._candidates(entry) if self._lives(held, now)]
            for held in matching or [entry]:
                self._expiry[held] = now + age

    def clear(self, key: CacheKey) -> None:
        """Forget what is held for an origin and a URL (Fetch, "clear cache entries")."""
        for entry in list(self._expiry):
            if entry.key[:2] == key[:2]:
                del self._expiry[entry]

    def _matches(self, entry: _Entry, now: float) -> bool:
        return any(self._lives(held, now) for held in self._candidates(entry))

    def _lives(self, entry: _Entry, now: float) -> bool:
        return self._expiry.get(entry, now) > now

    def _candidates(self, entry: _Entry) -> Iterator[_Entry]:
        """The entries that would say yes to what entry asks."""
        wildcard = entry.method or (
            entry.name != "authorization" or self._engine.wildcard_covers_authorization
        )
        for name in (entry.name, "*") if wildcard else (entry.name,):
            yield entry._replace(name=name)
            # Fetch, "cache entry match": what holds with credentials holds without.
            if not entry.key.credentials and not self._engine.caches_by_credentials:
                yield entry._replace(key=entry.key._replace(credentials=True), name=name)
