"""docs/install.md: the table has every extra, and tests/install runs the commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib

from support.doc_pages import DOCS, read_blocks, read_page
from support.doc_programs import read_commands

PAGE = read_page("install")
BLOCKS = read_blocks("install")
PROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = read_commands("install")


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    assert {each: languages.count(each) for each in languages} == {"sh": 4, "text": 1}


def test_commands_run_in_the_tests_of_the_installation() -> None:
    tests = (DOCS.parent / "tests/install/test_install.py").read_text(encoding="utf-8")
    assert 'read_commands("install")' in tests
    assert COMMANDS[0] == "python3 -m venv .venv"
    assert COMMANDS[-1] == "corsguard --version"


def test_version_is_what_the_command_prints() -> None:
    [block] = [block for block in BLOCKS if block.language == "text"]
    _, *words = shlex.split(COMMANDS[-1])
    command = [sys.executable, "-m", "corsguard", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == block.code
    assert f"corsguard {PROJECT['version']}\n" == block.code
    assert f"corsguard-{PROJECT['version']}-py3-none-any.whl" in PAGE


def test_table_has_every_extra() -> None:
    table = PAGE.partition("| extra | for |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]
    extras = [extra for cell in cells for extra in re.findall(r"`(\w+)`", cell)]
    assert sorted(extras) == sorted(PROJECT["optional-dependencies"])


def test_oldest_releases_are_those_of_the_package() -> None:
    assert PROJECT["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in PAGE
    for framework in ("flask", "django", "fastapi", "starlette"):
        [oldest] = re.findall(rf"^\| `{framework}` \| \w+ ([\d.]+) and newer", PAGE, re.MULTILINE)
        assert f"{framework}>={oldest}" in PROJECT["optional-dependencies"][framework]


def test_requirements_without_an_extra_are_named() -> None:
    names = [re.split(r"\W", requirement)[0] for requirement in PROJECT["dependencies"]]
    assert all(f"`{name}`" in PAGE for name in names)
    assert len(names) == 2
