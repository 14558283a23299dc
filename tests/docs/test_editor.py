"""docs/editor.md: the files load, the commands run, and the shells complete."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from support.doc_pages import Block, read_blocks

from corsguard import Guard, PolicyError
from corsguard.cli.schema.document import SCHEMA_URL

BLOCKS = read_blocks("editor")
SHELLS = {"bash", "zsh", "fish"}
INSTALLED = sorted(shell for shell in SHELLS if shutil.which(shell))
"""bash always, and the others where they are."""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with `corsguard` on its PATH, and a home of its own."""
    program = tmp_path / "bin/corsguard"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m corsguard "$@"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    python_path = os.pathsep.join(filter(None, sys.path))
    kept = {**os.environ, "PATH": path, "HOME": str(tmp_path), "TERM": "dumb"}
    return {**kept, "PYTHONPATH": python_path, "XDG_CONFIG_HOME": f"{tmp_path}/.config"}


def find_script(shell: str) -> str:
    (block,) = (block for block in BLOCKS if block.language == shell)
    return block.code


def test_every_block_is_run_here() -> None:
    assert [block.language for block in BLOCKS] == [
        *("toml", "sh", "toml", "toml", "sh"),
        *("bash", "zsh", "fish"),
    ]
    assert set(INSTALLED) >= {"bash"}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml"][:2])
def test_file_starts_and_names_its_schema(block: Block) -> None:
    assert block.code.splitlines()[0] in {
        f"#:schema {SCHEMA_URL}",
        "#:schema ./corsguard.schema.json",
    }
    Guard.from_mapping(tomllib.loads(block.code))


def test_schema_is_written_and_misses_only_what_the_page_says(
    environment: dict[str, str], tmp_path: Path
) -> None:
    write, check = (block.code for block in BLOCKS if block.language == "sh")
    subprocess.run(["sh", "-ec", write], env=environment, check=True)
    schema = json.loads((tmp_path / "corsguard.schema.json").read_text("utf-8"))
    toml = [block.code for block in BLOCKS if block.language == "toml"][2]
    document = tomllib.loads(toml)

    assert Draft7Validator(schema).is_valid(document)
    with pytest.raises(PolicyError) as raised:
        Guard.from_mapping(document)
    assert [problem.code for problem in raised.value.problems] == ["origin-public-suffix"]
    (tmp_path / "corsguard.toml").write_text(toml, "utf-8")
    ended = subprocess.run(
        ["sh", "-ec", check], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "[origin-public-suffix]" in ended.stdout


@pytest.mark.parametrize(
    "change",
    [
        {"max_ages": 1},
        {"max_age": -1},
        {"allow_methods": ["put"]},
        {"allow_headers": "X-A"},
        {"allow_origins": ["*"], "allow_credentials": True},
    ],
)
def test_schema_knows_the_mistakes_of_the_page(change: dict[str, object]) -> None:
    from corsguard.cli.schema.document import build_schema

    document = {"allow_origins": ["https://app.example.com"], **change}
    assert not Draft7Validator(build_schema()).is_valid(document)


@pytest.mark.parametrize("shell", INSTALLED)
def test_shell_completes_commands_and_values(shell: str, environment: dict[str, str]) -> None:
    if shell == "fish":  # which completes without a terminal too
        ask = 'complete -C "corsguard sche"; complete -C "corsguard explain --engine webk"'
        code = f"{find_script(shell)}{ask}"
        out = subprocess.check_output([shell, "-c", code], env=environment, text=True)
        assert [line.partition("\t")[0] for line in out.splitlines()] == ["schema", "webkit"]
        return
    start = {"bash": "", "zsh": "autoload -U compinit; compinit -u -D\n"}[shell]
    arguments = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell]
    typed = Shell([shell, *arguments], environment)
    try:
        typed.send(f"{start}{find_script(shell)}echo rea''dy\n")
        typed.read_until("ready\r?\n")
        typed.send("corsguard sche\t")
        typed.read_until("corsguard schema")
        typed.send("\x15corsguard explain --engine webk\t")
        typed.read_until("--engine webkit")
    finally:
        typed.close()


class Shell:
    """A shell in a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._main, child = pty.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=child,
            stdout=child,
            stderr=child,
            env=environment,
            start_new_session=True,
        )
        os.close(child)
        self._text = ""

    def send(self, text: str) -> None:
        os.write(self._main, text.encode())

    def read_until(self, expression: str) -> None:
        while not re.search(expression, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._text)):
            ready, _, _ = select.select([self._main], [], [], 60)
            assert ready, f"nothing more than: {self._text!r}"
            self._text += os.read(self._main, 4_096).decode(errors="replace")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._main)
