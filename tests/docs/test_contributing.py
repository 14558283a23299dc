"""What contributors and users of pre-commit rely on: the map of tox, and the hook."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
HOOK = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")


def read_hook(key: str) -> str:
    """Return the value of a key of the one hook."""
    found = re.search(rf"^(?:- |  ){key}: (.*)$", HOOK, re.MULTILINE)
    assert found
    return found[1]


def test_map_has_every_part_of_tox() -> None:
    tox = configparser.ConfigParser(interpolation=None, default_section="none")
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    parts = {name.removeprefix("testenv:") for name in tox.sections() if ":" in name}
    plain = {part for part in parts if part.isalpha()}

    assert {"lint", "coverage"} <= plain
    assert [part for part in plain if f"`{part}`" not in PAGE] == []


def test_every_part_that_runs_tests_installs_what_they_need() -> None:
    tox = configparser.ConfigParser(interpolation=None, default_section="testenv")
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    parts = [
        tox[name]
        for name in tox.sections()
        if ":" in name and re.search(r"pytest|\[base\]", tox[name]["commands"])
    ]

    assert len(parts) > 5
    # tests/conftest.py imports it.
    needs = "hypothesis"
    assert [
        part.name
        for part in parts
        if needs not in part["deps"] and "test" not in re.split(r"[,\s]+", part["extras"])
    ] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_on_the_page_exist(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8").partition("## Modules")[0]
    paths = re.findall(r"`((?:corsguard|tests|docs|adapters)/[a-z0-9_/.]+)`", page)

    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("origin", "code"), [("https://a.example", 0), ("a.example", 1)])
def test_hook_fails_on_a_bad_file_alone(tmp_path: Path, origin: str, code: int) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(f'allow_origins = ["{origin}"]\n', encoding="utf-8")
    command, *words = shlex.split(read_hook("entry"))
    words += [word.strip() for word in read_hook("args").strip("[]").split(",")]
    program = Path(sys.executable).with_name(command)
    run = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True)

    assert run.returncode == code
    assert re.search(read_hook("files"), file.name)
