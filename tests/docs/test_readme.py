"""README.md: 150 lines, whose blocks run, whose links lead somewhere, and whose picture is true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from support.audit.serving import asgi, wsgi
from support.doc_pages import DOCS, Block, read_blocks, read_page
from support.doc_programs import read_commands, run_block
from tools.pictures import COMMAND, PICTURE, read_text, run_command

from corsguard.browser import Blocked, assert_cors

ROOT = DOCS.parent
README = read_page("../README")
BLOCKS = read_blocks("../README")
COMMANDS = read_commands("../README")
PAGE = "http://localhost:3000"

RUN_ELSEWHERE = {
    "tox": ".ci/run",
    "demo": "tests/install/test_install.py",
    "activate": "tests/install/test_install.py",
    "./corsguard[flask]": "tests/install/test_install.py",
}
"""The last word of a command that makes an environment -> what runs it."""


def find_block(text: str) -> Block:
    """Return the block of Python that contains text."""
    [block] = [block for block in BLOCKS if block.language == "python" and text in block.code]
    return block


def application(environ: Any, start_response: Any) -> list[bytes]:
    """Answer every request, as the WSGI application that a reader has."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"items": ["pen"]}']


def load_app(package: str) -> Any:
    """Return the application of the block that imports a package."""
    return run_block(find_block(package), app=application)["app"]


def test_readme_fits_on_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    assert {each: languages.count(each) for each in languages} == {"python": 4, "sh": 3}
    assert README.count("```") == 2 * len(BLOCKS)


def test_first_sentences_and_reasons_come_before_all_else() -> None:
    title, first, *_ = README.split("\n\n")
    assert title == "# corsguard"
    assert len(re.findall(r"\.(?=\s|$)", first)) == 2
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert headings[:3] == ["Why switch", "Try it", "Install it"]


def test_each_reason_links_to_where_it_is_shown() -> None:
    reasons = README.partition("## Why switch\n\n")[2].partition("\n\n<!-- made")[0]
    bullets = reasons.split("\n* ")
    assert len(bullets) == 5
    assert all("](" in bullet for bullet in bullets)


def test_block_of_the_benchmark_has_four_lines_at_most() -> None:
    block = README.partition("<!-- made by `tox -e bench` -->\n")[2].partition("<!-- end -->")[0]
    assert 1 <= block.count("\n") <= 3
    assert "(docs/benchmarks.md)" in block


@pytest.mark.parametrize("package", ["corsguard_flask", "corsguard_starlette", "corsguard_wsgi"])
def test_page_sends_json_and_reads_the_response(package: str) -> None:
    response = assert_cors(
        load_app(package),
        page=PAGE,
        url="/items",
        headers={"Content-Type": "application/json"},
        preflights=1,
    )
    assert not isinstance(response, Blocked)
    assert response.json() == {"items": ["pen"]}
    assert_cors(load_app(package), page="http://localhost:5173", url="/items", blocked=True)


DJANGO = """
from corsguard.browser import assert_cors
from mysite.wsgi import application

for method in ("GET", "POST", "PUT"):
    assert_cors(
        application,
        page="http://localhost:3000",
        url="http://localhost:8000/items",
        method=method,
        headers={"Content-Type": "application/json"},
        preflights=1,
    )
assert_cors(application, page="http://localhost:5173", url="http://localhost:8000/", blocked=True)
"""


def test_django_block_belongs_at_the_end_of_new_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)  # manage.py imports from its own folder

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "django", "startproject", "mysite", ".")
    with (tmp_path / "mysite/settings.py").open("a", encoding="utf-8") as settings:
        settings.write(find_block("corsguard_django").code)
    run("manage.py", "check", "--fail-level", "WARNING")
    assert "python manage.py corsguard check" in README
    run("manage.py", "corsguard", "check")
    run("-c", DJANGO)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("package", ["corsguard_flask", "corsguard_starlette", "corsguard_wsgi"])
def test_command_says_that_the_page_may_read(command: str, package: str) -> None:
    last = shlex.split(command, comments=True)[-1].rpartition(".venv/bin/")[2]
    if last in RUN_ELSEWHERE:
        assert "README" in (ROOT / RUN_ELSEWHERE[last]).read_text(encoding="utf-8")
        return
    serve = asgi if package == "corsguard_starlette" else wsgi
    with serve(load_app(package)) as url:
        _, *words = shlex.split(command.replace("http://localhost:8000/items", url))
        run = subprocess.run(
            [sys.executable, "-m", "corsguard", *words],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"^(Allowed: the script gets|The preflight passes)", run.stdout, re.MULTILINE)


def test_check_finds_no_problem_in_the_application(tmp_path: Path) -> None:
    block = find_block("corsguard_flask")
    assert block.file == "app.py"
    (tmp_path / block.file).write_text(block.code, encoding="utf-8")
    [command] = re.findall(r"`(corsguard check --app \S+)`", README)
    _, *words = shlex.split(command)
    run = subprocess.run(
        [sys.executable, "-m", "corsguard", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.stdout.startswith("app:app: no problems\n")
    assert "warning" not in run.stdout


def test_picture_is_what_the_command_prints() -> None:
    assert f"`{COMMAND}`" in README
    printed = re.sub(r"\x1b\[[\d;]*m", "", run_command())
    shown = read_text(PICTURE.read_text(encoding="utf-8"))
    assert shown == [line.rstrip() for line in printed.rstrip().splitlines()], (
        "run `python -m tools.pictures` in tests"
    )


def test_picture_loads_nothing_and_has_a_background() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    assert not re.search(r"@font-face|@import|href=|src=|url\((?!#)", text)
    root = ET.fromstring(text)
    assert next(each.get("width") for each in root.iter() if each.tag.endswith("rect")) == "100%"
    assert re.search(r"!\[[^]]{80,}\]\(docs/images/explain\.svg\)", README)


def list_anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)\s]+)\)", README))))
def test_link_leads_to_a_file_and_a_heading(link: str) -> None:
    name, _, anchor = link.partition("#")
    path = ROOT / (name or "README.md")
    assert path.exists()
    if anchor:
        assert anchor in list_anchors(path.read_text(encoding="utf-8"))
