"""Every planted fault is found, and nothing else; and nothing where nothing is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_cors import CORS
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from support.audit.auditing import list_codes, run_checks_at
from support.audit.broken import (
    FAULTS,
    PAGE,
    SOUND,
    Api,
    BareLogin,
    LoginFirst,
    LoginPage,
    PostOnly,
    matching,
)
from support.audit.serving import asgi, wsgi
from support.servers.example import ROOT, example

from corsguard.cli.audit.audit_rules import AUDIT_RULES
from corsguard.cli.audit.rule import Severity

FRONTEND = "http://localhost:3000"  # the page of the examples


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_the_only_finding(fault: str) -> None:
    app, expected = FAULTS[fault]
    with wsgi(app) as url:
        assert list_codes(run_checks_at(url, PAGE)) == sorted(expected)


def test_faults_cover_the_catalogue() -> None:
    planted: set[str] = set().union(*(expected for _, expected in FAULTS.values()))
    assert planted == set(AUDIT_RULES)


@pytest.mark.parametrize("server", SOUND)
def test_correct_server_has_no_findings(server: str) -> None:
    with wsgi(SOUND[server]) as url:
        assert list_codes(run_checks_at(url, PAGE)) == []


@pytest.mark.parametrize(
    ("page", "pattern", "expected"),
    [
        ("http://localhost:3000", "http://localhost", ["prefix-match"]),
        ("http://localhost:3000", r"http://localhost(:\d+)?$", ["any-port"]),
        ("http://localhost:3000", r"http://localhost:3000$", []),
        ("http://127.0.0.1:3000", "http://127.0.0.1", ["prefix-match"]),
        ("http://127.0.0.1:3000", r"http://127.0.0.1:3000$", []),
        ("http://[::1]:3000", r"http://\[::1\](:\d+)?$", ["any-port"]),
        ("https://example.com", r"https://(.*\.)?example\.com$", []),
        ("https://example.com", r"https://.*example\.com$", ["suffix-match"]),
        ("https://a.b.example.com", r"https://a.b\.example\.com$", []),
        ("https://app.example.co.uk", r"https://app\.example.co.uk$", ["unescaped-dot"]),
        ("https://app.example.co.uk", r".*\.uk$", ["reflected-with-credentials"]),
        ("https://app.example.com:8443", r"https?://app\.example\.com:8443$", ["scheme-downgrade"]),
        ("app://main", "app://main$", []),
        ("null", "null$", ["null-allowed"]),
    ],
)
def test_origin_probes_match_the_kind_of_page(page: str, pattern: str, expected: list[str]) -> None:
    with wsgi(Api(matching(pattern))) as url:
        assert list_codes(run_checks_at(url, page)) == expected


def test_finding_with_credentials_is_more_severe() -> None:
    severities = {}
    for fault in ("reflects", "reflects, credentials", "prefix", "port"):
        with wsgi(FAULTS[fault][0]) as url:
            severities[fault] = [found.severity for found in run_checks_at(url, PAGE).findings]
    assert severities == {
        "reflects": [Severity.MEDIUM],
        "reflects, credentials": [Severity.HIGH],
        "prefix": [Severity.HIGH],
        "port": [Severity.LOW],
    }


def test_findings_are_sorted_by_severity() -> None:
    with wsgi(FAULTS["two at once"][0]) as url:
        found = run_checks_at(url, PAGE).findings
    assert [one.rule.code for one in found] == ["unescaped-dot", "scheme-downgrade", "any-port"]


def test_missing_vary_has_two_requests_as_evidence() -> None:
    with wsgi(FAULTS["no Vary"][0]) as url:
        (found,) = run_checks_at(url, PAGE).findings
    first, second = found.evidence
    assert (first.origin, first.lines("Access-Control-Allow-Origin")) == (PAGE, (PAGE,))
    assert (second.origin, second.policy) == ("https://untrusted.example", ())


LOGGED_IN = (("Authorization", "Bearer secret"), ("Cookie", "secret=1"), ("Accept", "text/plain"))


@pytest.mark.parametrize("app", [LoginFirst(), LoginPage(), PostOnly()])
def test_preflight_that_a_login_allows_is_a_finding(app: Api) -> None:
    with wsgi(app) as url:
        done = run_checks_at(url, PAGE, LOGGED_IN)
    assert list_codes(done) == ["preflight-authenticated"]
    assert "secret" not in repr(done)
    assert dict(done.findings[0].evidence[0].sent.headers) == {
        "Origin": PAGE,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }


def test_login_page_alone_is_a_caveat() -> None:
    with wsgi(LoginPage()) as url:
        done = run_checks_at(url, PAGE)
    assert list_codes(done) == []
    assert done.caveats == (
        "The URL redirects to /login, which was not audited.",
        f"{PAGE} is not allowed here, so tests with similar origins show nothing.",
    )


def test_login_without_effect_is_not_a_finding() -> None:
    class Firewalled(LoginFirst):
        def is_known(self, environ: object) -> bool:
            return False

        answer = "403 Forbidden"

    with wsgi(Firewalled()) as url:
        assert list_codes(run_checks_at(url, PAGE, LOGGED_IN)) == []


def test_query_of_the_url_is_sent() -> None:
    with wsgi(BareLogin()) as url:
        (found,) = run_checks_at(f"{url}?page=2", PAGE).findings
    assert found.evidence[0].sent.url == f"{url}?page=2"


def flask(**options: Any) -> Flask:
    app = Flask(__name__)
    CORS(app, **options)
    app.add_url_rule("/v1/items", view_func=lambda: "items", endpoint="items")
    return app


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"supports_credentials": True}, ["reflected-with-credentials", "vary-missing"]),
        ({}, ["origin-reflected", "vary-missing"]),
        (
            {"origins": r"https://app\.example\.com", "supports_credentials": True},
            ["prefix-match", "vary-missing"],
        ),
        ({"origins": r"https://app.example\.com$"}, ["unescaped-dot", "vary-missing"]),
        ({"origins": [PAGE]}, ["vary-missing"]),
    ],
)
def test_flask_cors_with_dangerous_settings_is_found(
    options: dict[str, Any], expected: list[str]
) -> None:
    with wsgi(flask(**options)) as url:
        assert list_codes(run_checks_at(url, PAGE)) == expected


@contextmanager
def django(settings: dict[str, object]) -> Iterator[str]:
    """In a process of its own: Django's settings are made once in each."""
    script = Path(__file__).parents[2] / "support/audit/django_server.py"
    with subprocess.Popen(
        [sys.executable, str(script), json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="ascii",
    ) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1/items"
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_CREDENTIALS": True},
            ["reflected-with-credentials"],
        ),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [r"https://app\.example\.com"]}, ["prefix-match"]),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [r"https://app.example\.com$"]}, ["unescaped-dot"]),
        ({"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ALLOW_CREDENTIALS": True}, []),
    ],
)
def test_django_cors_headers_with_dangers_is_found(
    settings: dict[str, object], expected: list[str]
) -> None:
    with django(settings) as url:
        assert list_codes(run_checks_at(url, PAGE)) == expected


def items(request: Request) -> PlainTextResponse:
    return PlainTextResponse("items")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"allow_origins": ["*"], "allow_credentials": True},
            ["reflected-with-credentials"],
        ),
        (
            {"allow_origin_regex": r"https://app.example\.com"},
            ["policy-leaked", "unescaped-dot"],
        ),
        ({"allow_origins": [PAGE], "allow_credentials": True}, ["policy-leaked"]),
        ({"allow_origins": ["*"]}, []),
    ],
)
def test_starlette_with_dangerous_settings_is_found(
    options: dict[str, Any], expected: list[str]
) -> None:
    app = CORSMiddleware(Starlette(routes=[Route("/v1/items", items)]), **options)
    with asgi(app) as url:
        assert list_codes(run_checks_at(url, PAGE)) == expected


@pytest.fixture(scope="module")
def examples() -> Iterator[Callable[[str], str]]:
    """The URL of an example, each started once."""
    with ExitStack() as stack:
        started: dict[str, str] = {}

        def url(name: str) -> str:
            if name not in started:
                started[name] = stack.enter_context(example(name))
            return started[name]

        yield url


FULL = ["/api/items", "/api/items.csv", "/api/items/1", "/api/failure", "/public/items", "/nothing"]


EXAMPLES = {
    "bottle_app.py": ["/greetings/en", "/greetings/tlh"],
    "django_app.py": FULL,
    "fastapi_app.py": [*FULL, "/public/count", "/docs"],
    "flask_app.py": FULL,
    "wsgi_app.py": FULL,
}


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, paths in EXAMPLES.items() for path in paths]
)
@pytest.mark.slow
def test_example_has_no_findings(examples: Callable[[str], str], name: str, path: str) -> None:
    done = run_checks_at(examples(name) + path, FRONTEND)
    assert list_codes(done) == []
    if path in {"/greetings/en", "/api/items"}:  # the page is allowed there
        assert done.caveats == ()


def test_examples_are_all_audited() -> None:
    assert {file.name for file in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)
