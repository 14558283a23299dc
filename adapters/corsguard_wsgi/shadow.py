"""The shadow mode of the WSGI middleware: around the old CORS layer, which still answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from corsguard.engine.request import read_path
from corsguard.guard.shadow import Shadow
from corsguard_wsgi.middleware import CORSMiddleware, restart

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from corsguard.guard.shadow import Exchange

__all__ = ["ShadowMiddleware", "become_shadow"]


class ShadowMiddleware(CORSMiddleware):
    """A WSGI application that passes each request and each response on as it is.

    It compares what the application answered with what its guard would have; see Shadow.
    """

    _shadow: Shadow

    def start_shadow(self) -> None:
        """Start to compare; called once, at the end of the constructor."""
        self._shadow = Shadow(self.guard.adapter)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = self._begin(environ)
        if exchange is None:
            return self.app(environ, start_response)
        end = self._shadow.end

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            end(exchange, status, headers)
            if exc_info is None:
                return start_response(status, headers)
            return restart(start_response, status, headers, exc_info)

        return self.app(environ, start)

    def _begin(self, environ: WSGIEnvironment) -> Exchange | None:
        """Return the exchange of a request; None if there is nothing to compare."""
        path = "" if self._adapter.snapshot.pathless else read_path(environ)
        return self._shadow.begin(environ, environ["REQUEST_METHOD"], path)


def become_shadow(middleware: Any) -> None:
    """Make a middleware one that only compares: the normal one has no branch for this mode."""
    middleware.__class__ = ShadowMiddleware
    middleware.start_shadow()
