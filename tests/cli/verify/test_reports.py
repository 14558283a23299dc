"""What a user sees of a comparison: the report in each format, and the exit code."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support.audit.serving import unserved, wsgi
from support.cli_command import Command, Finished
from support.verify.policies import ONE, PAGE
from support.verify.small_servers import CASES, CORS, change, on_all, on_path, without

from corsguard.cli.audit.catalogue import RULES

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

Verify = Callable[..., Finished]
Fields = list[tuple[str, str]]
CURL = "curl -i --globoff --path-as-is"


@pytest.fixture
def verify(corsguard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Compare an application with a policy. Its URL is shown as one of port 80."""
    monkeypatch.chdir(tmp_path)

    def run(app: WSGIApplication, *args: str, toml: str = ONE) -> Finished:
        Path("corsguard.toml").write_text(toml, encoding="utf-8")
        with wsgi(app) as url:
            base = url.removesuffix("/v1/items")
            done = corsguard("verify", "corsguard.toml", base, "--rate", "9000", *args)
        return done._replace(out=done.out.replace(base, "http://127.0.0.1"))

    return run


def test_text_shows_the_difference_its_cause_and_its_fix(verify: Verify) -> None:
    code, out, err = verify(change(CASES["errors"].layer))
    assert (code, err) == (1, "")
    assert (
        out
        == f"""\
http://127.0.0.1/: 1 finding in 53 requests
  policy       corsguard.toml
  compared     /api (52 requests)

low: Errors are sent without CORS headers [errors-without-headers]
  difference   GET /api/corsguard-audit-of-nothing from {PAGE}
               has no Access-Control-Allow-Origin; the policy sends
               {PAGE}.
  request      {CURL} -H 'Origin: {PAGE}' http://127.0.0.1/api/corsguard-audit-of-nothing
  response     status 404
               Vary: Origin
               no Access-Control-*
  impact       The page can't read why its request failed: it gets a network
               error.
  fix          Send the CORS headers with every response, whatever its status
               (nginx: `always`).
"""
    )


def test_text_groups_the_differences_of_one_cause(verify: Verify) -> None:
    code, out, _ = verify(change(without(*CORS)))
    assert code == 1
    assert out.startswith("http://127.0.0.1/: 1 finding in 54 requests\n")
    assert "\n  count        9 differences, at /api\n" in out
    assert "\n               and 7 more: --format json has them\n" in out
    assert out.count("\n  request ") == 2


def test_text_without_findings_names_the_paths(verify: Verify) -> None:
    code, out, err = verify(change(CASES["right"].layer), "--path", "/api", "--path", "/api/items")
    assert (code, err) == (0, "")
    assert (
        out
        == """\
http://127.0.0.1/: no findings in 59 requests
  policy       corsguard.toml
  compared     /api (52 requests)
               /api/items (7 requests)
"""
    )


def test_notes_do_not_fail(verify: Verify) -> None:
    code, out, _ = verify(change(CASES["200 to preflights"].layer))
    assert code == 0
    assert "note: A preflight has another status [preflight-status]" in out
    assert "the policy responds with 204." in out


def test_routes_without_cors_are_compared_too(verify: Verify) -> None:
    toml = f'{ONE}\n[routes]\n"/" = false\n'
    code, out, _ = verify(change(CASES["right"].layer, toml), toml=toml)
    assert code == 0
    assert "               / (6 requests)\n" in out


def test_service_that_is_down_is_unknown(verify: Verify) -> None:
    code, out, _ = verify(change(on_all(502)))
    assert code == 2
    assert (
        out
        == """\
http://127.0.0.1/: no findings in 52 requests
  policy       corsguard.toml
  compared     /api (52 requests)
  unknown      /api could not be compared wholly: the proxy does not reach the
               application (status 502).
"""
    )


def test_limit_of_requests_leaves_the_result_unknown(verify: Verify) -> None:
    code, out, _ = verify(change(CASES["right"].layer), "--requests", "9")
    assert code == 2
    assert "unknown      The check of /api did not finish: the limit of 9 requests is" in out


def test_limit_of_requests_keeps_what_was_found(verify: Verify) -> None:
    code, out, _ = verify(change(CASES["cache"].layer), "--requests", "9")
    assert code == 1
    assert "[origin-missing]" in out  # a further request would show the cache


def test_json_has_every_difference(verify: Verify) -> None:
    code, out, err = verify(change(CASES["errors"].layer), "--format", "json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    (found,) = document.pop("findings")
    assert document == {
        "url": "http://127.0.0.1/",
        "policy": "corsguard.toml",
        "requests": 53,
        "complete": True,
        "caveats": [],
        "compared": [{"path": "/api", "requests": 52}],
    }
    (difference,) = found.pop("differences")
    rule = RULES["errors-without-headers"]
    assert found == {
        "code": rule.code,
        "severity": "low",
        "title": rule.title,
        "paths": ["/api"],
        "impact": rule.impact,
        "fix": rule.fix,
    }
    missing = "http://127.0.0.1/api/corsguard-audit-of-nothing"
    assert difference == {
        "difference": "GET /api/corsguard-audit-of-nothing from https://app.example.com has no "
        "Access-Control-Allow-Origin; the policy sends https://app.example.com.",
        "method": "GET",
        "url": missing,
        "headers": [["Origin", PAGE]],
        "curl": f"{CURL} -H 'Origin: {PAGE}' {missing}",
        "answer": {"status": 404, "headers": [["Vary", "Origin"]]},
    }


def test_sarif_shares_the_catalogue_of_audits(verify: Verify) -> None:
    code, out, _ = verify(change(CASES["errors"].layer), "--format", "sarif")
    assert code == 1
    (run,) = json.loads(out)["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    (result,) = run["results"]
    assert result["ruleId"] == "errors-without-headers"
    assert "has no Access-Control-Allow-Origin" in result["message"]["text"]
    assert result["properties"]["policy"] == "corsguard.toml"
    assert "page" not in result["properties"]


def test_junit_has_a_case_for_each_path(verify: Verify) -> None:
    layer = on_path("/api/items", without(*CORS))
    code, out, _ = verify(
        change(layer), "--path", "/api", "--path", "/api/items", "--format", "junit"
    )
    assert code == 1
    suite = ET.fromstring(out)
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors")}
    assert counts == {"tests": "2", "failures": "1", "errors": "0"}
    right, wrong = suite
    assert (right.get("name"), len(right)) == ("/api", 0)
    assert wrong.get("name") == "/api/items"
    (failure,) = wrong
    assert failure.get("message", "").endswith("[headers-missing-on-path]")
    assert f"  {CURL} -H 'Origin: {PAGE}' http://127.0.0.1/api/items\n" in str(failure.text)


def test_junit_has_an_error_where_the_result_is_unknown(verify: Verify) -> None:
    code, out, _ = verify(change(on_all(502)), "--format", "junit")
    assert code == 2
    suite = ET.fromstring(out)
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")
    assert "could not be compared" in str(suite[-1][0].get("message"))


def test_unsafe_sends_the_methods_of_the_policy(verify: Verify) -> None:
    sent = []

    def layer(environ: WSGIEnvironment, status: int, headers: Fields) -> tuple[int, Fields]:
        sent.append(environ["REQUEST_METHOD"])
        return status, headers

    verify(change(layer))
    assert set(sent) == {"GET", "OPTIONS"}
    verify(change(layer), "--unsafe")
    assert {"PUT", "DELETE"} < set(sent)


def test_server_that_is_not_there_ends_with_one_line(corsguard: Command, tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(ONE, encoding="utf-8")
    with unserved() as port:
        done = corsguard("verify", str(file), f"http://127.0.0.1:{port}")
    assert done == (2, "", "corsguard: 127.0.0.1: connection refused\n")


def test_path_without_a_slash_ends_with_one_line(verify: Verify) -> None:
    done = verify(change(CASES["right"].layer), "--path", "api")
    assert (done.code, done.err) == (2, "corsguard: --path api does not start with /\n")


def test_url_that_is_none_ends_with_one_line(corsguard: Command, tmp_path: Path) -> None:
    done = corsguard("verify", "corsguard.toml", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("corsguard: ")


def test_ctrl_c_reports_what_was_found(verify: Verify) -> None:
    requests = []

    def interrupt(environ: object, status: int, headers: Fields) -> tuple[int, Fields]:
        requests.append(environ)
        if len(requests) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return status, []

    code, out, _ = verify(change(interrupt), "--format", "json")
    document = json.loads(out)
    assert (code, document["complete"]) == (130, False)
    assert document["findings"][0]["code"] == "headers-missing"
