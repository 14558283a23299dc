"""The HTTP client of `probe`: one request at a time, within limits, and only to one host."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from threading import Timer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

import httpx

from corsguard.browser.messages import Answer, Fields, SendError, Sent
from corsguard.cli.terminal import format_count

__all__ = ["SAFE_METHODS", "Client", "Limits"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that are sent without --unsafe: they change nothing (RFC 9110, 9.2.1)."""

_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_AGENT = ("User-Agent", "corsguard")
_PROTOCOL_ERRORS = {
    "Server disconnected": "it closed the connection before it sent a response",
    "peer closed connection": "it closed the connection in the middle of the body",
    "Receive buffer too long": "its header fields are too large",
}


class Limits(NamedTuple):
    """The time, the size and the number of requests to a server."""

    seconds: float = 10.0
    """From the connection to the end of the response's header fields."""
    seconds_for_body: float = 1.0
    """From there on: later parts of the body are not read."""
    seconds_to_connect: float = 5.0
    """For the connection, and again for TLS."""
    body: int = 65_536
    """Bytes of a body that are read."""
    per_second: float = 20.0
    """Requests that may start within a second."""
    requests: int = 300
    """Requests in all."""


class Client:
    """A client that sends requests to one host. A context manager.

    It sends exactly the given header fields. It follows no redirect, stores no cookie, uses no
    proxy and no `.netrc` of the environment, and opens a new connection for every request.
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
        """Prepare requests to the host of url.

        `methods` are those that may be sent. `verify` is whether the certificate of an https server
        is checked, or the path of the file with the certificates to trust. `clock` and `sleep` are
        in seconds, and space the requests. Raises SendError where url or the file can't be used.
        """
        self._limits = limits or Limits()
        self._host = _parse_host(url)
        self._methods = methods
        self._sent_count = 0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0  # when the next request may start, by the clock
        self._transport = httpx.HTTPTransport(
            verify=_load_certificates(verify),
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
        """Return the response to a request, with as much of its body as the limits allow.

        The body of an event stream, which never ends, is not read. Raises SendError where there is
        no response, and for a request that the client must not send.
        """
        host = _parse_host(sent.url)
        if host != self._host:
            raise SendError(
                f"nothing is sent to {host}, only to {self._host}", f"probe {host} separately"
            )
        if sent.method not in self._methods:
            why = f"{sent.method} is not sent: it may change data"
            raise SendError(why, "add --unsafe to send it")
        if self._sent_count >= self._limits.requests:
            why = f"the limit of {format_count(self._limits.requests, 'request')} is reached"
            raise SendError(why, "raise it with --requests")
        self._sent_count += 1
        self._wait_for_turn()
        return self._exchange(sent)

    def _wait_for_turn(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self._limits.per_second

    def _exchange(self, sent: Sent) -> Answer:
        deadline = _Deadline(self._limits.seconds)
        try:
            with deadline:
                response = self._transport.handle_request(self._build_request(sent, deadline))
                try:
                    body = self._read_body(response, deadline)
                finally:
                    response.close()
        except httpx.ConnectTimeout:
            why = f"no connection within {self._limits.seconds_to_connect:g} s"
            raise SendError(f"{self._host}: {why}") from None
        except httpx.HTTPError as error:
            why = _describe_error(error)
            if deadline.caused(error):
                why = f"no response within {self._limits.seconds:g} s"
            raise SendError(f"{self._host}: {why}") from error
        return Answer(response.status_code, _list_fields(response), body)

    def _build_request(self, sent: Sent, deadline: _Deadline) -> httpx.Request:
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
                "target": _build_target(sent.url),
                "trace": deadline.watch,
            },
        )

    def _read_body(self, response: httpx.Response, deadline: _Deadline) -> bytes:
        """Return what arrives of the body in time. Raises httpx.HTTPError where it breaks off."""
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
            if not deadline.caused(error):
                raise
        return bytes(body[: self._limits.body])


class _Deadline:
    """A limit on the time of a whole exchange: it shuts the connection down.

    A time-out of httpx is for each read, so a server that sends byte by byte would never reach it.
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
        """Start the time when there is a connection: a trace function of httpcore."""
        if event == "connection.connect_tcp.complete":
            # TLS takes the socket over, so this is a second handle on the same connection.
            connection = info["return_value"].get_extra_info("socket").dup()
            self._connections.append(self._ending.enter_context(connection))
            self._ending.enter_context(self.within(self._seconds))

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Limit a block of code to so many seconds from now."""
        timer = Timer(seconds, self._break)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def caused(self, error: httpx.HTTPError) -> bool:
        """Return True if the end of the time caused an error."""
        return self._passed or isinstance(error, httpx.TimeoutException)

    def _break(self) -> None:
        self._passed = True
        for connection in self._connections:
            with suppress(OSError):  # the server has closed it
                connection.shutdown(socket.SHUT_RDWR)


def _parse_host(url: str) -> str:
    """Return the host of url. Raises SendError where it is not an http or https URL."""
    try:
        urlsplit(url)  # refuses what httpx accepts as a host, such as `[`
        parsed = httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise SendError(f"{url} is not a URL") from None
    if parsed.username or parsed.password:  # it may hold a password, so it is not repeated
        raise SendError("the URL contains a user: send an Authorization header instead")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SendError(f"{url} is not an http or https URL")
    return parsed.host


def _build_target(url: str) -> bytes:
    """Return the request target (RFC 9112, 3.2.1) unchanged: httpx would resolve `..`."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe=_ASCII).encode("ascii")


def _list_fields(response: httpx.Response) -> Fields:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
    )


def _load_certificates(verify: bool | str) -> bool | ssl.SSLContext:
    if isinstance(verify, bool):
        return verify
    try:
        return ssl.create_default_context(cafile=verify)
    except OSError as error:  # ssl.SSLError is one
        raise SendError(
            f"{verify} has no certificates to trust: {_describe_os_error(error)}"
        ) from None


def _describe_error(error: httpx.HTTPError) -> str:
    """Return why an exchange failed, without any bytes of the server."""
    for cause in _iter_causes(error):
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails: {_describe_os_error(cause)}"
        if isinstance(cause, socket.gaierror):
            return "the host does not exist"
        if isinstance(cause, OSError) and cause.errno:
            return _describe_os_error(cause)
    if isinstance(error, httpx.RemoteProtocolError):
        text = str(error)
        known = (why for start, why in _PROTOCOL_ERRORS.items() if text.startswith(start))
        return next(known, "its response is not HTTP")
    return "the request can't be sent"


def _iter_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _describe_os_error(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no reason given").replace("_", " ").lower()
    return os.strerror(error.errno or errno.EIO).lower()
