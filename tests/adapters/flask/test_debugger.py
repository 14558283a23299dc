"""Werkzeug's interactive debugger, in this process and in `flask run --debug`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from itertools import takewhile
from typing import Any

import pytest
from flask import Flask
from werkzeug.debug import DebuggedApplication
from werkzeug.test import Client, create_environ, run_wsgi_app

from corsguard import Policy
from corsguard_flask import CORSGuard

APP = "https://app.example.com"
EVIL = "https://evil.example"
SERVICE = """
from corsguard import Policy
from corsguard_flask import CORSGuard
from flask import Flask

app = Flask(__name__)
CORSGuard(app, {"/": Policy(allow_origins=["https://app.example.com"]), "/off": None})

@app.get("/crash")
@app.get("/off/crash")
def crash():
    secret = 7
    return 1 / (secret - 7)

@app.teardown_request
def late(error):
    from flask import request
    if request.path == "/late":
        raise KeyError("late")

@app.get("/late")
def late_view():
    return "answered, then failed"
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Yield the port of a development server with the debugger."""
    folder = tmp_path_factory.mktemp("debugged")
    (folder / "service.py").write_text(SERVICE, encoding="utf-8")
    command = [sys.executable, "-m", "flask", "--app", "service", "run", "--debug", "--no-reload"]
    with subprocess.Popen(
        [*command, "--port", "0"],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            printed = "".join(takewhile(lambda line: "CTRL+C" not in line, server.stderr))
            address = re.search(r"Running on http://127\.0\.0\.1:(\d+)\n", printed)
            assert address, f"it printed {printed!r}"
            yield int(address[1])
        finally:
            server.terminate()
            server.communicate()


def get(port: int, path: str, **headers: str) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=fields)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert response.status == 500
    return response, body


def build_debugged_service() -> DebuggedApplication:
    """Return the same service behind the same debugger, in this process."""
    module: dict[str, Any] = {"__name__": "service"}
    exec(SERVICE, module)
    module["app"].debug = True
    return DebuggedApplication(module["app"], evalex=True, pin_security=False)


@pytest.mark.parametrize(
    ("path", "headers", "secret"),
    [
        ("/crash", {}, True),
        ("/crash", {"Origin": APP}, False),
        ("/crash", {"Origin": EVIL}, False),
        ("/crash", {"Origin": APP, "Sec-Fetch-Site": "same-origin"}, True),
        ("/off/crash", {"Origin": APP}, True),
    ],
)
def test_debugger_cross_origin_page_gets_no_secret(
    path: str, headers: dict[str, str], secret: bool
) -> None:
    response = Client(build_debugged_service()).get(path, headers=headers)
    assert response.status_code == 500
    assert ("SECRET = " in response.text) is secret
    assert not secret or "Access-Control-Allow-Origin" not in response.headers


def test_debugger_error_after_start_replaces_response() -> None:
    started: list[tuple[str, bool]] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        started.append((status, exc_info is not None))

    environ = create_environ("/late", headers={"Origin": APP})
    b"".join(build_debugged_service()(environ, start_response))
    assert started == [("200 OK", False), ("500 INTERNAL SERVER ERROR", True)]


def test_debugger_log_escapes_line_break_in_path(caplog: pytest.LogCaptureFixture) -> None:
    flask = Flask(__name__)
    flask.debug = True
    flask.add_url_rule("/<path:_>", view_func=lambda _: str(1 / 0))
    CORSGuard(flask, Policy(allow_origins=[APP]))
    environ = {**create_environ(headers={"Origin": APP}), "PATH_INFO": "/\nforged"}
    run_wsgi_app(DebuggedApplication(flask, evalex=True), environ)
    assert caplog.messages == [r"Exception on /\nforged"]


def test_debugger_without_origin_is_interactive(port: int) -> None:
    response, body = get(port, "/crash")
    assert "ZeroDivisionError" in body
    assert "SECRET = " in body
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_debugger_allowed_origin_reads_plain_500(port: int) -> None:
    response, body = get(port, "/crash", Origin=APP)
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert response.headers["Vary"] == "Origin"
    assert "Internal Server Error" in body
    assert "SECRET" not in body


def test_debugger_untrusted_origin_reads_nothing(port: int) -> None:
    response, body = get(port, "/crash", Origin=EVIL)
    assert response.headers["Access-Control-Allow-Origin"] is None
    assert "SECRET" not in body


def test_debugger_same_origin_page_is_interactive(port: int) -> None:
    response, body = get(port, "/crash", Origin=APP, Sec_Fetch_Site="same-origin")
    assert "SECRET = " in body
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_debugger_path_without_policy_is_interactive(port: int) -> None:
    _, body = get(port, "/off/crash", Origin=APP)
    assert "SECRET = " in body


def test_debugger_error_after_start_carries_headers(port: int) -> None:
    response, _ = get(port, "/late", Origin=APP)
    assert response.headers["Access-Control-Allow-Origin"] == APP
