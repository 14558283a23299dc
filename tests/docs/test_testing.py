"""docs/testing.md: every block of it runs, and shows what is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from corsguard import CORSRequest, Decision, Guard, Policy, Reason
from corsguard.browser import Blocked, BlockReason, Browser, Cookie, assert_cors
from corsguard_wsgi import CORSMiddleware

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS)
def test_blocks_run(code: str, caplog: pytest.LogCaptureFixture) -> None:
    exec(compile(code, "testing.md", "exec"), {"__name__": "docs"})


def test_the_tests_for_pytest_pass(tmp_path: Path) -> None:
    [module] = [code for code in BLOCKS if "def test_" in code]
    (tmp_path / "test_page.py").write_text(module, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "4 passed" in run.stdout, run.stdout


def test_the_failure_reads_as_shown() -> None:
    [shown] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    def service(environ: object, start_response: object) -> list[bytes]:
        return []

    app = CORSMiddleware(
        service, Policy(allow_origins=["https://app.example.com"], allow_methods=["PUT"])
    )
    assert '`assert_cors(app, page="https://app.example.com", method="PATCH")`' in PAGE
    with pytest.raises(AssertionError) as failure:
        assert_cors(app, page="https://app.example.com", method="PATCH")
    assert f"AssertionError: {failure.value}\n" == shown


def table(heading: str) -> list[list[str]]:
    """The cells of the rows below a heading."""
    rows = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.strip("| ").split(" | ") for row in rows]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_every_argument_of_assert_cors_is_told() -> None:
    told = [name for row in table("argument") for name in names(row[0])]
    own = signature(assert_cors).parameters.keys() - {"app", "page", "request"}
    assert set(told) == own | signature(Browser.fetch).parameters.keys() - {"self"}


def test_every_reason_of_a_browser_is_told_once() -> None:
    told = [name for row in table("the browser's reason") for name in names(row[0])]
    assert sorted(told) == sorted(BlockReason)


COOKIE = Cookie("session", "1", "testserver", secure=True, same_site="None")
POLICY = Policy(allow_origins=["https://app.example.com"])


def judged(policy: Policy, *, enforce: bool = False, **asked: Any) -> set[tuple[str, str]]:
    """The reason of the browser for a request, with each reason that the server tells for it."""

    def service(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    def hear(decision: Decision, facts: CORSRequest) -> None:
        if not decision.allowed:
            told.append(decision.reason)

    told: list[Reason] = []
    guard = Guard(policy, enforce=enforce)
    guard.subscribe(hear)
    page = asked.pop("page", "https://app.example.com")
    outcome = assert_cors(CORSMiddleware(service, guard), page=page, blocked=True, **asked)
    assert isinstance(outcome, Blocked)
    return {(outcome.reason.value, reason.value) for reason in told}


def test_the_reasons_of_the_server_are_those_that_it_tells() -> None:
    evil, public = "https://evil.example", Policy(allow_origins=["*"])
    credentials: dict[str, Any] = {"credentials": "include", "cookies": [COOKIE]}
    seen = {
        *judged(POLICY, page=evil),
        *judged(POLICY, page=evil, method="PUT"),
        *judged(POLICY, page=evil, method="POST", enforce=True),
        *judged(POLICY, method="PUT"),
        *judged(POLICY, headers={"X-Trace": "1"}),
        *judged(POLICY, **credentials),
        *judged(POLICY, method="POST", enforce=True, **credentials),
        *judged(public, **credentials),
    }
    assert not judged(POLICY, credentials="include")
    assert not judged(public, credentials="include")
    assert not judged(POLICY, method="POST", body="1", upload_listener=True, **credentials)
    assert seen == {
        (browser, server)
        for row in table("the browser's reason")
        for browser in names(row[0])
        for server in names(row[2] if len(row) > 2 else "")
    }
    # No browser sends an origin that is invalid.
    assert {server for _, server in seen} == {
        reason.value for reason in Reason if reason.refusal and reason is not Reason.ORIGIN_INVALID
    }
