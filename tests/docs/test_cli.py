"""docs/cli.md: every command is there with its help, and every example runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from support.audit.serving import wsgi
from support.cli_service import service
from support.doc_pages import DOCS, read_blocks, read_page
from tools.command_help import refresh

from corsguard import Policy
from corsguard.cli.commands import group
from corsguard_wsgi import CORSMiddleware

PAGE = read_page("cli")
BLOCKS = read_blocks("cli")
COMMANDS = [block.code for block in BLOCKS if block.language == "sh"]
RUN_ELSEWHERE = {"corsguard demo\n": "tests/install/test_install.py"}
POLICY = """\
[routes."/api"]
allow_origins = ["https://app.example.com", "https://*.partner.example"]
allow_credentials = true
allow_methods = ["PUT", "PATCH", "DELETE"]
allow_headers = ["Content-Type", "Authorization"]
"""
MAIN = """\
from corsguard_flask import CORSGuard
from flask import Flask

app = Flask(__name__)
app.add_url_rule("/items", view_func=lambda: "items", endpoint="items")
CORSGuard(app, allow_origins=["https://app.example.com"])
"""
OLD = """\
from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
app.add_url_rule("/items", view_func=lambda: "items", endpoint="items")
CORS(app, origins=["https://app.example.com"])
"""
SHADOW = (
    "shadow: would-allow origin=https://a.example route=/api kind=request method=GET cookies=no"
    " count=1 reason=ALLOWED process=4711-5f3a0c\n"
)
BLOCKED = {"explain", "verify"}
"""The commands whose example shows that something is wrong."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("cli")
    files = {"corsguard.toml": POLICY, "main.py": MAIN, "old.py": OLD, "shadow.log": SHADOW}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    run("corsguard publish corsguard.toml sqlite:///policies.db --yes", folder)
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(command.replace("\\\n", ""))
    assert program == "corsguard"
    return subprocess.run(
        [sys.executable, "-m", "corsguard", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    assert set(languages) == {"sh", "text"}
    assert languages.count("text") == len(group.commands) + 2  # `corsguard` alone, one example


def test_every_command_has_a_section_and_a_row() -> None:
    assert re.findall(r"^## (\S+)$", PAGE, re.MULTILINE) == sorted(group.commands)
    assert re.findall(r"^\| \[`(\S+)`\]\(#\S+\) \|", PAGE, re.MULTILINE) == sorted(group.commands)
    shown = [shlex.split(command)[1] for command in COMMANDS]
    assert set(shown) == set(group.commands)


def test_help_is_what_each_command_prints() -> None:
    assert refresh(PAGE) == PAGE
    assert PAGE.count("\nUsage: corsguard") == len(group.commands) + 1


def test_row_says_when_a_command_exits_with_1() -> None:
    rows = dict(re.findall(r"^\| \[`(\S+)`\]\S+ \| .+ \| (.*?) ?\|$", PAGE, re.MULTILINE))
    for name, command in group.commands.items():
        help_text = " ".join((command.help or "").split())
        assert bool(rows[name]) is (" 1 if " in help_text or "Exits as" in help_text), name


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in RUN_ELSEWHERE])
def test_example_runs(command: str, folder: Path) -> None:
    app = CORSMiddleware(service, Policy(allow_origins=["http://localhost:3000"]))
    with wsgi(app) as url:
        local = command.replace("http://localhost:8000/items", url)
        local = local.replace("http://localhost:8000", url.removesuffix("/v1/items"))
        finished = run(local, folder)
    is_blocked = shlex.split(command)[1] in BLOCKED
    assert finished.returncode == int(is_blocked), finished.stderr
    assert finished.stdout


@pytest.mark.parametrize("command", RUN_ELSEWHERE)
def test_other_example_runs_elsewhere(command: str) -> None:
    name = command.strip().removeprefix("corsguard")
    assert name in (DOCS.parent / RUN_ELSEWHERE[command]).read_text(encoding="utf-8")


def test_diagram_is_what_explain_prints(folder: Path) -> None:
    examples = [
        (before.code, after.code)
        for before, after in pairwise(BLOCKS)
        if before.language == "sh" and after.language == "text"
        if f"{before.code}```\n\n```text\n{after.code}" in PAGE
        if not after.code.startswith("Usage:")
    ]
    [(command, output)] = examples
    assert run(command, folder).stdout == output
