"""Calling an application in this process, as a server would."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from corsguard.browser.asgi import AsgiCaller
from corsguard.browser.messages import Answer, Send, SendError, Sent
from corsguard.browser.url import URL
from corsguard.browser.wsgi import call_wsgi
from corsguard.origin import Origin

__all__ = ["serving"]


def serving(app: Any, origin: Origin) -> Send:
    """A send function that reaches app at origin, and nothing else."""
    call: Callable[[Sent, URL], Answer]
    call = AsgiCaller(app) if _is_asgi(app) else partial(call_wsgi, app)

    def send(sent: Sent) -> Answer:
        url = URL.parse(sent.url)
        if url.origin != origin:
            raise SendError(f"nothing is served at {url.origin}: the application is at {origin}")
        answer = call(sent, url)
        # RFC 9110, 9.3.2: an answer to HEAD has no content, whatever the application sends.
        return answer._replace(body=b"") if sent.method == "HEAD" else answer

    return send


def _is_asgi(app: Any) -> bool:
    """Whether app is called as ASGI 3 says: a coroutine function of scope, receive and send."""
    if not callable(app):
        raise TypeError(f"{app!r} is neither a WSGI nor an ASGI application: it can't be called")
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)
