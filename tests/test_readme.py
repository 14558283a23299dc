"""Every code block of the README is executed, and the tables name what there is."""

from __future__ import annotations

import logging
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from corsguard import Guard, Policy, Reason

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TOML = next(text for language, text in BLOCKS if language == "toml")

# These two make environments of their own: .ci/run runs the one, tests/install the other.
COMMANDS_RUN_ELSEWHERE = {"tox": ROOT / ".ci/run", "demo": ROOT / "tests/install/test_install.py"}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_every_block_is_of_a_kind_that_is_executed_here() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh", "text", "toml"}
    assert README.count("```") == 2 * len(BLOCKS)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_configuration_file_starts() -> None:
    guard = Guard.from_mapping(tomllib.loads(TOML))
    assert guard.policy_for("/api/items") is not None
    assert guard.policy_for("/api/internal") is None
    assert guard.enforce is True


@pytest.mark.parametrize("command", blocks("sh"))
def test_commands_run(command: str, tmp_path: Path) -> None:
    words = shlex.split(command)
    if words[0] == "python3":
        where = COMMANDS_RUN_ELSEWHERE[words[-1].rpartition("/")[2]]
        assert "README.md" in where.read_text(encoding="utf-8")
        return
    (tmp_path / "corsguard.toml").write_text(TOML, encoding="utf-8")
    program = Path(sys.executable).with_name(words[0])
    run = subprocess.run([program, *words[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


def test_the_lines_of_the_log_are_those_that_it_writes(caplog: pytest.LogCaptureFixture) -> None:
    [lines] = blocks("text")
    page = "https://app.example.com"
    guard = Guard(Policy(allow_origins=[page], allow_methods=["PUT"]))
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-trace"}
    with caplog.at_level(logging.WARNING, logger="corsguard"):
        guard.decide("/items/1", "http://app.example.com", "OPTIONS", asked)
        guard.decide("/items/1", page, "OPTIONS", asked)
    assert "\n".join(caplog.messages) + "\n" == lines


def test_every_refusal_is_in_the_table_of_reasons() -> None:
    for reason in Reason:
        assert (f"\n| `{reason}` |" in README) is reason.refusal


def test_every_problem_code_is_in_the_table_of_problems() -> None:
    sources = (ROOT / "corsguard").glob("*.py")
    codes = set()
    for source in sources:
        text = source.read_text(encoding="utf-8")
        codes |= set(re.findall(r'(?:Problem|add)\(\s*"([a-z-]+)",', text))
    warned = {"max-age-capped", "authorization-not-covered"}
    table = set(re.findall(r"`([a-z-]+)`", README.partition("| code |")[2].partition("Those")[0]))
    assert codes - warned <= table
