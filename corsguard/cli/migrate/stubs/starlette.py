"""The stubs for Starlette and FastAPI."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from corsguard import Guard
from corsguard.cli.migrate.configuration import PeerConfiguration
from corsguard.cli.migrate.peers.starlette import find_layers
from corsguard.cli.migrate.stubs import Stubs
from corsguard.cli.migrate.translation import Translation

__all__ = ["open_stubs"]


@contextmanager
def open_stubs(configuration: PeerConfiguration, translation: Translation) -> Generator[Stubs]:
    """Yield the stub behind the application's CORSMiddleware, and the one behind corsguard."""
    prefixes = {prefix for each in configuration.policies for prefix in each.scope.prefixes}
    layers: dict[str, Any] = {}
    for layer in find_layers(configuration.app):
        if (layer.prefix or "/") in prefixes:  # not inside another one, which answers for it
            layers.setdefault(layer.prefix, _copy_around(layer.middleware, _answer))

    async def before(scope: Any, receive: Any, send: Any) -> None:
        covering = [prefix for prefix in layers if f"{scope['path']}/".startswith(f"{prefix}/")]
        await (layers[max(covering, key=len)] if covering else _answer)(scope, receive, send)

    adapter = import_module("corsguard_asgi")
    yield Stubs(before, adapter.CORSMiddleware(_answer, Guard.from_mapping(translation.mapping)))


def _copy_around(middleware: Any, app: Any) -> Any:
    """Return a CORSMiddleware with the same options around app, without a subclass's code."""
    kind = import_module("starlette.middleware.cors").CORSMiddleware
    copy = kind.__new__(kind)
    vars(copy).update(vars(middleware), app=app)
    return copy


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request with 200, whatever it is."""
    del scope, receive
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
