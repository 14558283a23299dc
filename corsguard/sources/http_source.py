"""HTTPSource: a policy that a web server has, read by conditional requests."""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

from corsguard.fork_safety import restart_in_child
from corsguard.sources.document_text import MAX_BYTES, compute_version, decode_document
from corsguard.sources.http_target import find_proxy, parse_target
from corsguard.sources.redaction import redact
from corsguard.sources.source import Document, SourceError

if TYPE_CHECKING:
    import httpx

__all__ = ["TOKEN_VARIABLE", "HTTPSource"]

TOKEN_VARIABLE = "CORSGUARD_SOURCE_TOKEN"  # noqa: S105  # a name
"""The environment variable with a bearer token, for a URL that has no user."""

_OPERATION_SECONDS = 2.0
"""How long to connect, or to wait for the next bytes."""
_TOTAL_SECONDS = 10.0
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_TAG = 64
"""Characters of an entity tag that can be a version, which people read."""


class _Cached(NamedTuple):
    """The last document, and the header field with which to ask if it is still the newest."""

    document: Document
    condition: tuple[str, str]


class HTTPSource:
    """A source whose document is the response to a GET request.

    Plain http is refused unless the host is this one, as anybody on the way can change the policy.
    `is_signed` lifts that: the reader verifies the documents with a key. Credentials never travel
    over plain http to another host.

    * Credentials are the user and the password of the URL, else a bearer token in the environment
      variable CORSGUARD_SOURCE_TOKEN.
    * A redirect is followed only over https, and only to the same host and port.
    * The certificate authorities are those of httpx, or SSL_CERT_FILE. A proxy of the environment
      is used, except for this host.

    No connection is kept, so nothing is inherited by a forked child.
    """

    def __init__(self, url: str, *, is_signed: bool = False) -> None:
        """Raise SourceError for a URL that is refused, and ImportError without httpx."""
        self._name = redact(url)
        self._target = parse_target(url)
        if self._target.is_plain and not self._target.is_loopback:
            self._validate_plain_http(is_signed)
        try:
            self._httpx: Any = import_module("httpx")
        except ImportError:
            raise ImportError(
                'HTTPSource needs: pip install "corsguard[http]"', name="httpx"
            ) from None
        self._cached: _Cached | None = None
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Drop the TLS context, of which another thread may have held a lock at the fork."""
        self._context: Any = None

    def __repr__(self) -> str:
        return f"HTTPSource({self._name!r})"

    def load(self) -> Document:
        """Return the document. Its version is the number that is signed, the ETag or a checksum.

        Ends after 10 seconds at most, or 12 if the server hangs then. Raises SourceError if the
        response is not a document of at most 64 MiB in UTF-8.
        """
        deadline = time.monotonic() + _TOTAL_SECONDS
        url = self._target.url
        for _ in range(_MAX_REDIRECTS):
            with self._send(url, deadline) as response:
                if response.status_code not in _REDIRECTS:
                    return self._read(response)
                url = self._follow(url, response.headers.get("Location", ""))
        raise SourceError(f"{self._name} redirects more than {_MAX_REDIRECTS} times")

    def watch(self, on_change: Callable[[], object]) -> None:
        """Return at once: the guard polls."""

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _validate_plain_http(self, is_signed: bool) -> None:
        if self._target.user_and_password or os.environ.get(TOKEN_VARIABLE):
            raise SourceError(f"{self._name} would get the credentials unencrypted: use https")
        if not is_signed:
            raise SourceError(
                f"{self._name} can be changed by anybody on the way: use https, or sign the "
                "documents and configure the key"
            )

    @contextmanager
    def _send(self, url: str, deadline: float) -> Iterator[httpx.Response]:
        """Yield the response to a request, whose body is not read yet.

        The transport is that of httpx without its client, which logs each request with its URL.
        """
        headers = self._build_headers()
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _OPERATION_SECONDS)
        try:
            request = self._httpx.Request(
                "GET", url, headers=headers, extensions={"timeout": timeouts}
            )
            with self._build_transport() as transport:
                # A server that sends a byte now and then keeps to every timeout but this one.
                timer = Timer(deadline - time.monotonic(), transport.close)
                timer.daemon = True
                timer.start()
                try:
                    response = transport.handle_request(request)
                    try:
                        yield response
                    finally:
                        response.close()
                finally:
                    timer.cancel()
        except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError) as error:
            if time.monotonic() >= deadline:
                text = f"{self._name} took longer than {_TOTAL_SECONDS:g} s"
                raise SourceError(text) from None
            text = " ".join(str(error).split()) or type(error).__name__
            raise SourceError(f"{self._name} can't be read: {text}") from None

    def _build_transport(self) -> httpx.HTTPTransport:
        if self._context is None:
            self._context = self._httpx.create_ssl_context()
        transport: httpx.HTTPTransport = self._httpx.HTTPTransport(
            verify=self._context, proxy=find_proxy(self._target)
        )
        return transport

    def _build_headers(self) -> dict[str, str]:
        headers = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "corsguard"}
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if self._target.user_and_password:
            encoded = b64encode(self._target.user_and_password.encode()).decode()
            headers["Authorization"] = f"Basic {encoded}"
        elif token:
            if not (token.isascii() and token.isprintable()):
                raise SourceError(f"{TOKEN_VARIABLE} is not a token: it must be printable ASCII")
            headers["Authorization"] = f"Bearer {token}"
        if self._cached is not None:
            name, value = self._cached.condition
            headers[name] = value
        return headers

    def _read(self, response: httpx.Response) -> Document:
        """Return the document of a response that is no redirect."""
        if response.status_code == 304 and self._cached is not None:
            return self._cached.document
        if response.status_code != 200:
            raise SourceError(
                f"{self._name} answers {response.status_code} {response.reason_phrase}"
            )
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                break
        text = decode_document(bytes(body), self._name)
        tag = _get_ascii(response, "ETag")
        modified = _get_ascii(response, "Last-Modified")
        document = Document(compute_version(text, _shorten_tag(tag)), text)
        self._cached = None
        if tag:
            self._cached = _Cached(document, ("If-None-Match", tag))
        elif modified:
            self._cached = _Cached(document, ("If-Modified-Since", modified))
        return document

    def _follow(self, url: str, location: str) -> str:
        """Return the URL of a redirect. Raises SourceError if it leads elsewhere."""
        target = parse_target(urljoin(url, location))
        if not location or target.is_plain or target.origin != parse_target(url).origin:
            raise SourceError(
                f"{self._name} redirects to {redact(location)}: use that URL if you trust it"
            )
        return target.url


def _get_ascii(response: httpx.Response, name: str) -> str:
    """Return a header field that can be sent back, or an empty text."""
    value: str = response.headers.get(name, "")
    return value if value.isascii() else ""


def _shorten_tag(tag: str) -> str:
    """Return an entity tag without its quotes, or an empty text if it is too long to be read."""
    short = tag.removeprefix("W/").strip('"')
    return short if len(short) <= _MAX_TAG and short.isprintable() else ""
