"""docs/ci.md: the files are valid, each of their commands runs, and ends as the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from support.audit.serving import unserved
from support.doc_pages import Block, read_blocks, read_page
from support.servers.threaded import by_werkzeug, serving
from support.verify.small_servers import CASES, change

from corsguard.cli.audit.catalogue import RULES

ROOT = Path(__file__).parents[2]
BLOCKS = read_blocks("ci")
FILES = {block.file or block.language: block for block in BLOCKS if block.language != "sh"}
POLICY = """
allow_origins = ["https://app.example.com"]
allow_methods = ["PUT"]
"""
APPLICATION = """
from flask import Flask

from corsguard import Guard
from corsguard_flask import CORSGuard

app = Flask(__name__)
CORSGuard(app, Guard.from_file("corsguard.toml"))


@app.put("/items/<int:item>")
def change(item):
    return {"id": item}
"""
PROGRAMS = {"corsguard": "-m corsguard", "pip": "-m pip", "python": ""}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project with the files that the page names, and a PATH with the programs."""
    for name, module in PROGRAMS.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', "utf-8")
        program.chmod(0o755)
    (tmp_path / "corsguard.toml").write_text(POLICY, "utf-8")
    (tmp_path / "main.py").write_text(APPLICATION, "utf-8")
    (tmp_path / "requirements.txt").write_text("# installed already\n", "utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_cors.py").write_text(FILES["tests/test_cors.py"].code, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return tmp_path


def run(line: str, project: Path, api: str = "") -> int:
    """Run a line as a runner of GitHub does, and return the exit code."""
    environment = {**os.environ, "API": api, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    ended = subprocess.run(["bash", "-ec", line], cwd=project, env=environment, check=False)
    return ended.returncode


@pytest.fixture
def api(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the application, which is served."""
    monkeypatch.chdir(project)
    names: dict[str, Any] = {"__name__": "main"}
    exec(APPLICATION, names)
    with serving(by_werkzeug, names["app"]) as url:
        yield url


def list_lines(block: Block) -> list[str]:
    """Return the commands of a file of a CI system or of Docker."""
    if block.language == "dockerfile":
        return re.findall(r"^RUN (.*)$", block.code, re.MULTILINE)
    parsed = yaml.safe_load(block.code)
    if "jobs" in parsed:
        steps = [step for job in parsed["jobs"].values() for step in job["steps"]]
        return [step["run"] for step in steps if "run" in step]
    return [*parsed["cors"]["before_script"], *parsed["cors"]["script"]]


def test_every_block_is_run_here() -> None:
    assert [(block.language, block.file) for block in BLOCKS] == [
        ("yaml", ".pre-commit-config.yaml"),
        ("sh", None),
        ("sh", None),
        ("yaml", ".github/workflows/cors.yml"),
        ("yaml", ".gitlab-ci.yml"),
        ("python", "tests/test_cors.py"),
        ("sh", None),
        ("dockerfile", None),
    ]


def test_hook_is_one_of_this_repository(project: Path) -> None:
    (repository,) = yaml.safe_load(FILES[".pre-commit-config.yaml"].code)["repos"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))

    assert repository["hooks"] == [{"id": hook["id"]}]
    assert run(" ".join([hook["entry"], *hook["args"]]), project) == 0
    assert f"`{hook['entry']} {hook['args'][0]}`" in read_page("ci")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sh"])
def test_command_succeeds_where_nothing_is_wrong(block: Block, project: Path) -> None:
    assert run(block.code, project) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [".github/workflows/cors.yml", ".gitlab-ci.yml", "dockerfile"])
def test_each_line_succeeds_where_nothing_is_wrong(name: str, project: Path, api: str) -> None:
    for line in list_lines(FILES[name]):
        assert run(line, project, api) == 0, line
    if name == ".github/workflows/cors.yml":
        log = json.loads((project / "cors.sarif").read_text("utf-8"))
        assert (log["version"], log["runs"][0]["results"]) == ("2.1.0", [])
        assert ET.parse(project / "pytest.xml").getroot()[0].get("tests") == "2"
    if name == ".gitlab-ci.yml":
        assert ET.parse(project / "cors.xml").getroot().get("failures") == "0"


@pytest.mark.slow
def test_difference_fails_the_job_and_is_uploaded(project: Path) -> None:
    (line,) = (each for each in list_lines(FILES[".github/workflows/cors.yml"]) if "sarif" in each)
    with serving(by_werkzeug, change(CASES["errors"].layer, POLICY)) as url:
        assert run(line, project, url) == 1
    (sarif,) = json.loads((project / "cors.sarif").read_text("utf-8"))["runs"]
    assert [rule["id"] for rule in sarif["tool"]["driver"]["rules"]] == list(RULES)
    assert [result["ruleId"] for result in sarif["results"]] == ["errors-without-headers"]


def test_exit_codes_are_those_of_the_table(project: Path) -> None:
    with unserved() as port:
        assert run(f"corsguard verify corsguard.toml http://127.0.0.1:{port}", project) == 2
    (project / "corsguard.toml").write_text('allow_origins = ["example.com"]', "utf-8")
    assert run("corsguard check corsguard.toml", project) == 1
    assert run("corsguard check --app main:app", project) in {1, 2}
    assert run("corsguard check other.toml", project) == 2
    assert run("corsguard check --app other:app", project) == 2


def test_warning_does_not_change_the_exit_code(project: Path) -> None:
    (project / "corsguard.toml").write_text(f"{POLICY}max_age = 10000", "utf-8")
    assert run("corsguard check corsguard.toml", project) == 0


def test_problem_breaks_each_pipeline(project: Path) -> None:
    (project / "corsguard.toml").write_text('allow_origins = ["example.com"]', "utf-8")
    for name in (".github/workflows/cors.yml", ".gitlab-ci.yml", "dockerfile"):
        codes = [run(line, project) for line in list_lines(FILES[name]) if " check " in line]
        assert codes == [1]


def test_actions_are_pinned_as_in_this_repository() -> None:
    used = re.findall(
        r"uses: (\S+)@(\S+) # (v[\d.]+)$", FILES[".github/workflows/cors.yml"].code, re.MULTILINE
    )
    ours = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")

    assert len(used) == 5
    for action, commit, version in used:
        assert re.fullmatch(r"[0-9a-f]{40}", commit)
        if action.startswith("actions/"):
            assert f"{action}@{commit} # {version}\n" in ours
