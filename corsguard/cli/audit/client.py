"""Asking a live server: one request at a time, within limits, and never another host."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from threading import Timer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

import httpx

from corsguard.browser.messages import Answer, Fields, SendError, Sent
from corsguard.cli.terminal import counted

__all__ = ["SAFE_METHODS", "Client", "Limits"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""What is sent unless asked for more: methods that change nothing (RFC 9110, 9.2.1)."""

_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_AGENT = ("User-Agent", "corsguard")
_PROTOCOL_ERRORS = {
    "Server disconnected": "it closed the connection before it had answered",
    "peer closed connection": "it closed the connection in the middle of the body",
    "Receive buffer too long": "its header fields are too large",
}


class Limits(NamedTuple):
    """How long, how much and how often a server is asked."""

    seconds: float = 10.0
    """From the connection to the end of the header fields, which tell all that CORS looks at."""
    seconds_for_body: float = 1.0
    """From there on: what comes later is not waited for."""
    seconds_to_connect: float = 5.0
    """For the connection, and once more for TLS."""
    body: int = 65_536
    """Bytes of a body that are read."""
    per_second: float = 20.0
    """Requests that may start within a second."""
    requests: int = 300
    """Requests in all."""


class Client:
    """Sends requests to one host. A context manager.

    No redirect is followed, no cookie kept, no proxy and no `.netrc` of the environment used, and
    every request has a connection of its own: what is sent is exactly what was asked for.
    """

    def __init__(
        self,
        url: str,
        *,
        limits: Limits | None = None,
        verify: bool | str = True,
        methods: Collection[str] = SAFE_METHODS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare to ask the host of url, by methods.

        verify is whether the certificate of an https server is checked, or the file with the
        certificates to trust; clock and sleep are what the requests are spaced by. Raises SendError
        where url or that file can't be used.
        """
        self._limits = limits or Limits()
        self._host = _host(url)
        self._methods = methods
        self._asked = 0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0  # when the next request may start, by the clock
        self._transport = httpx.HTTPTransport(
            verify=_trusted(verify),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    def send(self, sent: Sent) -> Answer:
        """Return the answer to sent, with as much of its body as the limits let come.

        The body of an event stream, which never ends, is not read. Raises SendError where there is
        no answer.
        """
        host = _host(sent.url)
        if host != self._host:
            raise SendError(f"{host} is not asked: only {self._host} is", f"probe {host} by itself")
        if sent.method not in self._methods:
            why = f"{sent.method} is not sent: it may change something"
            raise SendError(why, "let it be sent with --unsafe")
        if self._asked >= self._limits.requests:
            why = f"the limit of {counted(self._limits.requests, 'request')} is reached"
            raise SendError(why, "raise it with --requests")
        self._asked += 1
        self._wait_for_turn()
        return self._exchange(sent)

    def _wait_for_turn(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self._limits.per_second

    def _exchange(self, sent: Sent) -> Answer:
        try:
            with _Deadline(self._limits.seconds) as deadline:
                response = self._transport.handle_request(self._request(sent, deadline))
                try:
                    body = self._body(response, deadline)
                finally:
                    response.close()
        except httpx.ConnectTimeout:
            why = f"no connection within {self._limits.seconds_to_connect:g} s"
            raise SendError(f"{self._host}: {why}") from None
        except httpx.HTTPError as error:
            why = _why(error)
            if deadline.broke(error):
                why = f"there is no answer within {self._limits.seconds:g} s"
            raise SendError(f"{self._host}: {why}") from error
        return Answer(response.status_code, _fields(response), body)

    def _request(self, sent: Sent, deadline: _Deadline) -> httpx.Request:
        names = {name.lower() for name, _ in sent.headers}
        headers = sent.headers if "user-agent" in names else (*sent.headers, _AGENT)
        return httpx.Request(
            sent.method,
            sent.url,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            content=sent.body,
            extensions={
                "timeout": {
                    "connect": self._limits.seconds_to_connect,
                    "read": self._limits.seconds,
                },
                "target": _target(sent.url),
                "trace": deadline.watch,
            },
        )

    def _body(self, response: httpx.Response, deadline: _Deadline) -> bytes:
        """Return what comes of the body in time; raises httpx.HTTPError where it breaks off."""
        if response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            return b""
        body = bytearray()
        try:
            with deadline.within(self._limits.seconds_for_body):
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) >= self._limits.body:
                        break
        except httpx.HTTPError as error:
            if not deadline.broke(error):
                raise
        return bytes(body[: self._limits.body])


class _Deadline:
    """Breaks the connection of an exchange that takes too long, at whatever point it is.

    A time-out of httpx holds for each read: it would not end for a server that sends byte by byte.
    """

    def __init__(self, seconds: float) -> None:
        self._passed = False
        self._seconds = seconds
        self._connections: list[socket.socket] = []
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.close()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Begin when there is a connection: what httpcore calls a trace."""
        if event == "connection.connect_tcp.complete":
            # TLS takes the socket over; a second handle on the same connection stays.
            connection = info["return_value"].get_extra_info("socket").dup()
            self._connections.append(self._ending.enter_context(connection))
            self._ending.enter_context(self.within(self._seconds))

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give a block of code so many seconds from now."""
        timer = Timer(seconds, self._break)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def broke(self, error: httpx.HTTPError) -> bool:
        """Return True if it was the time that ended the exchange."""
        return self._passed or isinstance(error, httpx.TimeoutException)

    def _break(self) -> None:
        self._passed = True
        for connection in self._connections:
            with suppress(OSError):  # the server was quicker
                connection.shutdown(socket.SHUT_RDWR)


def _host(url: str) -> str:
    """The host of url; raises SendError where that is no URL to be asked."""
    try:
        urlsplit(url)  # refuses what httpx takes for a host, such as `[`
        parsed = httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise SendError(f"{url} is not a URL") from None
    if parsed.username or parsed.password:  # it may hold a password, so it is not repeated
        raise SendError("the URL holds a user: send an Authorization header instead")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SendError(f"{url} is not an http or https URL")
    return parsed.host


def _target(url: str) -> bytes:
    """The request target (RFC 9112, 3.2.1) as url spells it: httpx would resolve `..`."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe=_ASCII).encode("ascii")


def _fields(response: httpx.Response) -> Fields:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
    )


def _trusted(verify: bool | str) -> bool | ssl.SSLContext:
    if isinstance(verify, bool):
        return verify
    try:
        return ssl.create_default_context(cafile=verify)
    except OSError as error:  # ssl.SSLError is one
        raise SendError(f"{verify} has no certificates to trust: {_words(error)}") from None


def _why(error: httpx.HTTPError) -> str:
    """What went wrong, without a byte of what the server sent."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails: {_words(cause)}"
        if isinstance(cause, socket.gaierror):
            return "there is no such host"
        if isinstance(cause, OSError) and cause.errno:
            return _words(cause)
    if isinstance(error, httpx.RemoteProtocolError):
        text = str(error)
        known = (why for start, why in _PROTOCOL_ERRORS.items() if text.startswith(start))
        return next(known, "its answer is not HTTP")
    return "the request can't be sent"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no reason given").replace("_", " ").lower()
    return os.strerror(error.errno or errno.EIO).lower()
