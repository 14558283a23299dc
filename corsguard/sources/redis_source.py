"""A store in Redis 6 or newer: one hash for each policy, and one key for each worker.

The hash `corsguard:POLICY` has the fields `newest` (the number of the newest revision), `document`
(the number of the newest whole document), `text:N` (the TOML of revision N) and `revision:N` (who
published it, as JSON). It may be written by hand: `newest`, `document` and `text:N` suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from math import ceil
from time import monotonic
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import RedisError, ResponseError, WatchError
from redis.retry import Retry

from corsguard.sources.remote_store import SHORT_SECONDS, TRANSFER_SECONDS, RemoteStore
from corsguard.sources.revision_log import (
    LogEntry,
    LogState,
    check_next,
    decode_entry,
    decode_report,
    encode_entry,
    encode_report,
    list_outdated,
)
from corsguard.sources.source import ConflictError, Revision, SourceError, WorkerReport

__all__ = ["RedisSource"]

_parse_url: Callable[[str], dict[str, Any]] = parse_url  # which has no types
_SILENCE = 4.0
"""Seconds without a message after which a listener asks for a sign of life."""
_MANY = 1_000
"""Revisions from which on a range of them may be a mistake."""
_INVALIDATIONS = "__redis__:invalidate"
"""The channel on which Redis names the keys that have changed."""


class RedisSource(RemoteStore[Any, Any]):
    """A store in Redis, by a URL of redis-py: `redis://`, `rediss://` or `unix://`.

    `?policy=NAME` names one of several policies. Other options of the URL are those of redis-py,
    such as `ssl_ca_certs` or `socket_timeout`.

    A worker may read the hash and subscribe to the channel `corsguard:POLICY`, and write the keys
    `corsguard-worker:POLICY:*`, where it reports. With the commands `CLIENT ID` and `CLIENT
    TRACKING` it is notified of every change of the hash, even one without a message.
    """

    _client_errors = (RedisError, OSError, UnicodeDecodeError)

    def __init__(self, url: str) -> None:
        """Parse the URL and connect to nothing. Raises SourceError if it is not valid."""
        super().__init__(url)
        # A key of its own for each worker. It must not begin with that of the hash, or each report
        # would notify all workers.
        self._key = f"corsguard:{self._url.policy}"
        self._channel = self._key
        self._worker_keys = f"corsguard-worker:{self._url.policy}:"
        try:
            self._build_pool().make_connection()
        except (TypeError, ValueError):  # whose message may have a part of a password
            raise SourceError(
                f"{self._url.shown} is not a valid URL. Write "
                "redis://USER:PASSWORD@HOST:PORT/DATABASE, with special characters as %XX."
            ) from None

    def publish(self, revision: Revision) -> None:
        """Write a revision and notify the workers in one transaction, unless another was faster."""
        with (
            self._translate_errors(),
            closing(self._create_client(TRANSFER_SECONDS)) as client,
            client.pipeline() as pipe,
        ):
            check_next(revision, self._read_state().newest)  # in a short time
            pipe.watch(self._key)
            newest, document, _ = self._read_state(client=pipe)
            check_next(revision, newest)
            state = {"newest": revision.version}
            if not revision.is_change:
                state["document"] = document = revision.version
            outdated = list_outdated(self._read_log(pipe), document or 0)
            pipe.multi()
            pipe.hset(
                self._key,
                mapping={
                    **state,
                    f"text:{revision.version}": revision.text,
                    f"revision:{revision.version}": encode_entry(revision),
                },
            )
            if outdated:
                pipe.hdel(self._key, *_name_fields(outdated))
            pipe.publish(self._channel, revision.version)
            try:
                pipe.execute()
            except WatchError:
                raise ConflictError(
                    f"revision {revision.version} can't be published: somebody else has published "
                    "at the same time. Compare with the new state, and publish again."
                ) from None

    def report(self, report: WorkerReport, seconds: float) -> None:
        """Write the state of a worker to a key that expires."""
        key = f"{self._worker_keys}{report.host}:{report.pid}"
        with self._translate_errors():
            self._get_client().set(key, encode_report(report), px=ceil(seconds * 1000))

    def list_reports(self) -> Sequence[WorkerReport]:
        """Return the states of the workers whose keys have not expired."""
        with self._translate_errors():
            client = self._get_client()
            keys = sorted({*client.scan_iter(f"{self._worker_keys}*", count=1000)})
            values = client.mget(keys) if keys else []
            return sorted(decode_report(value) for value in values if value is not None)

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call on_change at first, and whenever the hash may have changed, until `close`.

        Raises SourceError if the server closes the connection, or does not respond for seconds.
        """
        with self._translate_errors():
            listener: Any = self._build_pool().make_connection()
            self._set_listener(listener)
            try:
                listener.connect()
                if not self._closed.is_set():
                    self._subscribe(listener)
                    on_change()  # it may have changed before
                    self._listen(listener, on_change)
            except Exception:
                if not self._closed.is_set():
                    raise
            finally:
                listener.disconnect()

    def _subscribe(self, listener: Any) -> None:
        """Subscribe to the channel and to changes of the key, or to what the server permits."""
        subscribed = 0
        try:
            # RESP2 has no messages on a connection of questions, but the connection may redirect
            # them to itself before it subscribes. Redis 6 can do that.
            number = _ask(listener, "CLIENT", "ID")
            options = ("ON", "REDIRECT", number, "BCAST", "PREFIX", self._key)
            _ask(listener, "CLIENT", "TRACKING", *options)
            _ask(listener, "SUBSCRIBE", _INVALIDATIONS)
            subscribed += 1
        except ResponseError:  # not permitted, or a proxy that has no such command
            pass
        try:
            _ask(listener, "SUBSCRIBE", self._channel)
        except ResponseError:
            if not subscribed:
                raise

    def _listen(self, listener: Any, on_change: Callable[[], object]) -> None:
        """Read messages, and ask for a sign of life whenever there was none for a while."""
        heard_at, is_asked = monotonic(), False
        while not self._closed.is_set():
            if listener.can_read(SHORT_SECONDS / 2):
                heard_at, is_asked = monotonic(), False
                is_changed = self._is_change(listener.read_response())
                while listener.can_read(0):  # a revision causes two messages
                    is_changed |= self._is_change(listener.read_response())
                if is_changed:
                    on_change()
                continue
            silence = monotonic() - heard_at
            if silence >= _SILENCE and not is_asked:
                is_asked = True
                listener.send_command("PING")
            elif silence >= _SILENCE + SHORT_SECONDS:
                raise SourceError(f"the server does not respond for {SHORT_SECONDS:g} seconds.")

    def _is_change(self, message: Sequence[Any]) -> bool:
        """Return True for a message of the channel, or if the key is one of those changed."""
        if message[0] != b"message":
            return False
        is_published = message[1] == self._channel.encode()
        # None stands for all keys, as after FLUSHALL.
        return is_published or message[2] is None or self._key.encode() in message[2]

    def _build_pool(self, seconds: float = SHORT_SECONDS) -> ConnectionPool:
        """Return a pool of connections that are not made yet."""
        options: dict[str, Any] = {
            "socket_timeout": seconds,
            "socket_connect_timeout": SHORT_SECONDS,
            **_parse_url(self._url.for_client),
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),  # the guard retries
        }
        return ConnectionPool(**options)

    def _create_client(self, seconds: float = SHORT_SECONDS) -> Any:
        return Redis.from_pool(self._build_pool(seconds))

    def _close_client(self, client: Any) -> None:
        client.close()

    def _shut_down(self, listener: Any) -> None:
        with suppress(OSError):
            listener.disconnect()

    def _read_state(self, version: int = 0, client: Any = None) -> LogState:
        client = client or self._get_client()
        *numbers, entry = client.hmget(self._key, "newest", "document", f"revision:{version}")
        try:
            newest, document = (None if number is None else int(number) for number in numbers)
        except ValueError:
            raise SourceError(
                f"the fields newest and document of the hash {self._key} must be numbers."
            ) from None
        return LogState(newest, document, entry and entry.decode())

    def _read_revisions(self, numbers: range) -> Sequence[Revision]:
        client = self._get_client()
        # `newest` may be any number, and a list of so many revisions endless.
        count = numbers.stop - numbers.start
        if count > _MANY and count > len(client.hkeys(self._key)):
            return []
        values = client.hmget(self._key, _name_fields(numbers))
        revisions = []
        for number, text, entry in zip(numbers, values[::2], values[1::2], strict=True):
            if text is not None:
                revision = decode_entry(entry).revision if entry else Revision(number, "")
                revisions.append(revision._replace(version=number, text=text.decode()))
        return revisions

    def _read_log(self, client: Any = None) -> list[LogEntry]:
        client = client or self._get_client()
        fields = [each.partition(b":") for each in client.hkeys(self._key)]
        numbers = sorted(
            int(number) for name, _, number in fields if name == b"text" and number.isdigit()
        )
        if not numbers:
            return []
        entries = client.hmget(self._key, [f"revision:{number}" for number in numbers])
        return [
            decode_entry(entry) if entry else LogEntry(Revision(number, ""))
            for number, entry in zip(numbers, entries, strict=True)
        ]


def _name_fields(numbers: Iterable[int]) -> list[str]:
    return [field for number in numbers for field in (f"text:{number}", f"revision:{number}")]


def _ask(listener: Any, *command: object) -> Any:
    listener.send_command(*command)
    return listener.read_response()
