"""RedisOrigins: allowed origins in a Redis set, with one query for each origin."""

from __future__ import annotations

from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Unpack

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from corsguard.fork_safety import restart_in_child
from corsguard.sources.notified_lookup import INHERITED, LookupOptions, NotifiedLookup
from corsguard.sources.remote_store import SHORT_SECONDS
from corsguard.sources.source import SourceError
from corsguard.sources.store_url import StoreURL

if TYPE_CHECKING:
    from corsguard.sources.notified_lookup import Listening

__all__ = ["RedisOrigins"]

_INVALIDATIONS = "__redis__:invalidate"
"""The channel on which Redis names the keys that have changed."""
_STEP = 0.5
"""Seconds between looks at whether the look-up is closed."""


class RedisOrigins(NotifiedLookup):
    """An entry of `allow_origins` that allows the members of a set in Redis 6 or newer.

    `url` is one of redis-py: `redis://`, `rediss://` or `unix://`. `key` is that of the set, whose
    members are origins as browsers send them: `SADD corsguard-origins https://app.example`.

    Redis says when the set changes (`CLIENT TRACKING`), which takes milliseconds to take effect. A
    worker needs the commands `SISMEMBER`, `CLIENT ID`, `CLIENT TRACKING`, `PING` and `SUBSCRIBE`.
    While it has no connection to be notified on, no answer counts for longer than `ttl`.

    The options are those of an OriginLookup. A pickle has the URL, with its password.
    """

    def __init__(
        self, url: str, key: str = "corsguard-origins", **options: Unpack[LookupOptions]
    ) -> None:
        """Parse the URL and connect to nothing. Raises SourceError if it is not valid."""
        self._arguments = (url, key)
        self._options = options
        self._members = members = _RedisSet(url, key)
        name = f"RedisOrigins({members.shown!r}, {key!r})"
        super().__init__(name, members.has, [members.listen], options)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), *self._arguments, **self._options), ()

    def _close_connections(self) -> None:
        self._members.close()


class _RedisSet:
    """A set in Redis, and the connections of this process to it."""

    def __init__(self, url: str, key: str) -> None:
        self._url = StoreURL(url)
        self._key = key
        try:
            self._build_pool().make_connection()
        except (TypeError, ValueError):  # whose message may have a part of a password
            raise SourceError(f"{self.shown} is not a valid URL for redis-py") from None
        self._client: Any = None
        self._lock = Lock()
        restart_in_child(self._restart)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._url.shown

    def _restart(self) -> None:
        """Connect anew in a forked child, and leave alone the connections of the parent."""
        INHERITED.append(self._client)
        self._client = None
        self._lock = Lock()

    def has(self, origin: str) -> bool:
        """Return True if an origin is a member."""
        with self._lock:
            if self._client is None:
                self._client = Redis.from_pool(self._build_pool())
            client = self._client
        try:
            return bool(client.sismember(self._key, origin))
        except (RedisError, OSError) as error:
            raise SourceError(self._url.describe(error)) from None

    def close(self) -> None:
        """Close the connections for questions. A question opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def listen(self, listening: Listening) -> None:
        """Report each change of the set."""
        connection: Any = self._build_pool().make_connection()
        listening.connection = connection
        try:
            connection.connect()
            self._track(connection)
            self._read(connection, listening)
        except (RedisError, OSError) as error:
            raise SourceError(self._url.describe(error)) from None
        finally:
            connection.disconnect()

    def _track(self, connection: Any) -> None:
        """Make Redis send the names of changed keys on this connection.

        RESP2 has no messages on a connection that asks, but one may redirect them to itself before
        it subscribes. Redis 6 can do that.
        """
        try:
            number = _ask(connection, "CLIENT", "ID")
            options = ("ON", "REDIRECT", number, "BCAST", "PREFIX", self._key)
            _ask(connection, "CLIENT", "TRACKING", *options)
            _ask(connection, "SUBSCRIBE", _INVALIDATIONS)
        except ResponseError as error:
            text = f"{error} (CLIENT TRACKING needs Redis 6 and the permission)"
            raise SourceError(self._url.describe(text)) from None

    def _read(self, connection: Any, listening: Listening) -> None:
        """Read messages, and ask for a sign of life whenever there was none for a while."""
        heard_at, asked_at = monotonic(), None
        listening.report_alive(SHORT_SECONDS)
        while not listening.is_over():
            if connection.can_read(_STEP):
                message = connection.read_response()
                heard_at, asked_at = monotonic(), None
                if self._is_change(message):
                    listening.report_change()
                listening.report_alive(SHORT_SECONDS)
            elif asked_at is None and monotonic() - heard_at >= SHORT_SECONDS:
                asked_at = monotonic()
                connection.send_command("PING")
            elif asked_at is not None and monotonic() - asked_at >= SHORT_SECONDS:
                text = f"the server does not respond for {SHORT_SECONDS:g} seconds."
                raise SourceError(self._url.describe(text))

    def _is_change(self, message: Any) -> bool:
        """Return True if the set is one of the keys that have changed, or all have (FLUSHALL)."""
        if message[0] != b"message":
            return False
        return message[2] is None or self._key.encode() in message[2]

    def _build_pool(self) -> ConnectionPool:
        """Return a pool of connections that are not made yet."""
        timeouts = {"socket_timeout": SHORT_SECONDS, "socket_connect_timeout": SHORT_SECONDS}
        given: dict[str, Any] = parse_url(self._url.for_client)  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {
            **timeouts,
            **given,
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),  # the look-up retries
        }
        return ConnectionPool(**options)


def _ask(connection: Any, *command: object) -> Any:
    connection.send_command(*command)
    return connection.read_response()
