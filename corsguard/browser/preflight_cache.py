"""The CORS-preflight cache: what a browser need not ask again (Fetch, "CORS-preflight cache")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from corsguard.browser.engine_quirks import Traits

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

    def __init__(self, engine: Traits) -> None:
        self._engine = engine
        self._expiry: dict[_Entry, float] = {}

    def allows_method(self, key: CacheKey, method: str, now: float) -> bool:
        """Fetch, "method cache entry match"; now is in seconds."""
        return self._matches(_Entry(key, method=True, name=method), now)

    def allows_header(self, key: CacheKey, name: str, now: float) -> bool:
        """Fetch, "header-name cache entry match"; name is in lower case."""
        return self._matches(_Entry(key, method=False, name=name), now)

    def holds_any(self, key: CacheKey, now: float) -> bool:
        """Whether anything is held for an origin, a URL and credentials."""
        keys = list(self._keys(key))
        return any(entry.key in keys and self._lives(entry, now) for entry in self._expiry)

    def add(
        self, key: CacheKey, methods: Iterable[str], headers: Iterable[str], now: float, age: int
    ) -> None:
        """Keep for age seconds what an answer allows (Fetch, "CORS-preflight fetch", 7)."""
        names = [_Entry(key, True, method) for method in methods]
        names += [_Entry(key, False, name.lower()) for name in headers]
        if self._engine.keeps_one_preflight:
            self.clear(key)
        names.append(_Entry(key, True, ""))  # the answer itself, which may name nothing
        for entry in names:
            # A newer answer counts for what an older one said of the same name, and no less.
            matching = [held for held in self._candidates(entry) if self._lives(held, now)]
            for held in matching or [entry]:
                self._expiry[held] = now + age

    def clear(self, key: CacheKey) -> None:
        """Forget what is held for an origin and a URL (Fetch, "clear cache entries")."""
        self._drop(lambda held: held[:2] == key[:2])

    def ask_again(self, key: CacheKey) -> None:
        """Make ready for the answer to another preflight."""
        if key.credentials and not self._engine.keeps_without_credentials:
            self._drop(lambda held: held == key._replace(credentials=False))

    def _drop(self, is_dropped: Callable[[CacheKey], bool]) -> None:
        for entry in [entry for entry in self._expiry if is_dropped(entry.key)]:
            del self._expiry[entry]

    def _matches(self, entry: _Entry, now: float) -> bool:
        return any(self._lives(held, now) for held in self._candidates(entry))

    def _lives(self, entry: _Entry, now: float) -> bool:
        return self._expiry.get(entry, now) > now

    def _candidates(self, entry: _Entry) -> Iterator[_Entry]:
        """The entries that would say yes to what entry asks."""
        for key in self._keys(entry.key):
            yield entry._replace(key=key)
            if self._is_covered(entry, key):
                yield entry._replace(key=key, name="*")

    def _keys(self, key: CacheKey) -> Iterator[CacheKey]:
        """Fetch, "cache entry match": what holds with credentials holds without."""
        yield key
        if not key.credentials and not self._engine.caches_by_credentials:
            yield key._replace(credentials=True)

    def _is_covered(self, entry: _Entry, key: CacheKey) -> bool:
        """Whether a `*` that is held for key covers what entry asks."""
        engine = self._engine
        # Where credentials are sent, `*` is only a name.
        if entry.key.credentials or not engine.caches_wildcards:
            return False
        if key.credentials and not engine.caches_wildcards_of_credentials:
            return False
        is_authorization = not entry.method and entry.name == "authorization"
        return engine.cached_wildcard_covers_authorization or not is_authorization
