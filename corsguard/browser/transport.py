"""The transport to an application in this process, as a server would call it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

from corsguard.browser.asgi import ASGICaller
from corsguard.browser.interface import Interface, detect_interface
from corsguard.browser.messages import Answer, Outcome, SendError, Sent
from corsguard.browser.url import URL
from corsguard.browser.wsgi import call_wsgi
from corsguard.origin import Origin

__all__ = ["TIMEOUT", "AppTransport", "open_transport", "parse_timeout"]

TIMEOUT = 5.0
"""The default for the seconds that a response may take."""

# Python servers send this response where an application raises (RFC 9110, 15.6.1).
_SERVER_ERROR = Answer(
    500, (("Content-Type", "text/plain; charset=utf-8"),), b"Internal Server Error"
)


class AppTransport:
    """A `Send` that reaches one application at one origin, and nothing else."""

    def __init__(
        self,
        call: Callable[[Sent, URL, float], Outcome],
        origin: Origin,
        *,
        raise_app_exceptions: bool = True,
    ) -> None:
        self._call = call
        self._origin = origin
        self._raise_app_exceptions = raise_app_exceptions

    def __call__(self, sent: Sent, timeout: float = TIMEOUT) -> Answer:
        """Return the response, with as much of its body as arrives within timeout seconds.

        Raises what the application raises, and TimeoutError where no response begins in time.
        """
        url = URL.parse(sent.url)
        if url.origin != self._origin:
            place = f"the application is at {self._origin}"
            raise SendError(f"nothing is served at {url.origin}: {place}")
        answer = self._unwrap(self._call(sent, url, timeout))
        # RFC 9110, 9.3.2: a response to HEAD has no content, whatever the application sends.
        return answer._replace(body=b"") if sent.method == "HEAD" else answer

    def _unwrap(self, outcome: Outcome) -> Answer:
        answer, error = outcome
        if error is not None and (self._raise_app_exceptions or not isinstance(error, Exception)):
            raise error
        return answer or _SERVER_ERROR


def open_transport(
    app: Any,
    origin: Origin,
    interface: Interface | None = None,
    *,
    raise_app_exceptions: bool = True,
) -> AppTransport:
    """Return the transport to a WSGI or ASGI application at origin.

    `interface` and `raise_app_exceptions` are those of Browser.on. Raises TypeError where the
    interface of app can't be detected.
    """
    is_asgi = detect_interface(app, interface) == "asgi"
    call = ASGICaller(app) if is_asgi else partial(call_wsgi, app)
    return AppTransport(call, origin, raise_app_exceptions=raise_app_exceptions)


def parse_timeout(timeout: float | None) -> float:
    """Return timeout in seconds, infinite where it is None. Raises ValueError."""
    if timeout is None:
        return inf
    if not timeout > 0:  # refuses NaN too
        raise ValueError(f"timeout={timeout!r} is not a positive number of seconds, nor None")
    return timeout
