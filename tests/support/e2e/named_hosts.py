"""Pages and APIs at the origins that the documentation names, such as https://app.example.com.

Chromium resolves every name to this machine, where two servers answer, one of them over TLS. Each
request goes to the application that is registered for its origin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Context
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from support.asgi_exchange import App
from support.certificates import write_certificate
from support.e2e.engines import Chromium
from support.e2e.engines.browser import ScriptError
from support.servers.threaded import by_uvicorn, serving

_HOST = "127.0.0.1"

Page = str
"""The HTML of a page, which its origin serves at every path."""


class NamedHosts:
    """Chromium and the applications of each origin."""

    def __init__(self, chromium: Chromium, apps: dict[str, App]) -> None:
        self.chromium = chromium
        self._apps = apps  # origin -> application

    def serve(self, apps: Mapping[str, Callable[..., Any] | Page]) -> None:
        """Register what responds at each origin: an application (WSGI or ASGI), or a page."""
        self._apps.update({origin: _adapt(app) for origin, app in apps.items()})

    def open(self, url: str) -> None:
        """Show the page at a URL."""
        self.chromium.open(url)

    def run(self, body: str, *args: object) -> Any:
        """Return the result of an async function's body in the page, or the text of its error."""
        try:
            return self.chromium.run(body, *args)
        except ScriptError as error:
            return str(error)

    def console(self) -> list[str]:
        """Return the console lines since the last call."""
        return self.chromium.console()

    def reset(self) -> None:
        """Forget the applications, cookies and caches of the test before."""
        self._apps.clear()
        self.chromium.open("about:blank")
        for command in ("clearBrowserCookies", "clearBrowserCache"):
            self.chromium.driver.execute_cdp_cmd(f"Network.{command}", {})
        self.console()


@contextmanager
def serve_named_hosts(folder: Path) -> Iterator[NamedHosts]:
    """Start the servers and Chromium, and yield them until the end of the block."""
    apps: dict[str, App] = {}
    with ExitStack() as stack:
        files = write_certificate(folder, _HOST)
        app = _dispatch(apps)
        http = stack.enter_context(serving(by_uvicorn, app))
        https = stack.enter_context(serving(partial(by_uvicorn, files=files), app))
        rules = [
            f"MAP *:{port} {url.partition('//')[2]}" for port, url in ((80, http), (443, https))
        ]
        chromium = Chromium(
            folder / "profile",
            f"--host-resolver-rules={','.join(rules)}",
            "--ignore-certificate-errors",
            "--disable-features=HttpsUpgrades",  # a page over plain http stays one
        )
        stack.callback(chromium.close)
        yield NamedHosts(chromium, apps)


def _adapt(app: Callable[..., Any] | Page) -> App:
    if isinstance(app, str):
        return _build_page_app(app)
    # WSGI: environ, start_response. ASGI: scope, receive, send.
    if len(signature(app).parameters) == 3:
        return app
    adapted: App = WsgiToAsgi(app)  # type: ignore[no-untyped-call]

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        # asgiref finds its executor in the context, and uvicorn starts the next request of a
        # connection in that of the last one, whose executor has ended.
        await asyncio.create_task(_run(adapted, scope, receive, send), context=Context())

    return respond


async def _run(app: App, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


def _build_page_app(html: str) -> App:
    async def respond(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": html.encode()})

    return respond


def _dispatch(apps: Mapping[str, App]) -> App:
    """Return the application that hands each request to the one of its origin."""

    async def not_found(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"nothing is served at this origin"})

    async def respond(scope: Any, receive: Any, send: Any) -> None:
        scheme = scope["scheme"].replace("ws", "http")
        host = dict(scope["headers"])[b"host"].decode()
        await apps.get(f"{scheme}://{host}", not_found)(scope, receive, send)

    return respond
