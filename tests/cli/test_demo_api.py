from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from support.demo_visit import FREE_PORTS, Answer, Running, ask, connection

from corsguard import Guard, Policy
from corsguard.cli.demo.api import Api
from corsguard.cli.demo.servers import serve_demo

SIGNED_IN = {"Cookie": "corsguard-demo=signed-in"}
# The headers that only listed origins get.
CORS = ("access-control-allow-origin", "access-control-allow-credentials")


def preflight(demo: Running, page: str, path: str, method: str, names: str = "") -> Answer:
    headers = {"Origin": page, "Access-Control-Request-Method": method}
    if names:
        headers["Access-Control-Request-Headers"] = names
    return ask(demo.origins.api, path, "OPTIONS", headers)


def journal(demo: Running, call: str) -> list[dict[str, Any]]:
    answer = ask(demo.origins.api, f"/journal?call={call}")
    assert answer.status == 200
    kept: list[dict[str, Any]] = json.loads(answer.body)
    return kept


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "answered"),
    [
        ("GET", "/items", {}, None, 200, '{"items": ["apple", "banana", "cherry"]}'),
        ("POST", "/items", {}, '{"name":"x"}', 201, '{"id": 4, "received": "12 bytes"}'),
        ("PUT", "/items/1", {}, "damson", 200, '{"id": 1, "received": "6 bytes"}'),
        ("DELETE", "/items/1", {}, None, 204, ""),
        ("GET", "/items", {"X-Demo-Trace": "42"}, None, 200, '{"trace": "42"}'),
        (
            "GET",
            "/me",
            {"Authorization": "Bearer demo-token"},
            None,
            200,
            '{"you": "bearer of the demo token"}',
        ),
        ("GET", "/me", {}, None, 401, '{"error": "who are you?"}'),
        ("GET", "/profile", SIGNED_IN, None, 200, '{"you": "signed in by a cookie"}'),
        ("GET", "/profile", {}, None, 401, '{"error": "no session cookie"}'),
        ("GET", "/broken", {}, None, 500, '{"error": "the database is on fire"}'),
        ("GET", "/elsewhere", {}, None, 404, '{"error": "there is nothing here"}'),
        ("HEAD", "/items", {}, None, 200, ""),
    ],
)
def test_frontend_may_read_responses_and_others_may_not(
    demo: Running,
    method: str,
    path: str,
    headers: dict[str, str],
    body: str | None,
    status: int,
    answered: str,
) -> None:
    origins = demo.origins
    for page, allowed in ((origins.frontend, True), (origins.untrusted, False)):
        answer = ask(origins.api, path, method, {**headers, "Origin": page}, body)

        # A request without a preflight reaches the application from any origin.
        assert (answer.status, answer.body) == (status, answered)
        assert answer.header("Vary") == "Origin"
        expected = (page, "true") if allowed else (None, None)
        assert tuple(map(answer.header, CORS)) == expected


def test_response_exposes_the_listed_header_only(demo: Running) -> None:
    answer = ask(demo.origins.api, "/items", headers={"Origin": demo.origins.frontend})

    assert answer.header("X-Total-Count") == "3"
    assert answer.header("X-Build") is not None
    assert answer.header("Access-Control-Expose-Headers") == "X-Total-Count"


def test_sign_in_sets_a_cookie_that_the_profile_accepts(demo: Running) -> None:
    answer = ask(demo.origins.api, "/sign-in", headers={"Origin": demo.origins.frontend})

    assert answer.header("Set-Cookie") == (f"{SIGNED_IN['Cookie']}; Path=/; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    ("method", "names", "reason", "detail"),
    [
        ("POST", "content-type", "ALLOWED", ""),
        ("PUT", "", "ALLOWED", ""),
        ("DELETE", "", "ALLOWED", ""),
        ("GET", "x-demo-trace", "ALLOWED", ""),
        ("GET", "authorization", "ALLOWED", ""),
        ("PATCH", "", "METHOD_NOT_ALLOWED", "PATCH"),
        ("GET", "x-not-listed", "HEADERS_NOT_ALLOWED", "x-not-listed"),
    ],
)
def test_preflight_of_the_frontend_is_allowed(
    demo: Running, method: str, names: str, reason: str, detail: str
) -> None:
    call = f"{method}-{names}"
    page = demo.origins.frontend

    answer = preflight(demo, page, f"/items?call={call}", method, names)

    assert (answer.status, answer.body) == (204, "")
    fields = [
        ["Access-Control-Allow-Origin", page],
        ["Access-Control-Allow-Credentials", "true"],
        ["Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"],
        ["Access-Control-Allow-Headers", "Content-Type, Authorization, X-Demo-Trace"],
        ["Access-Control-Max-Age", "7200"],
        ["Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"],
    ]
    assert [field for field in map(list, answer.headers) if field in fields] == fields
    [exchange] = journal(demo, call)
    words = exchange.pop("words")
    assert isinstance(words, str)
    sent = [["Origin", page], ["Access-Control-Request-Method", method]]
    if names:
        sent.append(["Access-Control-Request-Headers", names])
    assert exchange == {
        "kind": "PREFLIGHT",
        "method": "OPTIONS",
        "path": "/items",
        "status": 204,
        "request_headers": sent,
        "headers": fields,
        "cookie": False,
        "reason": reason,
        "detail": detail,
    }


def test_preflight_of_an_untrusted_origin_is_refused(demo: Running) -> None:
    answer = preflight(demo, demo.origins.untrusted, "/items/1?call=untrusted-put", "PUT")

    assert answer.status == 403
    assert answer.body.startswith("corsguard: origin not allowed")
    assert tuple(map(answer.header, CORS)) == (None, None)
    [exchange] = journal(demo, "untrusted-put")
    assert exchange["reason"] == "ORIGIN_NOT_ALLOWED"
    assert demo.origins.untrusted in exchange["detail"]


def test_journal_lists_the_exchanges_of_a_call_in_order(demo: Running) -> None:
    page = demo.origins.frontend
    preflight(demo, page, "/items/1?call=both", "PUT")
    headers = {"Origin": page, **SIGNED_IN}
    ask(demo.origins.api, "/items/1?call=both", "PUT", headers, "damson")

    asked, sent = journal(demo, "both")

    assert (asked["kind"], asked["method"], asked["status"]) == ("PREFLIGHT", "OPTIONS", 204)
    assert (sent["kind"], sent["method"], sent["status"]) == ("ACTUAL", "PUT", 200)
    assert (asked["cookie"], sent["cookie"]) == (False, True)


def test_journal_has_the_request_headers_without_secrets(demo: Running) -> None:
    sent = {
        "Content-Type": "application/json",
        "Origin": demo.origins.frontend,
        "Authorization": "Bearer secret-token",
        "Cookie": "session=secret",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-site",
        "X-Demo-Trace": "4\x9b2",
        "X-Long": "a" * 300,
        "Accept": "text/html",
        "User-Agent": "test",
        "Referer": "http://a.example/secret",
    }
    ask(demo.origins.api, "/items?call=headers&token=secret", "POST", sent, "{}")

    [exchange] = journal(demo, "headers")

    assert dict(exchange["request_headers"]) == {
        "Content-Type": "application/json",
        "Origin": demo.origins.frontend,
        "Authorization": "present",
        "Cookie": "present",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-site",
        "X-Demo-Trace": r"4\x9b2",
        "X-Long": f"{'a' * 200}...",
    }
    assert exchange["cookie"] is True
    assert "secret" not in json.dumps(exchange)


def test_journal_limits_what_it_records_of_a_request(demo: Running) -> None:
    sent = {f"X-{'a' * 300}-{number}": "1" for number in range(60)}
    ask(demo.origins.api, f"/{'b' * 300}?call=large", headers=sent)

    [exchange] = journal(demo, "large")

    assert exchange["path"] == f"/{'b' * 199}..."
    assert len(exchange["request_headers"]) == 40
    assert {len(name) for name, _ in exchange["request_headers"]} == {200}


def test_root_explains_itself_to_a_browser(demo: Running) -> None:
    answer = ask(demo.origins.api, "/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.body.startswith("<!doctype html>")
    assert f'href="{demo.origins.frontend}"' in answer.body
    for path in re.findall(r'href="(/[^"]*)"', answer.body):
        assert ask(demo.origins.api, path).status in {200, 401, 500}
    policy = answer.header("Content-Security-Policy") or ""
    [style] = re.findall(r"<style>(.*?)</style>", answer.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.endswith(f"style-src 'sha256-{digest}'")
    assert "default-src 'none'" in policy


def test_root_explains_itself_to_a_program(demo: Running) -> None:
    answer = ask(demo.origins.api, "/", headers={"Origin": demo.origins.frontend})

    assert answer.header("Content-Type") == "application/json"
    assert json.loads(answer.body) == {
        "about": "the API of corsguard demo",
        "playground": demo.origins.frontend,
        "paths": [
            "/",
            "/broken",
            "/items",
            "/items/1",
            "/journal",
            "/me",
            "/profile",
            "/sign-in",
            "/stream",
        ],
    }
    assert {*(answer.header("Vary") or "").split(", ")} == {"Accept", "Origin"}
    assert answer.header("Access-Control-Allow-Origin") == demo.origins.frontend


def test_journal_is_readable_for_any_page(demo: Running) -> None:
    for page in (demo.origins.frontend, demo.origins.untrusted, "https://elsewhere.example"):
        answer = ask(demo.origins.api, "/journal?call=none", headers={"Origin": page})

        assert (answer.status, answer.body) == (200, "[]")
        assert answer.header("Access-Control-Allow-Origin") == "*"
        assert answer.header("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("query", ["", "call=", "call=a%20b", "call=%3Cb%3E", f"call={'a' * 41}"])
def test_journal_with_a_malformed_id_is_refused(demo: Running, query: str) -> None:
    answer = ask(demo.origins.api, f"/journal?{query}")

    assert answer.status == 400
    assert answer.body == '{"error": "the query has no valid call id"}'


def build_api() -> Api:
    frontend = "http://localhost:3000"
    return Api(Guard(Policy(allow_origins=[frontend])), frontend)


def call_in_process(api: Api, call: str) -> None:
    environ = {"PATH_INFO": "/items", "QUERY_STRING": f"call={call}"}
    setup_testing_defaults(environ)
    list(api(environ, lambda status, headers, exc_info=None: lambda data: None))


def read_in_process(api: Api, call: str) -> list[Any]:
    environ = {"PATH_INFO": "/journal", "QUERY_STRING": f"call={call}"}
    setup_testing_defaults(environ)
    body = b"".join(api(environ, lambda status, headers, exc_info=None: lambda data: None))
    kept: list[Any] = json.loads(body)
    return kept


def test_journal_that_is_full_drops_the_oldest_call() -> None:
    api = build_api()
    for number in range(257):
        call_in_process(api, f"call-{number}")

    assert read_in_process(api, "call-0") == []
    assert len(read_in_process(api, "call-1")) == 1
    assert len(read_in_process(api, "call-256")) == 1


def test_journal_limits_the_exchanges_of_a_call() -> None:
    api = build_api()
    for _ in range(20):
        call_in_process(api, "again")

    assert len(read_in_process(api, "again")) == 8


def test_body_without_a_length_is_not_read(demo: Running) -> None:
    client = connection(demo.origins.api)
    client.request("PUT", "/items/1", iter([b"damson"]), encode_chunked=True)
    response = client.getresponse()

    assert (response.status, response.read()) == (200, b'{"id": 1, "received": "0 bytes"}')
    client.close()


def test_stream_has_six_parts(demo: Running) -> None:
    answer = ask(demo.origins.api, "/stream", headers={"Origin": demo.origins.frontend})

    assert answer.body == "".join(f"part {number} of 6\n" for number in range(1, 7))
    assert answer.header("Access-Control-Allow-Origin") == demo.origins.frontend
    assert answer.header("Content-Length") is None


def test_stop_ends_a_stream_that_is_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corsguard.cli.demo.api._SECONDS_BETWEEN_CHUNKS", 600)
    with serve_demo(FREE_PORTS, lambda decision, facts: None) as origins:
        client = connection(origins.api)
        client.request("GET", "/stream")
        response = client.getresponse()
        assert response.readline() == b"part 1 of 6\n"  # while the others are not sent yet

    assert response.read() == b""
    client.close()


def test_subscriber_is_called_with_each_decision(demo: Running) -> None:
    demo.decisions.clear()
    ask(demo.origins.api, "/items", headers={"Origin": demo.origins.untrusted})

    [(decision, request)] = demo.decisions
    assert (decision.reason, request.path) == ("ORIGIN_NOT_ALLOWED", "/items")
