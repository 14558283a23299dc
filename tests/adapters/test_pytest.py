"""The pytest plugin in a project that has corsguard installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corsguard.browser import Blocked, Browser, Response

APPLICATION = """
from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

def service(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Total", "3")])
    return [b"hello"]

app = CORSMiddleware(
    service,
    Policy(allow_origins=["https://app.example.com"], allow_methods=["PUT"]),
)
"""
PAGE = 'page="https://app.example.com"'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "application.py").write_text(APPLICATION)
    return tmp_path


def run(project: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `pytest` on a module with one test."""
    (project / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)


def test_cors_browser_fetches_from_the_application(project: Path) -> None:
    done = run(
        project,
        f"""
from application import app

def test_it(cors_browser):
    browser = cors_browser(app, {PAGE})
    assert browser.fetch("/items/1", method="PUT").status == 200
    assert browser.preflights == 1
""",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_assert_cors_fixture_returns_the_response(project: Path) -> None:
    done = run(
        project,
        f"""
from application import app

def test_it(assert_cors):
    response = assert_cors(app, {PAGE}, method="PUT", preflights=1)
    assert response.text == "hello"
""",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_assert_cors_failure_names_cause_and_fix(project: Path) -> None:
    done = run(
        project,
        f"""
from application import app

def test_it(assert_cors):
    assert_cors(app, {PAGE}, url="https://api.example.com/items/1", method="PATCH")
""",
    )
    assert done.returncode == 1
    assert (
        "E       AssertionError: a script on https://app.example.com fetched PATCH "
        "https://api.example.com/items/1, and it was blocked\n"
    ) in done.stdout
    assert "METHOD_NOT_ALLOWED: PATCH is not in Access-Control-Allow-Methods\n" in done.stdout
    assert "fix:     add PATCH to Access-Control-Allow-Methods" in done.stdout
    assert "OPTIONS https://api.example.com/items/1\n" in done.stdout
    assert "Access-Control-Allow-Methods: GET, HEAD, POST, PUT\n" in done.stdout
    assert "asserting.py" not in done.stdout, "the failure points into the test"


def test_blocked_fetch_points_into_the_test(project: Path) -> None:
    done = run(
        project,
        f"""
from application import app

def test_it(cors_browser):
    cors_browser(app, {PAGE}).fetch("/items/1", method="PATCH")
""",
    )
    assert done.returncode == 1
    assert "Blocked: METHOD_NOT_ALLOWED: PATCH is not in Access-Control-Allow-" in done.stdout
    assert "test_it.py:5: Blocked" in done.stdout
    assert "browser.py" not in done.stdout


def test_run_without_fixture_imports_no_corsguard(project: Path) -> None:
    done = run(
        project,
        """
import sys

def test_it():
    assert "corsguard_pytest" in sys.modules
    assert not [name for name in sys.modules if name.partition(".")[0] == "corsguard"]
""",
    )
    assert done.returncode == 0, done.stdout


def test_fixtures_wrap_the_browser_functions(
    cors_browser: Callable[..., Browser], assert_cors: Callable[..., Response | Blocked]
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Access-Control-Allow-Origin", "*")])
        return [b"hello"]

    assert cors_browser(app, page="https://app.example.com").fetch("/").text == "hello"
    assert_cors(app, page="https://app.example.com", preflights=0)
