"""The page of the demo: static files, and the origins of the demo."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from corsguard import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from corsguard.cli.demo.servers import Origins

__all__ = ["Site"]

_JSON = "application/json"
_SCRIPT = "text/javascript; charset=utf-8"
_FILES = {
    "index.html": "text/html; charset=utf-8",
    "demo.css": "text/css; charset=utf-8",
    "demo.js": _SCRIPT,
    "card.js": _SCRIPT,
    "calls.js": _SCRIPT,
    "icon.svg": "image/svg+xml",
}
_SHOWN_FIELDS = (
    "allow_origins",
    "allow_credentials",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "max_age",
)


class Site:
    """A WSGI application that serves the same page on every origin."""

    def __init__(self, origins: Origins, policy: Policy) -> None:
        folder = files("corsguard.cli.demo").joinpath("page")
        self._pages = {
            f"/{name}": (content_type, folder.joinpath(name).read_bytes())
            for name, content_type in _FILES.items()
        }
        self._pages["/"] = self._pages.pop("/index.html")
        shown = {field: getattr(policy, field) for field in _SHOWN_FIELDS}
        settings = {**origins._asdict(), "policy": shown}
        self._pages["/settings.json"] = (_JSON, json.dumps(settings).encode())
        # The page loads files from its own origin only, and calls only that and the API.
        self._security = [
            (
                "Content-Security-Policy",
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                "img-src 'self'; script-src 'self'; style-src 'self'; "
                f"connect-src 'self' {origins.api}",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = "200 OK"
        page = self._pages.get(environ["PATH_INFO"])
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            status, page = "405 Method Not Allowed", ("text/plain", b"only GET and HEAD\n")
        elif page is None:
            status, page = "404 Not Found", ("text/plain", b"there is nothing here\n")
        content_type, content = page
        headers = [("Content-Type", content_type), ("Content-Length", str(len(content)))]
        start_response(status, [*headers, *self._security])
        return () if environ["REQUEST_METHOD"] == "HEAD" else (content,)
