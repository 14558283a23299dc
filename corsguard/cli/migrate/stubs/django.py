"""The stubs for Django: both middlewares around a view that returns a text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import Any

from corsguard import Guard
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.stubs import Stubs
from corsguard.cli.migrate.translation import Translation

__all__ = ["open_stubs"]


@contextmanager
def open_stubs(configuration: PeerConfiguration, translation: Translation) -> Generator[Stubs]:
    """Yield the stub behind CorsMiddleware, and the one behind corsguard.

    The settings have the new policies as long as the context lasts.
    """
    del configuration
    peer = import_module("corsheaders.middleware").CorsMiddleware

    class WithoutSignal(peer):  # type: ignore[misc, valid-type]
        """The peer's middleware, which calls no receiver of the application."""

        def check_signal(self, request: object) -> bool:
            del request
            return False

    override = import_module("django.test.utils").override_settings
    with override(CORSGUARD=Guard.from_mapping(translation.mapping)):
        adapter = import_module("corsguard_django")
        before = _as_wsgi(WithoutSignal(_answer))
        yield Stubs(before, _as_wsgi(adapter.CORSMiddleware(_answer)))


def _as_wsgi(middleware: Callable[[Any], Any]) -> Any:
    """Return a middleware as a WSGI application, without Django's own handler and signals."""
    request_class = import_module("django.core.handlers.wsgi").WSGIRequest

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ.setdefault("wsgi.input", BytesIO())
        response = middleware(request_class(environ))
        headers = [(name, value) for name, value in response.items()]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [response.content]

    return app


def _answer(request: object) -> Any:
    """Answer a request with 200, whatever it is."""
    del request
    return import_module("django.http").HttpResponse("ok")
