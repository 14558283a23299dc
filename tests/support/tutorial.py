"""docs/tutorial.md, followed from its first line to its last by a reader with a browser."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from support.doc_pages import Block, read_blocks, read_page

__all__ = ["Reader", "follow", "run_command", "start_command"]

_CLAIM = re.compile(r"\*\*([^*]+)\*\*(?:: it)?\s+shows\s+`([^`]+)`")
_ADDITION = re.compile(r"Add `([^`]+)` to the call")
_CALL = re.compile(r"^CORSGuard\(.*?^\)$", re.MULTILINE | re.DOTALL)
_SERVER = re.compile(r"http\.server|flask .* run ")
_SET = re.compile(r"In `(\S+)`, set `((\w+) = [^`]+)`")
_TESTS = re.compile(r"^All (\d+) pass", re.MULTILINE)


class Reader(Protocol):
    """A reader's folder, servers and browser."""

    folder: Path

    def adapt(self, text: str) -> str:
        """Return text of the page with the ports of this reader."""

    def start(self, command: str) -> str:
        """Start a server, again if it runs, and return its output if it ends at once."""

    def press(self, button: str) -> str:
        """Press a button of the page, and return what the page shows."""

    def read_console(self) -> str:
        """Return the last line of the browser's console."""

    def read_log(self) -> str:
        """Return the output of the API."""


def follow(reader: Reader) -> list[Block]:
    """Do what the page says, check what it shows, and return the blocks in order."""
    blocks = read_blocks("tutorial")
    page = read_page("tutorial")
    # (line, character) -> step
    steps: dict[tuple[int, int], Block | re.Match[str]] = {
        (block.line, 0): block for block in blocks
    }
    for sentence in (*_ADDITION.finditer(page), *_CLAIM.finditer(page)):
        steps[page.count("\n", 0, sentence.start()) + 1, sentence.start()] = sentence
    follower = _Follower(reader)
    for place in sorted(steps):
        step = steps[place]
        if isinstance(step, Block):
            follower.use(step)
        elif step.re is _ADDITION:
            follower.add_to_call(step[1])
        else:
            assert reader.adapt(step[2]) in reader.press(step[1]), step[0]
    follower.change_tests(page)
    return blocks


class _Follower:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._folder = reader.folder
        self._output = ""  # of the last command, and of a server that did not start
        self._start_api = ""
        self._original = ""  # api.py, before anything is added at its end

    def use(self, block: Block) -> None:
        code = self._reader.adapt(block.code)
        if block.file and not (self._folder / block.file).exists():
            (self._folder / block.file).write_text(code, encoding="utf-8")
            if block.file == "api.py":
                self._original = code
        elif block.language == "python":
            self._change_api(code)
        elif block.language == "text":
            shown = (self._reader.read_console(), self._reader.read_log(), self._output)
            assert any(code.strip() in text for text in shown), (code, *shown)
        elif _SERVER.search(code):
            self._output = self._reader.start(code)
            if "flask" in code:
                self._start_api = code
        else:
            self._output = run_command(code, self._folder)

    def _change_api(self, code: str) -> None:
        if code.startswith("CORSGuard("):
            self._save(_CALL.sub(lambda _: code.rstrip(), self._read()))
        else:
            self._save(f"{self._original}\n{code}")

    def add_to_call(self, line: str) -> None:
        """Add a line to the call of CORSGuard."""
        self._save(_CALL.sub(lambda call: f"{call[0][:-1]}    {line}\n)", self._read()))

    def _read(self) -> str:
        return (self._folder / "api.py").read_text(encoding="utf-8")

    def _save(self, text: str) -> None:
        """Change api.py and start it again, or go back if it does not start."""
        before = self._read()
        assert text != before
        (self._folder / "api.py").write_text(text, encoding="utf-8")
        if "os.environ" in text:  # the command that comes next sets the variable
            return
        self._output = self._reader.start(self._start_api)
        if self._output:
            (self._folder / "api.py").write_text(before, encoding="utf-8")

    def change_tests(self, page: str) -> None:
        """Run the tests of production, which are as many as those before."""
        count = _TESTS.search(page)
        change = _SET.search(page)
        assert count
        assert change
        file = self._folder / change[1]
        text, changes = re.subn(
            rf"^{change[3]} = .*$", change[2], file.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert changes == 1
        file.write_text(text, encoding="utf-8")
        assert f"{count[1]} passed" in run_command("python -m pytest", self._folder)


def start_command(command: str, folder: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start a command of the page, whose output goes to a file."""
    words, environ = _split(command)
    with output.open("wb") as file:
        return subprocess.Popen(
            words, cwd=folder, env=environ, stdout=file, stderr=subprocess.STDOUT
        )


def run_command(command: str, folder: Path) -> str:
    """Return the output of a command of the page. Blocked requests and 0 are no failures."""
    words, environ = _split(command)
    run = subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, encoding="utf-8", timeout=120
    )
    assert run.returncode == int("explain" in command), run.stdout + run.stderr
    return run.stdout


def _split(command: str) -> tuple[list[str], dict[str, str]]:
    """Return the words of a command, with the path of its program, and its environment."""
    environ = {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    words = shlex.split(command.replace("\\\n", ""))
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    program = Path(sys.executable).with_name(words[0])
    return [str(program), *words[1:]], {**os.environ, **environ}
