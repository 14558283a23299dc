"""Decisions of the WSGI middleware: environ, log lines, and arguments that raise."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from support.application import PLAIN
from support.stacks.wsgi import application, environ_of
from support.table import APP, EVIL, HOST, origin, preflight
from support.wsgi_server import POLICY, environ_from_app, run, send_and_read

from corsguard import Decision, Guard, Kind, Policy, PolicyError, Reason
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MEGABYTE = 1_000_000


def answer_root(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 200 at any path."""
    start_response("200 OK", [PLAIN])
    return [b"root"]


def test_decision_is_in_the_environ_of_the_application() -> None:
    decisions: list[Decision] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        decisions.append(environ["corsguard.decision"])
        return application(environ, start_response)

    for value in (APP, EVIL):
        send_and_read(app, environ_of("GET", "/", origin(value)))
    assert [(decision.kind, decision.reason) for decision in decisions] == [
        (Kind.ACTUAL, Reason.ALLOWED),
        (Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED),
    ]


def test_decision_of_another_middleware_is_ignored() -> None:
    environ = environ_of("GET", "/", origin(EVIL)) | {"corsguard.decision": "allowed"}
    assert "Access-Control" not in send_and_read(application, environ)


def test_request_without_host_is_not_same_origin() -> None:
    environ = environ_of("POST", "/", origin(f"https://{HOST}"))
    environ["SERVER_NAME"] = HOST
    del environ["HTTP_HOST"]
    server = run(CORSMiddleware(application, POLICY), environ)
    assert server.decision.reason is Reason.ORIGIN_NOT_ALLOWED


def test_routes_match_path_info_without_script_name() -> None:
    app = CORSMiddleware(application, {"/api": POLICY})
    for script_name, path_info, reason in [
        ("/api", "/x", Reason.NO_POLICY),
        ("/v1", "/api/x", Reason.ALLOWED),
    ]:
        environ = environ_from_app(path_info) | {"SCRIPT_NAME": script_name}
        assert run(app, environ).decision.reason is reason


def test_missing_path_info_matches_the_root() -> None:
    environ = environ_from_app() | {"SCRIPT_NAME": "/mounted"}
    del environ["PATH_INFO"]
    app = CORSMiddleware(answer_root, {"/": POLICY})
    assert run(app, environ).decision.reason is Reason.ALLOWED


@pytest.mark.parametrize("path", ["/api/\xff\xc0\xae", "/api/x\xff", "/\xffapi", "/api\x80/x"])
def test_path_with_invalid_utf_8_matches_no_route(path: str) -> None:
    app = CORSMiddleware(answer_root, {"/api": POLICY, "/": POLICY})
    assert run(app, environ_from_app() | {"PATH_INFO": path}).decision.reason is Reason.NO_POLICY
    assert run(app, environ_from_app() | {"PATH_INFO": "/api/x"}).decision.reason is Reason.ALLOWED


@pytest.mark.parametrize("value", [f"https://{'a' * MEGABYTE}", f"{APP}:" * (MEGABYTE // 24)])
def test_origin_of_a_megabyte_is_invalid_and_cut_in_the_log(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(application, POLICY)
    server = run(app, environ_of("OPTIONS", "/", preflight(value, "GET")))
    assert len(server.sent.getvalue()) < 500
    assert server.decision.reason is Reason.ORIGIN_INVALID
    assert len(server.decision.detail) < 500
    assert len(caplog.messages[0]) < 500


@pytest.mark.parametrize("names", ["," * MEGABYTE, "x," * (MEGABYTE // 2), "x" * MEGABYTE])
def test_requested_headers_of_a_megabyte_are_not_allowed(
    names: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(application, POLICY)
    server = run(app, environ_of("OPTIONS", "/", preflight(APP, "GET", names)))
    assert server.sent.getvalue().startswith(b"Status: 204 No Content\r\n")
    assert server.decision.reason is Reason.HEADERS_NOT_ALLOWED
    assert len(server.decision.detail) < 500
    assert len(caplog.messages[0]) < 500


def test_log_line_is_escaped(caplog: pytest.LogCaptureFixture) -> None:
    hostile = "https://a\x1b[31m.example\r\nforged: line\u2028\xff"
    send_and_read(
        application, environ_of("GET", "/", origin(hostile)) | {"PATH_INFO": "/\xc3\xa9\n"}
    )
    [record] = caplog.records
    line = record.getMessage()
    assert (record.name, record.levelno) == ("corsguard", logging.WARNING)
    assert line.isascii()
    assert line.isprintable()
    assert "ORIGIN_INVALID" in line
    assert r"https://a\x1b[31m.example\r\nforged: line" in line


def test_replaced_headers_are_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = CORSMiddleware(application, POLICY)
    for _ in range(2):
        run(app, environ_from_app("/own-headers"))
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert sorted(line.split()[3].lower() for line in caplog.messages) == [
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-max-age",
    ]


@pytest.mark.parametrize("nothing", [None, {}, Guard(None), Guard({})])
def test_missing_policy_raises_no_policy(nothing: Guard | dict[str, Policy | None] | None) -> None:
    with pytest.raises(PolicyError) as caught:
        CORSMiddleware(application, nothing)
    assert [problem.code for problem in caught.value.problems] == ["no-policy"]


async def _awaited(value: str) -> bool:
    return value == APP


def test_async_callable_raises_callable_async() -> None:
    with pytest.raises(PolicyError) as caught:
        CORSMiddleware(application, {"/api": Policy(allow_origins=[_awaited])})
    [problem] = caught.value.problems
    assert (problem.code, problem.value) == ("callable-async", _awaited)


def test_reconfigure_with_an_async_callable_keeps_the_policy() -> None:
    app = CORSMiddleware(application, POLICY)
    with pytest.raises(PolicyError):
        app.guard.reconfigure(Policy(allow_origins=[_awaited]))
    assert run(app, environ_from_app()).decision.reason is Reason.ALLOWED


def test_guard_may_be_shared_by_two_middlewares() -> None:
    guard = Guard(POLICY)
    apps = [CORSMiddleware(application, guard) for _ in range(2)]
    guard.reconfigure(Policy(allow_origins=[EVIL]))
    for app in apps:
        assert run(app, environ_of("GET", "/", origin(EVIL))).decision.reason is Reason.ALLOWED
