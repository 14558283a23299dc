"""Look-ups: whatever happens in whatever order, nobody is allowed whom the store never allowed."""

from __future__ import annotations

from corsguard import CORSRequest, Guard, OriginLookup, Policy

ORIGINS = ("https://a.example", "https://b.example", "http://a.example", "null")
HOSTS = ("one", "two", "one:80", "")
PATHS = ("/", "/a", "/\xc3\xa9", "/" + "x" * 600)
SECONDS = (0.0, 0.5, 1.0, 6.0, 31.0, 400.0)

Key = tuple[str, str, str]


class Store:
    """A database whose answers the input changes, and which notes whom it has allowed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.allowed: set[tuple[str, str]] = set()
        self.is_down = False
        self.has_allowed: set[Key] = set()

    def allows(self, origin: str, request: CORSRequest) -> bool:
        assert request.method == ""
        if self.is_down:
            raise ConnectionError
        is_allowed = (origin, request.host or "") in self.allowed
        if is_allowed:
            self.has_allowed.add((origin, request.host or "", request.path))
        return is_allowed


def lookup(data: bytes) -> None:
    """Take each pair of bytes as a step, and check each decision and each cached decision."""
    store = Store()
    # Nothing is answered in the background here: its time would not be that of the input.
    found = OriginLookup(
        store.allows, stale_while_revalidate=0, max_entries=6, clock=lambda: store.now
    )
    guard = Guard(Policy(allow_origins=[found], allow_credentials=True))
    for step, choice in zip(data[::2], data[1::2], strict=False):
        origin, host, path = ORIGINS[choice % 4], HOSTS[choice // 4 % 4], PATHS[choice // 16 % 4]
        if step % 8 == 0:
            store.allowed ^= {(origin, host)}
        elif step % 8 == 1:
            store.is_down = not store.is_down
        elif step % 8 == 2:
            store.now += SECONDS[choice % 6]
        elif step % 8 == 3:
            found.forget(origin, host or None)
            store.has_allowed -= {
                key for key in store.has_allowed if key[0] == origin and key[1].startswith(host)
            }
        else:
            _request(guard, store, (origin, host, path), is_preflight=step % 8 == 4)


def _request(guard: Guard, store: Store, key: Key, *, is_preflight: bool) -> None:
    origin, host, path = key
    environ = {
        "REQUEST_METHOD": "OPTIONS" if is_preflight else "GET",
        "PATH_INFO": path,
        "HTTP_HOST": host,
        "HTTP_ORIGIN": origin,
        "HTTP_COOKIE": "session=1",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET",
    }
    request = CORSRequest.from_environ(environ)
    decision = guard.adapter.snapshot.find(request.path).cache.lookup(
        environ, environ["REQUEST_METHOD"]
    )
    if decision is None:
        decision = guard.adapter.decide(request)
    if decision.allowed:
        assert (origin, host, request.path) in store.has_allowed
        assert origin.startswith("https:")
