"""README.md: every code block runs, and the tables are complete."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.audit.serving import wsgi
from support.cli_service import service
from werkzeug.test import Client

from corsguard import Guard, Policy, Reason
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TOML = next(text for language, text in BLOCKS if language == "toml")

# What the command of a block prints is the block that follows it.
OUTPUTS = {
    command: output
    for (kind, command), (other, output) in pairwise(BLOCKS)
    if (kind, other) == ("sh", "text") and f"{command}```\n\n```text\n{output}" in README
}

# These two make environments of their own: .ci/run runs the one, tests/install the other.
COMMANDS_RUN_ELSEWHERE = {"tox": ROOT / ".ci/run", "demo": ROOT / "tests/install/test_install.py"}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh", "text", "toml"}
    assert README.count("```") == 2 * len(BLOCKS)


def run(code: str) -> dict[str, Any]:
    """Run a block of Python, and return the names that it defines."""
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    return names


@pytest.mark.parametrize("code", blocks("python"))
def test_python_block_runs(code: str) -> None:
    run(code)


def block_with(text: str) -> str:
    """Return the first Python block that contains text."""
    return next(code for code in blocks("python") if text in code)


PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
DJANGO = """
import django, json, sys
from django.conf import settings
{block}
settings.configure(
    INSTALLED_APPS=INSTALLED_APPS, MIDDLEWARE=MIDDLEWARE, CORSGUARD=CORSGUARD,
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
)
urlpatterns = []
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check", "--fail-level", "WARNING", stdout=sys.stderr)
answer = Client().options("/items/1", headers={headers!r})
print(json.dumps([answer.status_code, dict(answer.headers)]))
"""


def answered_by_wsgi(app: WSGIApplication) -> tuple[int, Mapping[str, str]]:
    answer = Client(app).options("/items/1", headers=PREFLIGHT)
    return answer.status_code, dict(answer.headers)


def answered_by_asgi(app: Any) -> tuple[int, Mapping[str, str]]:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.options("/items/1", headers=PREFLIGHT)

    answer = asyncio.run(ask())
    return answer.status_code, answer.headers


def answered_by_django(settings: str) -> tuple[int, Mapping[str, str]]:
    script = DJANGO.format(block=settings, headers=PREFLIGHT)
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    status, headers = json.loads(answer.stdout)
    return status, headers


def test_block_of_each_framework_answers_a_preflight() -> None:
    answers = [
        answered_by_wsgi(run(block_with("corsguard_wsgi"))["app"]),
        answered_by_wsgi(run(block_with("corsguard_flask"))["app"]),
        answered_by_asgi(run(block_with("corsguard_starlette"))["app"]),
        answered_by_django(block_with("corsguard_django")),
    ]
    for status, headers in answers:
        assert status == 204
        assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert "PUT" in headers["Access-Control-Allow-Methods"]


def test_configuration_file_starts() -> None:
    guard = Guard.from_mapping(tomllib.loads(TOML))
    assert guard.policy_for("/api/items") is not None
    assert guard.policy_for("/api/internal") is None
    assert guard.enforce is True


@pytest.mark.parametrize("command", blocks("sh"))
def test_command_prints_what_readme_shows(command: str, tmp_path: Path) -> None:
    words = shlex.split(command.replace("\\\n", ""))
    if words[0] == "python3":
        where = COMMANDS_RUN_ELSEWHERE[words[-1].rpartition("/")[2]]
        assert "README.md" in where.read_text(encoding="utf-8")
        return
    (tmp_path / "corsguard.toml").write_text(TOML, encoding="utf-8")
    app = CORSMiddleware(service, Policy(allow_origins=["http://localhost:3000"]))
    with wsgi(app) as url:
        words = [word.replace("http://localhost:8000/items", url) for word in words]
        program = Path(sys.executable).with_name(words[0])
        run = subprocess.run(
            [program, *words[1:]],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
        )
    blocked = "\nBlocked: " in OUTPUTS.get(command, "")
    assert (run.returncode, run.stderr) == (int(blocked), "")
    assert run.stdout == OUTPUTS.get(command, run.stdout)


def test_log_lines_are_those_of_the_guard(caplog: pytest.LogCaptureFixture) -> None:
    [lines] = set(blocks("text")) - set(OUTPUTS.values())
    page = "https://app.example.com"
    guard = Guard(Policy(allow_origins=[page], allow_methods=["PUT"]))
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-trace"}
    with caplog.at_level(logging.WARNING, logger="corsguard"):
        guard.decide("/items/1", "http://app.example.com", "OPTIONS", asked)
        guard.decide("/items/1", page, "OPTIONS", asked)
    assert "\n".join(caplog.messages) + "\n" == lines


def test_table_of_reasons_has_every_refusal() -> None:
    for reason in Reason:
        assert (f"\n| `{reason}` |" in README) is reason.refusal


def test_table_of_problems_has_every_code() -> None:
    core = ROOT / "corsguard"
    sources = [
        *core.glob("*.py"),
        *(core / "policy").rglob("*.py"),
        *(core / "guard").rglob("*.py"),
    ]
    codes = set()
    for source in sources:
        text = source.read_text(encoding="utf-8")
        codes |= set(re.findall(r'(?:Problem|add)\(\s*"([a-z-]+)",', text))
    warned = {
        "authorization-not-covered",
        "max-age-capped",
        "method-not-routed",
        "regex-matches-nothing",
        "route-method-not-allowed",
    }
    table = set(re.findall(r"`([a-z-]+)`", README.partition("| code |")[2].partition("Those")[0]))
    assert "origin-invalid" in codes
    assert codes - warned <= table
