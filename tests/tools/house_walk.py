"""The walk of a request: which files of corsguard it enters, and how many calls it makes.

    PYTHONPATH=ROOT:ROOT/adapters python tests/tools/house_walk.py ROOT

Prints JSON. It is a separate program so that it can measure another checkout than its own.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import flask

import corsguard_flask
import corsguard_wsgi
from corsguard import Guard, Policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PAGE = "https://app.example.com"
PREFLIGHT = {
    "REQUEST_METHOD": "OPTIONS",
    "HTTP_ORIGIN": PAGE,
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "content-type",
}
CROSS_SITE = {
    "REQUEST_METHOD": "POST",
    "HTTP_ORIGIN": "https://evil.example",
    "HTTP_SEC_FETCH_SITE": "cross-site",
}


def make_policy() -> Policy:
    """Return the policy of each walk."""
    return Policy(allow_origins=[PAGE], allow_methods=["PUT"], allow_headers=["Content-Type"])


def serve_nothing(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer as an application without CORS does."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def make_wsgi() -> WSGIApplication:
    """Return a WSGI application with one policy."""
    return corsguard_wsgi.CORSMiddleware(serve_nothing, make_policy())


def make_routed() -> WSGIApplication:
    """Return a WSGI application with a route and enforcement."""
    guard = Guard({"/api": make_policy()}, enforce=True)
    return corsguard_wsgi.CORSMiddleware(serve_nothing, guard)


def make_flask() -> WSGIApplication:
    """Return a Flask application with a per-view policy."""
    app = flask.Flask("walk")

    @app.put("/api/items")
    @corsguard_flask.cors_policy(make_policy())
    def update() -> str:
        return "ok"

    corsguard_flask.CORSGuard(app, make_policy())
    return app


WALKS: dict[str, tuple[Callable[[], WSGIApplication], dict[str, str]]] = {
    "cold preflight, WSGI": (make_wsgi, PREFLIGHT),
    "cold preflight, Flask with per-view policies": (make_flask, PREFLIGHT),
    "refused routed request under enforce, WSGI": (make_routed, CROSS_SITE),
}


def call(app: WSGIApplication, fields: dict[str, str]) -> str:
    """Send one request to the application, and return the status line."""
    statuses: list[str] = []
    environ: dict[str, Any] = {
        "PATH_INFO": "/api/items",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "api.example.com",
        "SERVER_PORT": "443",
        "HTTP_HOST": "api.example.com",
        "wsgi.url_scheme": "https",
        **fields,
    }

    def start(status: str, headers: object, exc_info: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return len

    b"".join(app(environ, start))
    return statuses[-1]


def walk(root: Path, make: Callable[[], WSGIApplication], fields: dict[str, str]) -> dict[str, Any]:
    """Count a request whose decision is not cached: to an application that has served another."""
    call(make(), fields)  # imports whatever the request needs
    app = make()
    call(app, {"REQUEST_METHOD": "GET"})
    folders = (str(root / "corsguard"), str(root / "adapters"))
    files: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(folders):
            files.append(file)

    before = sys.getprofile()
    gc.disable()  # no finaliser of an earlier guard counts
    sys.setprofile(note)
    try:
        status = call(app, fields)
    finally:
        sys.setprofile(before)
        gc.enable()
    names = dict.fromkeys(str(Path(file).relative_to(root)) for file in files)
    return {"status": status, "calls": len(files), "files": len(names), "entered": list(names)}


def name_public(kind: type, instance: object) -> list[str]:
    """Return the names that a completion list shows: methods, properties and attributes."""
    names = {*dir(instance), *kind.__annotations__}
    return sorted(name for name in names if not name.startswith("_"))


def main() -> None:
    """Print what was counted."""
    root = Path(sys.argv[1]).resolve()
    logger = logging.getLogger("corsguard")  # the refusals are logged, and shown nowhere
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    found = {name: walk(root, make, fields) for name, (make, fields) in WALKS.items()}
    guard = name_public(Guard, Guard(make_policy()))
    print(json.dumps({"walks": found, "guard": guard}))  # noqa: T201


if __name__ == "__main__":
    main()
