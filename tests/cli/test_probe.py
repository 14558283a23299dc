"""`corsguard probe` on live servers, as a terminal shows it."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from support.audit.serving import PATIENCE, saying, unserved, wsgi
from support.cli_command import Command
from support.cli_service import service

from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

PAGE = "https://app.example.com"
POLICY = Policy(
    allow_origins=[PAGE],
    allow_credentials=True,
    allow_methods=["PUT"],
    allow_headers=["Content-Type"],
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with wsgi(CORSMiddleware(service, POLICY)) as url:
        yield url


def test_allowed_response_exits_with_0(corsguard: Command, url: str) -> None:
    code, out, err = corsguard("probe", url, "--page", PAGE)
    assert (code, err) == (0, "")
    assert "── GET /v1/items ──" in out
    assert "Access-Control-Allow-Origin: https://app.example.com" in out
    assert "Allowed: the script gets the response" in out


def test_blocked_response_shows_why(corsguard: Command, url: str) -> None:
    code, out, err = corsguard("probe", url, "--page", "https://evil.example")
    assert (code, err) == (1, "")
    assert "Blocked: the script gets an error. The server received the request, but" in out
    assert "[ALLOW_ORIGIN_MISSING]" in out
    assert "  fix      send Access-Control-Allow-Origin: https://evil.example" in out


def test_unsafe_method_sends_the_preflight_only(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "PUT")
    assert code == 0
    assert "PUT is not sent: it may change data" in out
    assert "The preflight passes, so a browser sends the PUT." in out


def test_unsafe_method_without_a_preflight_is_not_sent(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "POST")
    assert code == 2
    assert "A browser sends the POST without a preflight. It was not sent here" in out


def test_unsafe_method_with_the_option_is_sent(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "PUT", "--unsafe")
    assert code == 0
    assert "Allowed: the script gets the response" in out


def test_cookies_are_sent_with_credentials(corsguard: Command, url: str) -> None:
    options = ("--credentials", "include", "--cookie", "session=abc")
    _, out, _ = corsguard("probe", url, "--page", "http://127.0.0.1:3000", *options)
    assert "Cookie: session=abc" in out
    _, out, _ = corsguard("probe", url, "--page", PAGE, *options)
    assert "Cookie: session=abc" not in out


@pytest.mark.parametrize("spelling", ["http://127.1:", "http://2130706433:", " http:127.0.0.1:"])
def test_url_is_parsed_as_in_a_browser(corsguard: Command, url: str, spelling: str) -> None:
    spelt = url.replace("http://127.0.0.1:", spelling)
    code, out, err = corsguard("probe", spelt, "--page", PAGE)
    assert (code, err) == (0, "")
    assert "server: http://127.0.0.1:" in out


def test_cookie_is_sent_as_utf_8(corsguard: Command) -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["HTTP_COOKIE"])
        start_response("200 OK", [])
        return []

    with wsgi(app) as url:
        options = ("--page", "http://127.0.0.1:3000", "--cookie", "a=\u2603")
        corsguard("probe", url, *options, "--credentials", "include")
    assert seen == ["a=\u2603".encode().decode("latin-1")]


def test_json_is_one_document(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", f"{PAGE}/items", "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert (document["verdict"], document["page"]) == ("allowed", PAGE)
    assert document["page_given"] == f"{PAGE}/items"
    assert document["requests"][0]["answer"]["status"] == 200


def test_json_of_an_unfinished_exchange_is_unknown(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "POST", "--format", "json")
    report = json.loads(out)
    assert (code, report["verdict"]) == (2, "unknown")
    assert report["fix"] == "add --unsafe to send it"


def test_json_of_an_allowed_preflight_has_no_refusal(corsguard: Command, url: str) -> None:
    code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "PUT", "--format", "json")
    report = json.loads(out)
    assert (code, report["verdict"]) == (0, "allowed")
    assert [report[name] for name in ("reason", "detail", "fix")] == [None] * 3


def test_redirect_to_another_host_is_not_followed(corsguard: Command) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        headers = [("Location", "http://elsewhere.example/"), ("Access-Control-Allow-Origin", "*")]
        start_response("302 Found", headers)
        return []

    with wsgi(app) as url:
        code, out, err = corsguard("probe", url, "--page", "http://127.0.0.1:3000")
    assert (code, err) == (2, "")
    assert "The result is unknown: nothing is sent to elsewhere.example, only to 127.0.0.1." in out


def test_response_shows_server_and_hidden_headers(corsguard: Command) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        headers = [
            ("Server", "proxy/1.2\x1b[2J"),
            ("Via", "1.1 cache"),
            ("Access-Control-Allow-Origin", "*"),
            ("Content-Type", "text/csv"),
            ("Content-Disposition", "attachment; filename=items.csv"),
            ("X-Total", "3"),
            ("ETag", '"1"'),
            ("Set-Cookie", "a=1"),
            ("X-Frame-Options", "DENY"),
            ("Access-Control-Expose-Headers", "X-Total"),
        ]
        start_response("200 OK", headers)
        return []

    with wsgi(app) as url:
        code, out, _ = corsguard("probe", url, "--page", PAGE)
        document = json.loads(corsguard("probe", url, "--page", PAGE, "--format", "json").out)
    report = " ".join(out.split())
    assert code == 0
    assert "Content-Disposition: attachment; filename=items.csv" in report
    assert "server Server: proxy/1.2\\x1b[2J" in report
    assert "server Via: 1.1 cache" in report
    hidden = "Content-Disposition, ETag: not exposed, so the script can't read it"
    assert f"hidden {hidden}" in report
    assert document["evidence"]["not_exposed"] == ["Content-Disposition", "ETag"]
    assert document["evidence"]["layers"] == ""


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("Access-Control-Allow-Origin", ["*", PAGE], f"2 times (*, {PAGE})"),
        ("Access-Control-Allow-Origin", [PAGE, PAGE], f"2 times ({PAGE}, {PAGE})"),
        ("Access-Control-Allow-Origin", [f"{PAGE},{PAGE}"], f"2 times ({PAGE}, {PAGE})"),
        ("Access-Control-Allow-Credentials", ["true", "true"], "2 times (true, true)"),
        ("Access-Control-Max-Age", ["600", "0"], "2 times (600, 0)"),
    ],
)
def test_repeated_header_reports_two_layers(
    corsguard: Command, name: str, values: list[str], shown: str
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [(name, value) for value in values])
        return []

    with wsgi(app) as url:
        code, out, _ = corsguard("probe", url, "--page", PAGE)
    assert code == 1
    report = " ".join(out.split())
    assert f"layers two layers set CORS headers: {name} is sent {shown}" in report
    assert "Leave CORS to one of them" in report
    assert " fix " not in report


def test_unsent_request_shows_evidence_of_the_preflight(corsguard: Command) -> None:
    with wsgi(CORSMiddleware(service, POLICY)) as url:
        code, out, _ = corsguard("probe", url, "--page", PAGE, "--method", "PUT")
    assert code == 0
    assert "\n  server   Server: " in out


def test_event_stream_has_a_verdict_at_once(corsguard: Command) -> None:
    over = Event()

    def stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"data: 1\n\n"
        over.wait(PATIENCE)

    with wsgi(CORSMiddleware(stream, POLICY)) as url:
        options = ("--timeout", str(PATIENCE))
        allowed = corsguard("probe", url, "--page", PAGE, *options)
        blocked = corsguard("probe", url, "--page", "https://evil.example", *options)
        audited = corsguard("probe", url, "--page", PAGE, "--audit", "--rate", "1000")
        over.set()
    assert (allowed.code, blocked.code, audited.code) == (0, 1, 0)
    assert "Allowed: the script gets the response" in allowed.out
    assert "[ALLOW_ORIGIN_MISSING]" in blocked.out
    assert "no findings" in audited.out


def test_redirect_to_plain_http_is_mixed_content(corsguard: Command) -> None:
    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nAccess-Control-Allow-Origin: {PAGE}\r\n"
        connection.sendall(
            f"{head}Location: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n".encode()
        )

    with saying(say) as url:
        code, out, _ = corsguard("probe", url, "--page", PAGE)
    assert code == 1
    assert "mixed content:" in out


def test_url_with_an_empty_user_and_password_is_sent(corsguard: Command, url: str) -> None:
    code, _, err = corsguard("probe", url.replace("http://", "http://:@"), "--page", PAGE)
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("page", "origin"),
    [("file:///home/a.html", "null"), ("file://", "null"), ("app://.", "app://.")],
)
def test_page_outside_the_web_has_its_origin(
    corsguard: Command, url: str, page: str, origin: str
) -> None:
    _, out, _ = corsguard("probe", url, "--page", page, "--format", "json")
    assert json.loads(out)["page"] == origin


def test_audit_without_findings_exits_with_0(corsguard: Command, url: str) -> None:
    code, out, err = corsguard("probe", url, "--page", PAGE, "--audit", "--rate", "1000")
    assert (code, err) == (0, "")
    assert out.startswith(f"{url}: no findings in ")


def test_audit_sends_and_hides_headers_and_cookies(corsguard: Command) -> None:
    seen: list[dict[str, Any]] = []

    def reflecting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        headers = [
            ("Access-Control-Allow-Origin", environ.get("HTTP_ORIGIN", "*")),
            ("Access-Control-Allow-Credentials", "true"),
        ]
        start_response("200 OK", headers)
        return [b"secret"]

    options = ("--audit", "--rate", "1000", "--cookie", "session=hidden", "--header", "x-key:k3y")
    with wsgi(reflecting) as url:
        code, out, err = corsguard("probe", url, "--page", PAGE, *options, "--format", "sarif")
    assert (code, err) == (1, "")
    [run] = json.loads(out)["runs"]
    assert "reflected-with-credentials" in {result["ruleId"] for result in run["results"]}
    assert any(environ.get("HTTP_COOKIE") == "session=hidden" for environ in seen)
    assert any(environ.get("HTTP_X_KEY") == "k3y" for environ in seen)
    assert "hidden" not in out
    assert "k3y" not in out


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--format", "sarif"], "--format sarif is for an audit: add --audit"),
        (["--page", "app"], "--page 'app' is neither an origin nor a URL"),
        (["--cookie", "session"], "--cookie 'session' sets no cookie for "),
        (["--timeout", "0"], "--timeout 0 is not from 0.001 to 86400"),
        (["--timeout", "1e300"], "--timeout 1e+300 is not from 0.001 to 86400"),
        (["--rate", "nan"], "--rate nan is not from 0.001 to 86400"),
        (["--rate", "1e-300"], "--rate 1e-300 is not from 0.001 to 86400"),
        (["--requests", "0"], "--requests 0 is not from 1 to 86400"),
        (["--header", "x y:1"], "--header 'x y:1' is not a header"),
        (["--ca", "nowhere.pem"], "nowhere.pem has no certificates to trust"),
        (["--audit", "--page", "null"], "an audit needs the origin of a page"),
        (["--audit", "--method", "PUT"], "--method is not for an audit"),
        (["--audit", "--body", ""], "--body is not for an audit"),
        (["--audit", "--credentials", "include"], "--credentials is not for an audit"),
        (["--audit", "--mode", "no-cors"], "--mode is not for an audit"),
        (["--audit", "--redirect", "error"], "--redirect is not for an audit"),
        (["--audit", "--engine", "webkit"], "--engine is not for an audit"),
        (["--audit", "--unsafe"], "--unsafe is not for an audit"),
    ],
)
def test_invalid_option_ends_with_one_line(
    corsguard: Command, url: str, options: list[str], line: str
) -> None:
    code, out, err = corsguard("probe", url, "--page", PAGE, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"corsguard: {line}")
    assert err.count("\n") == 1


def test_unreachable_server_ends_with_one_line(corsguard: Command) -> None:
    with unserved() as port:
        done = corsguard("probe", f"http://127.0.0.1:{port}/", "--page", PAGE)
    assert done == (2, "", "corsguard: 127.0.0.1: connection refused\n")


def test_ctrl_c_ends_with_one_line(corsguard: Command) -> None:
    def interrupting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        os.kill(os.getpid(), signal.SIGINT)
        return service(environ, start_response)

    with wsgi(interrupting) as url:
        done = corsguard("probe", url, "--page", PAGE)
    assert done == (130, "", "corsguard: interrupted before the result was known\n")
