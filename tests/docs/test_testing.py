"""docs/testing.md: every block runs, and prints what the page shows."""

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
def test_python_block_runs(code: str, caplog: pytest.LogCaptureFixture) -> None:
    exec(compile(code, "testing.md", "exec"), {"__name__": "docs"})


def test_pytest_block_passes(tmp_path: Path) -> None:
    [module] = [code for code in BLOCKS if "def test_" in code]
    (tmp_path / "test_page.py").write_text(module, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "4 passed" in run.stdout, run.stdout


def test_failure_reads_as_shown() -> None:
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
    """Return the cells of the table whose first heading is `heading`, row by row."""
    rows = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.strip("| ").split(" | ") for row in rows]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_table_has_every_argument_of_assert_cors() -> None:
    listed = [name for row in table("argument") for name in names(row[0])]
    own = signature(assert_cors).parameters.keys() - {"app", "page", "request"}
    assert set(listed) == own | signature(Browser.fetch).parameters.keys() - {"self"}


def test_table_has_every_block_reason_once() -> None:
    listed = [name for row in table("the browser's reason") for name in names(row[0])]
    assert sorted(listed) == sorted(BlockReason)


COOKIE = Cookie("session", "1", "testserver", secure=True, same_site="None")
POLICY = Policy(allow_origins=["https://app.example.com"])


def find_reasons(policy: Policy, *, enforce: bool = False, **asked: Any) -> set[tuple[str, str]]:
    """Return the browser's reason for blocking a request, with each reason of the guard."""

    def service(environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    def note(decision: Decision, request: CORSRequest) -> None:
        if not decision.allowed:
            reported.append(decision.reason)

    reported: list[Reason] = []
    guard = Guard(policy, enforce=enforce)
    guard.subscribe(note)
    page = asked.pop("page", "https://app.example.com")
    outcome = assert_cors(CORSMiddleware(service, guard), page=page, blocked=True, **asked)
    assert isinstance(outcome, Blocked)
    return {(outcome.reason.value, reason.value) for reason in reported}


def test_table_has_the_reasons_that_the_guard_reports() -> None:
    evil, public = "https://evil.example", Policy(allow_origins=["*"])
    credentials: dict[str, Any] = {"credentials": "include", "cookies": [COOKIE]}
    seen = {
        *find_reasons(POLICY, page=evil),
        *find_reasons(POLICY, page=evil, method="PUT"),
        *find_reasons(POLICY, page=evil, method="POST", enforce=True),
        *find_reasons(POLICY, method="PUT"),
        *find_reasons(POLICY, headers={"X-Trace": "1"}),
        *find_reasons(POLICY, **credentials),
        *find_reasons(POLICY, method="POST", enforce=True, **credentials),
        *find_reasons(public, **credentials),
    }
    assert not find_reasons(POLICY, credentials="include")
    assert not find_reasons(public, credentials="include")
    assert not find_reasons(POLICY, method="POST", body="1", upload_listener=True, **credentials)
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
