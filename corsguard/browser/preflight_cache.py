"""The CORS-preflight cache of a browser (Fetch, "CORS-preflight cache")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from corsguard.browser.engine_quirks import EngineQuirks

__all__ = ["CacheKey", "PreflightCache"]


class CacheKey(NamedTuple):
    """The key of a preflight in the cache."""

    origin: str
    """The `Origin` that is sent, so "null" after some redirects."""
    url: str
    credentials: bool
    """True if the credentials mode is `include`."""


class _Entry(NamedTuple):
    key: CacheKey
    method: bool
    """True for an allowed method, False for an allowed header."""
    name: str
    """The method, or the header's name in lower case; empty for the response itself."""


class PreflightCache:
    """The methods and headers that preflights allowed, and when each entry expires.

    Times are seconds on the browser's clock.
    """

    def __init__(self, engine: EngineQuirks) -> None:
        self._engine = engine
        self._expiry: dict[_Entry, float] = {}  # entry -> time

    def allows_method(self, key: CacheKey, method: str, now: float) -> bool:
        """Return True if a method is cached (Fetch, "method cache entry match")."""
        return self._matches(_Entry(key, method=True, name=method), now)

    def allows_header(self, key: CacheKey, name: str, now: float) -> bool:
        """Return True if a header is cached, its name in lower case.

        Fetch, "header-name cache entry match".
        """
        return self._matches(_Entry(key, method=False, name=name), now)

    def has_any(self, key: CacheKey, now: float) -> bool:
        """Return True if any entry is cached for an origin, a URL and credentials."""
        keys = list(self._find_keys(key))
        return any(entry.key in keys and self._is_live(entry, now) for entry in self._expiry)

    def add(
        self, key: CacheKey, methods: Iterable[str], headers: Iterable[str], now: float, age: int
    ) -> None:
        """Cache what a response allows for age seconds (Fetch, "CORS-preflight fetch", 7)."""
        names = [_Entry(key, True, method) for method in methods]
        names += [_Entry(key, False, name.lower()) for name in headers]
        if self._engine.replaces_older_preflights:
            self.clear(key)
        names.append(_Entry(key, True, ""))  # the response itself, which may list no name
        for entry in names:
            # The standard: a new response also sets the max-age of the entries that match already.
            matching = [each for each in self._find_covering(entry) if self._is_live(each, now)]
            for each in matching or [entry]:
                self._expiry[each] = now + age

    def clear(self, key: CacheKey) -> None:
        """Remove the entries of an origin and a URL (Fetch, "clear cache entries")."""
        self._remove(lambda other: other[:2] == key[:2])

    def prepare(self, key: CacheKey) -> None:
        """Remove the entries that an engine drops before it sends a preflight."""
        if key.credentials and not self._engine.keeps_entries_without_credentials:
            self._remove(lambda other: other == key._replace(credentials=False))

    def _remove(self, is_removed: Callable[[CacheKey], bool]) -> None:
        for entry in [entry for entry in self._expiry if is_removed(entry.key)]:
            del self._expiry[entry]

    def _matches(self, entry: _Entry, now: float) -> bool:
        return any(self._is_live(each, now) for each in self._find_covering(entry))

    def _is_live(self, entry: _Entry, now: float) -> bool:
        return self._expiry.get(entry, now) > now

    def _find_covering(self, entry: _Entry) -> Iterator[_Entry]:
        """Yield the entries that would allow the same as entry."""
        for key in self._find_keys(entry.key):
            yield entry._replace(key=key)
            if self._is_covered(entry, key):
                yield entry._replace(key=key, name="*")

    def _find_keys(self, key: CacheKey) -> Iterator[CacheKey]:
        """Yield the keys whose entries apply to key.

        Fetch, "cache entry match": an entry with credentials applies to requests without, too.
        """
        yield key
        if not key.credentials and not self._engine.caches_by_credentials:
            yield key._replace(credentials=True)

    def _is_covered(self, entry: _Entry, key: CacheKey) -> bool:
        """Return True if a `*` that is cached for key covers entry."""
        engine = self._engine
        # With credentials, `*` is not a wildcard.
        if entry.key.credentials or not engine.caches_wildcards:
            return False
        if key.credentials and not engine.caches_wildcards_of_credentials:
            return False
        is_authorization = not entry.method and entry.name == "authorization"
        return engine.cached_wildcard_covers_authorization or not is_authorization
