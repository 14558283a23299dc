"""Calling an application in this process, as a server would."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any

from corsguard.browser.asgi import AsgiCaller
from corsguard.browser.interface import Interface, interface_of
from corsguard.browser.messages import Answer, Outcome, SendError, Sent
from corsguard.browser.url import URL
from corsguard.browser.wsgi import call_wsgi
from corsguard.origin import Origin

__all__ = ["TIMEOUT", "Serving", "open_transport", "seconds"]

TIMEOUT = 5.0
"""Seconds that a response may take, unless told."""

# What the servers of Python send where an application raises (RFC 9110, 15.6.1).
_FAILED = Answer(500, (("Content-Type", "text/plain; charset=utf-8"),), b"Internal Server Error")


class Serving:
    """Reaches an application at one origin, and nothing else: what `Send` is."""

    def __init__(
        self,
        app: Any,
        origin: Origin,
        interface: Interface | None = None,
        *,
        raise_app_exceptions: bool = True,
    ) -> None:
        """See Browser.on. Raises TypeError where the interface of app is not known."""
        is_asgi = interface_of(app, interface) == "asgi"
        self._call = AsgiCaller(app) if is_asgi else partial(call_wsgi, app)
        self._origin = origin
        self._raises = raise_app_exceptions

    def __call__(self, sent: Sent, timeout: float = TIMEOUT) -> Answer:
        """Return the response, with as much of its body as comes within timeout seconds.

        Raises what the application raises, and TimeoutError where no response begins in time.
        """
        url = URL.parse(sent.url)
        if url.origin != self._origin:
            at = f"the application is at {self._origin}"
            raise SendError(f"nothing is served at {url.origin}: {at}")
        answer = self._answer(self._call(sent, url, timeout))
        # RFC 9110, 9.3.2: an answer to HEAD has no content, whatever the application sends.
        return answer._replace(body=b"") if sent.method == "HEAD" else answer

    def _answer(self, outcome: Outcome) -> Answer:
        answer, error = outcome
        if error is not None and (self._raises or not isinstance(error, Exception)):
            raise error
        return answer or _FAILED


open_transport = Serving


def seconds(timeout: float | None) -> float:
    """Return timeout, endless where it is None. Raises ValueError for what is no time."""
    if timeout is None:
        return inf
    if not timeout > 0:  # no NaN is
        raise ValueError(f"timeout={timeout!r} is not a positive number of seconds, nor None")
    return timeout
