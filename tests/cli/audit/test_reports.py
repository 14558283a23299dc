"""What a user sees of an audit: the report in each format, the progress, the exit code."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterable
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from support.audit.auditing import QUICK
from support.audit.broken import FAULTS, PAGE, SOUND, Api, NoVary, Static
from support.audit.serving import saying, unserved, wsgi
from support.cli_command import Finished

from corsguard.browser.messages import Fields
from corsguard.cli.audit.catalogue import RULES
from corsguard.cli.audit.checks import CHECKS, LOOKED_FOR
from corsguard.cli.audit.command import run_audit
from corsguard.cli.client_options import ClientOptions

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TWO = FAULTS["two at once"][0]
RULE = RULES["vary-missing"]
CURL = "curl -i --globoff --path-as-is"
UNTRUSTED = "https://untrusted.example"
HOSTILE = Static(("Access-Control-Allow-Origin", "a`# \x1b[2J"))


class Reported:
    """Runs the audit and catches what it prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def url(self, url: str, page: str = PAGE, **options: Any) -> Finished:
        code: int | str | None
        try:
            limits = options.pop("limits", QUICK)
            code = run_audit(ClientOptions(url, limits, True), page, **options)
        except SystemExit as ended:
            code = ended.code
        return Finished(code, *self.capsys.readouterr())

    def app(self, app: WSGIApplication, form: str = "text", fields: Fields = ()) -> Finished:
        """The same for a server of app, whose URL is shown as one of port 80."""
        with wsgi(app) as url:
            done = self.url(url, form=form, fields=fields)
        address = url.removesuffix("/v1/items")
        return done._replace(out=done.out.replace(address, "http://127.0.0.1"))


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Reported:
    return Reported(capsys)


def test_text_shows_each_finding(report: Reported) -> None:
    assert report.app(NoVary()) == (
        1,
        f"""\
http://127.0.0.1/v1/items: 1 finding in 44 requests
  page         {PAGE}

low: The response depends on Origin, but has no `Vary: Origin` [vary-missing]
  request      {CURL} -H 'Origin: {PAGE}' http://127.0.0.1/v1/items
  response     status 200
               Access-Control-Allow-Origin: {PAGE}
               Access-Control-Allow-Credentials: true
  request      {CURL} -H 'Origin: {UNTRUSTED}' http://127.0.0.1/v1/items
  response     status 200
               no Access-Control-*
  impact       A cache serves one page the response that was made for another:
               an allowed page is sometimes blocked.
  fix          Send `Vary: Origin` with every response, also to requests without
               Origin.
""",
        "",
    )


def test_text_without_findings_lists_the_checks(report: Reported) -> None:
    assert report.app(SOUND["lists the page"]) == (
        0,
        f"""\
http://127.0.0.1/v1/items: no findings in 44 requests
  page         {PAGE}
  checked      origins: any origin sent back, `null`, similar origins, http,
               other ports (23 requests)
               paths: a more open policy for another spelling of the path (17
               requests)
               caches: a response that depends on Origin without Vary: Origin (1
               request)
               leaks: a policy that is sent to an origin that is not allowed (no
               more requests)
               values: values of Access-Control-* that browsers do not accept (1
               request)
               preflights: preflights that require a login (no more requests)
               errors: errors without CORS headers (1 request)
""",
        "",
    )


def test_markdown_without_findings_lists_the_checks(report: Reported) -> None:
    _, out, _ = report.app(SOUND["lists the page"], "markdown")
    assert f"Page: `{PAGE}`. No findings in 44 requests.\n" in out
    assert "\nChecked:\n\n* origins: any origin sent back," in out


def test_json_without_findings_lists_the_checks(report: Reported) -> None:
    _, out, _ = report.app(SOUND["lists the page"], "json")
    document = json.loads(out)
    assert document["findings"] == []
    assert [check["check"] for check in document["checked"]] == list(CHECKS)
    assert all(check["looked_for"] for check in document["checked"])
    assert sum(check["requests"] for check in document["checked"]) <= document["requests"]
    assert LOOKED_FOR.keys() == CHECKS.keys()


def test_json_does_not_list_an_unfinished_check(report: Reported) -> None:
    with wsgi(SOUND["lists the page"]) as url:
        done = report.url(url, form="json", limits=QUICK._replace(requests=30))
    document = json.loads(done.out)
    assert (done.code, document["complete"]) == (2, False)
    assert "paths" not in {check["check"] for check in document["checked"]}


def test_markdown_shows_each_finding(report: Reported) -> None:
    assert report.app(NoVary(), "markdown") == (
        1,
        f"""\
# CORS audit

    http://127.0.0.1/v1/items

Page: `{PAGE}`. 1 finding in 44 requests.

## low: The response depends on Origin, but has no `Vary: Origin`

Code: `vary-missing`.

    {CURL} -H 'Origin: {PAGE}' http://127.0.0.1/v1/items
    status 200
    Access-Control-Allow-Origin: {PAGE}
    Access-Control-Allow-Credentials: true

    {CURL} -H 'Origin: {UNTRUSTED}' http://127.0.0.1/v1/items
    status 200
    no Access-Control-*

{RULE.impact}

**Fix:** {RULE.fix}
""",
        "",
    )


def test_json_has_each_finding(report: Reported) -> None:
    code, out, err = report.app(NoVary(), "json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    (found,) = document.pop("findings")
    assert document == {
        "url": "http://127.0.0.1/v1/items",
        "page": PAGE,
        "requests": 44,
        "complete": True,
        "caveats": [],
    }
    first, second = found.pop("evidence")
    assert found == {
        "code": "vary-missing",
        "severity": "low",
        "title": RULE.title,
        "impact": RULE.impact,
        "fix": RULE.fix,
    }
    assert first == {
        "method": "GET",
        "url": "http://127.0.0.1/v1/items",
        "headers": [["Origin", PAGE]],
        "curl": f"{CURL} -H 'Origin: {PAGE}' http://127.0.0.1/v1/items",
        "answer": {
            "status": 200,
            "headers": [
                ["Access-Control-Allow-Origin", PAGE],
                ["Access-Control-Allow-Credentials", "true"],
            ],
        },
    }
    assert second["answer"] == {"status": 200, "headers": []}


def test_sarif_is_valid(report: Reported) -> None:
    """SARIF 2.1.0, 3.13, 3.14, 3.19, 3.20, 3.27, 3.46, 3.47 and 3.58."""
    code, out, err = report.app(TWO, "sarif")
    assert (code, err) == (1, "")
    log = json.loads(out)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "corsguard"
    rules = driver["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    results = run["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("unescaped-dot", "error"),
        ("scheme-downgrade", "error"),
        ("any-port", "note"),
    ]
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == "http://127.0.0.1/v1/items"
    assert results[0]["webRequest"] == {
        "method": "GET",
        "target": "/v1/items",
        "headers": {"Origin": "https://appxexample.com"},
    }
    assert results[0]["webResponse"] == {
        "statusCode": 200,
        "headers": {
            "Vary": "Accept-Encoding, Origin",
            "Access-Control-Allow-Origin": "https://appxexample.com",
            "Access-Control-Allow-Credentials": "true",
        },
    }
    assert results[0]["properties"]["severity"] == "high"


def test_sarif_joins_the_lines_of_one_header(report: Reported) -> None:
    twice = FAULTS["two lines"][0]
    with wsgi(twice) as url:
        done = report.url(url.removesuffix("/v1/items"), form="sarif")
    (run,) = json.loads(done.out)["runs"]
    (result,) = run["results"]
    assert result["webRequest"]["target"] == "/"
    headers = result["webResponse"]["headers"]
    assert headers["Access-Control-Allow-Origin"] == f"{PAGE}, {PAGE}"
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["level"] == "warning"
    assert notification["message"]["text"].startswith(f"{PAGE} is not allowed here")


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif"])
def test_report_escapes_control_characters(report: Reported, form: str) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("302 Found", [("Location", "/\x9b2J"), *HOSTILE.fields])
        return []

    code, out, err = report.app(app, form)
    assert (code, err) == (1, "")
    assert "2J" in out
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif"])
def test_report_hides_the_fields_of_the_user(report: Reported, form: str) -> None:
    done = report.app(TWO, form, (("Authorization", "Bearer secret"),))
    assert "secret" not in done.out
    assert "Authorization" in done.out


def test_curl_line_shows_the_same_response(report: Reported) -> None:
    with wsgi(FAULTS["preflights forbidden"][0]) as url:
        done = report.url(url, form="json")
        (found,) = json.loads(done.out)["findings"]
        preflight, actual = (shlex.split(shown["curl"]) for shown in found["evidence"])
        assert preflight[:6] == ["curl", "-i", "--globoff", "--path-as-is", "-X", "OPTIONS"]
        assert "403" in said(preflight)
        assert f"Access-Control-Allow-Origin: {PAGE}" in said(actual)


def said(command: list[str]) -> str:
    done = subprocess.run([*command, "-s"], capture_output=True, text=True, check=True)
    return done.stdout


def test_url_without_a_server_ends_with_one_line(report: Reported) -> None:
    with unserved() as port:
        done = report.url(f"http://127.0.0.1:{port}/")
    assert done == (2, "", "corsguard: 127.0.0.1: connection refused\n")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("app.example.com", "it has no scheme"),
        ("https://app.example.com/", "it has a path or a slash after its host"),
    ],
)
def test_page_that_is_no_origin_ends_with_one_line(report: Reported, page: str, why: str) -> None:
    code, out, err = report.url("http://127.0.0.1:1/", page)
    assert (code, out) == (2, "")
    assert err == f"corsguard: {page} is not the origin of a page: {why}\n"


class Counting(Api):
    """Does something at one of its answers."""

    def __init__(self, at: int) -> None:
        super().__init__(lambda origin: origin.startswith(PAGE) or origin == "null")
        self.at = at
        self.answers = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.answers += 1
        if self.answers == self.at:
            self.act()
        return super().__call__(environ, start_response)

    def act(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_reports_the_findings_so_far(report: Reported) -> None:
    code, out, err = report.app(Counting(8), "json")
    document = json.loads(out)
    assert (code, err) == (130, "")
    assert document["complete"] is False
    assert document["caveats"] == ["The run was interrupted: there may be more findings."]
    assert [found["code"] for found in document["findings"]] == ["null-allowed"]


def test_ctrl_c_at_the_first_request_ends_the_audit(report: Reported) -> None:
    code, out, _ = report.app(Counting(1), "sarif")
    (run,) = json.loads(out)["runs"]
    assert (code, run["results"]) == (130, [])
    assert run["invocations"][0]["executionSuccessful"] is False


def test_server_that_breaks_down_ends_two_checks(report: Reported) -> None:
    answers = []

    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        answers.append(request)
        if len(answers) <= 6:
            head = f"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: {PAGE}, {PAGE}\r\n"
            connection.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())

    with saying(say) as url:
        code, out, err = report.url(url)
    broken = "127.0.0.1: it closed the connection before it sent a response."
    assert (code, err) == (2, "")
    text = " ".join(out.split())
    assert f"note The check of origins did not finish: {broken}" in text
    assert f"note The check of paths did not finish: {broken}" in text
    assert len(answers) == 8


def test_progress_is_shown_in_a_terminal_only(
    report: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    code, out, err = report.app(SOUND["lists the page"], "json")
    assert code == 0
    assert json.loads(out)["findings"] == []
    assert "auditing errors" in err
    assert "44 requests" in err or "43 requests" in err
