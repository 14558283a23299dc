"""README's comparison: each row is what corsguard and the three other libraries do."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from corsheaders.checks import check_settings
from flask import Flask
from flask_cors import cross_origin
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support.compared_libraries import ANY, LIBRARIES, Reply, Setup, corsguard, send_to_asgi
from support.doc_pages import read_page

from corsguard import PolicyError
from corsguard_flask import CORSGuard, cors_policy

APP, EVIL = "https://app.example.com", "https://evil.example"
LOGGERS = re.compile(r"corsguard|flask_cors|corsheaders|starlette")


def read_table() -> dict[str, dict[str, str]]:
    """Return row -> library -> cell of README's comparison."""
    text = read_page("../README").partition("\n## Compare it\n")[2]
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    libraries = rows[0]
    return {label: dict(zip(libraries, cells, strict=True)) for label, *cells in rows[2:]}


TABLE = read_table()


def compare(row: str, examine: Callable[[str], str]) -> None:
    """Assert that each cell of a row is what `examine` finds out about its library."""
    assert {library: examine(library) for library in LIBRARIES} == TABLE[row]


def yes_or_no(is_so: bool) -> str:
    return "yes" if is_so else "no"


def send(library: str, setup: Setup, method: str, path: str, **headers: str) -> Reply:
    with LIBRARIES[library](setup, []) as send_request:
        return send_request(method, path, **headers)


def test_table_has_the_libraries() -> None:
    assert [*TABLE["`*` with cookies"]] == [*LIBRARIES]
    assert len(TABLE) == 9


def test_wildcard_with_cookies() -> None:
    def examine(library: str) -> str:
        try:
            setup = Setup(ANY, credentials=True)
            reply = send(library, setup, "GET", "/items", Origin=EVIL, Cookie="session=1")
        except PolicyError:
            return "does not start"
        headers = reply.headers
        assert headers["access-control-allow-credentials"] == "true"
        return "allows any site" if headers["access-control-allow-origin"] == EVIL else "?"

    compare("`*` with cookies", examine)


def test_origin_without_its_scheme() -> None:
    def examine(library: str) -> str:
        try:
            with LIBRARIES[library](Setup(("app.example.com",)), []) as send_request:
                reply = send_request("GET", "/items", Origin=APP)
                found = check_settings() if library == "django-cors-headers" else []
        except PolicyError:
            return "does not start"
        if found:
            return "fails `manage.py check`"
        return "?" if "access-control-allow-origin" in reply.headers else "has no effect"

    compare("an origin without its scheme", examine)


def test_regular_expression_matches_the_whole_origin() -> None:
    def examine(library: str) -> str:
        setup = Setup((r"https://app\.example\.com",), is_regex=True)
        headers = send(library, setup, "GET", "/items", Origin=APP).headers
        assert headers["access-control-allow-origin"] == APP
        longer = send(library, setup, "GET", "/items", Origin=f"{APP}.evil.example").headers
        return yes_or_no("access-control-allow-origin" not in longer)

    compare("a regular expression matches the whole origin", examine)


def test_vary_is_on_every_response() -> None:
    def examine(library: str) -> str:
        origins: list[dict[str, str]] = [{"Origin": APP}, {"Origin": EVIL}, {}]
        replies = [send(library, Setup(), "GET", "/items", **each) for each in origins]
        return yes_or_no(all(each.headers.get("vary", "").lower() == "origin" for each in replies))

    compare("`Vary: Origin` on every response", examine)


def test_crash_keeps_the_headers() -> None:
    def examine(library: str) -> str:
        reply = send(library, Setup(), "GET", "/crash", Origin=APP)
        assert reply.status == 500
        return yes_or_no("access-control-allow-origin" in reply.headers)

    compare("the 500 of a crash keeps the headers", examine)


def test_preflight_needs_no_login() -> None:
    def examine(library: str) -> str:
        asked = {"Origin": APP, "Access_Control_Request_Method": "GET"}
        reply = send(library, Setup(needs_login=True), "OPTIONS", "/items", **asked)
        return yes_or_no(reply.status in {200, 204})

    compare("a preflight needs no login", examine)


def answers_by_view_in_flask(decorate: Callable[..., Any], *, is_guarded: bool) -> bool:
    app = Flask("views")
    app.put("/items")(decorate(lambda: "items"))
    if is_guarded:
        CORSGuard(app, {})
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT"}
    response = app.test_client().options("/items", headers=asked)
    return response.headers.get("Access-Control-Allow-Origin") == APP


def answers_by_view_in_starlette() -> bool:
    """Return False, as the middleware of a route sees no preflight."""

    async def items(request: object) -> Response:
        return PlainTextResponse("items")

    layer = Middleware(CORSMiddleware, allow_origins=[APP], allow_methods=["PUT"])
    route = Route("/items", items, methods=["PUT"], middleware=[layer])
    asked = {"Origin": APP, "Access_Control_Request_Method": "PUT"}
    return send_to_asgi(Starlette(routes=[route]))("OPTIONS", "/items", **asked).status == 200


def test_policy_for_each_view() -> None:
    def examine(library: str) -> str:
        return yes_or_no(can_decide_by_view[library])

    ours = cors_policy(allow_origins=[APP], allow_methods=["PUT"])
    theirs = cross_origin(origins=[APP], methods=["PUT"])
    can_decide_by_view = {
        "corsguard": answers_by_view_in_flask(ours, is_guarded=True),
        "flask-cors": answers_by_view_in_flask(theirs, is_guarded=False),
        "django-cors-headers": find_spec("corsheaders.decorators") is not None,
        "Starlette": answers_by_view_in_starlette(),
    }
    compare("a policy for each view", examine)


def test_log_says_why_a_page_is_blocked(caplog: pytest.LogCaptureFixture) -> None:
    def examine(library: str) -> str:
        caplog.clear()
        asked = {"Origin": EVIL, "Access_Control_Request_Method": "GET"}
        send(library, Setup(), "OPTIONS", "/items", **asked)
        levels = [
            record.levelno
            for record in caplog.records
            if LOGGERS.match(record.name) and "origin" in record.getMessage().lower()
        ]
        if max(levels, default=0) >= logging.WARNING:
            return "yes"
        return "at DEBUG" if levels else "no"

    for name in ("corsguard", "flask_cors", "corsheaders", "starlette"):
        caplog.set_level(logging.DEBUG, logger=name)
    compare("the log says why a page is blocked", examine)


def test_cross_site_writes_are_refused_on_request() -> None:
    def examine(library: str) -> str:
        written: list[str] = []
        serve = LIBRARIES[library](Setup(), written)
        if library == "corsguard":
            serve = corsguard(Setup(), written, enforce=True)
        with serve as send_request:
            send_request("POST", "/items", Origin=EVIL)
        return yes_or_no(not written)

    compare("cross-site writes are refused on request", examine)
