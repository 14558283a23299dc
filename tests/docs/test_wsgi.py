"""docs/wsgi.md: each block runs, and a page gets what the application answers."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.audit.serving import wsgi
from support.doc_pages import Block, read_blocks
from support.doc_programs import read_commands, run_block

from corsguard.browser import Blocked, Browser, assert_cors

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

BLOCKS = read_blocks("wsgi")
PYTHON = [block for block in BLOCKS if block.language == "python"]
COMMANDS = read_commands("wsgi")
PAGE = "https://app.example.com"


def app_with(text: str) -> WSGIApplication:
    """Return the application of the first block that contains text."""
    block = next(block for block in PYTHON if text in block.code)
    app: WSGIApplication = run_block(block)["app"]
    return app


def service() -> Block:
    [block] = [block for block in PYTHON if block.file == "service.py"]
    return block


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    expected = {"python": 5, "sh": 3, "ini": 1}
    assert {each: languages.count(each) for each in languages} == expected


@pytest.mark.parametrize("text", ['b\'{"items"', "@bottle.get", "falcon.App()", "shop.route"])
def test_page_gets_the_items(text: str) -> None:
    response = assert_cors(app_with(text), page=PAGE, url="/items")
    assert not isinstance(response, Blocked)
    assert "pen" in response.text


def test_page_sends_json_with_its_cookies() -> None:
    assert_cors(
        app_with('b\'{"items"'),
        page=PAGE,
        url="/items",
        method="PUT",
        headers={"Content-Type": "application/json"},
        credentials="include",
        preflights=1,
    )


def test_path_without_a_policy_is_blocked() -> None:
    assert_cors(app_with("shop.route"), page=PAGE, url="/admin/items", blocked=True)


@pytest.mark.parametrize("text", ["@bottle.get", "falcon.App()", "catch_errors"])
def test_error_has_the_headers(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = next(block for block in PYTHON if text in block.code)
    names = run_block(block)

    def crash(*_: Any) -> Any:
        raise RuntimeError("a bug")

    if "bottle" in names:
        names["bottle"].route("/crash", callback=crash)
    if "falcon_app" in names:
        names["falcon_app"].add_route("/crash", type("Crash", (), {"on_get": crash})())
    response = Browser.on(names["app"], page=PAGE, url="https://api.example.com").fetch("/crash")
    assert response.status == 500


def test_gunicorn_and_uwsgi_load_the_service() -> None:
    [ini] = [block for block in BLOCKS if block.language == "ini"]
    parser = configparser.ConfigParser()
    parser.read_string(ini.code)
    assert parser["uwsgi"]["module"] == "service:app"
    assert shlex.split(COMMANDS[0])[:2] == ["gunicorn", "service:app"]


def test_gunicorn_starts_with_the_options(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(service().code, encoding="utf-8")
    program, *words = shlex.split(COMMANDS[0])
    run = subprocess.run(
        [sys.executable, "-m", program, "--check-config", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(service().code, encoding="utf-8")
    with wsgi(app_with('b\'{"items"')) as url:
        _, *words = shlex.split(command.replace("http://localhost:8000/items", url))
        run = subprocess.run(
            [sys.executable, "-m", "corsguard", *words],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
        )
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"^Allowed|no problems", run.stdout, re.MULTILINE)
