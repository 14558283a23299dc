"""The command in a terminal, where it has colours and asks."""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from corsguard.cli import main

__all__ = ["Terminal", "answer", "ask"]

_PROMPT = "Publish this? [y/N]: "


class Terminal:
    """The command with a terminal of its own, in a thread of this process."""

    def __init__(self, *args: str) -> None:
        self.text = ""
        self._code: object = None
        self._main, self._child = os.openpty()
        self._thread = Thread(target=self._run, args=(args,))
        self._thread.start()

    def _run(self, args: tuple[str, ...]) -> None:
        try:
            with _use_terminal(self._child):
                main(args)
        except SystemExit as ended:
            self._code = ended.code

    def read_prompt(self, prompt: str = re.escape(_PROMPT)) -> None:
        """Read what is shown until the command asks; `prompt` is an expression of the end."""
        while not re.search(rf"{prompt}\Z", self.text):
            ready, _, _ = select.select([self._main], [], [], 60)
            assert ready, f"nothing more than: {self.text}"
            self.text += os.read(self._main, 4_096).decode()

    def enter(self, text: str) -> None:
        """Enter a line, after which the command asks again."""
        start = len(self.text)
        os.write(self._main, f"{text}\n".encode())
        while "\n" not in self.text[start:]:  # the echo
            self.text += os.read(self._main, 4_096).decode()

    def type(self, text: str) -> object:
        """Enter a line, and return the exit code."""
        os.write(self._main, f"{text}\n".encode())
        return self.finish()

    def finish(self) -> object:
        """Read the rest of what is shown, and return the exit code."""
        self._thread.join(60)
        os.close(self._child)
        try:
            while part := os.read(self._main, 4_096):
                self.text += part.decode()
        except OSError:  # the end, on Linux
            pass
        os.close(self._main)
        return self._code

    @property
    def plain(self) -> str:
        """The text without what colours it, or moves in it."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text).replace("\r\n", "\n")


def ask(*args: str) -> Terminal:
    """Run the command until it asks."""
    terminal = Terminal(*args)
    terminal.read_prompt()
    return terminal


def answer(*args: str, answers: list[str]) -> tuple[object, str]:
    """Run the command, and answer its questions. Return the exit code and the plain text."""
    terminal = Terminal(*args)
    for line in answers:
        terminal.read_prompt(r"\]: ")
        terminal.enter(line)
    return terminal.finish(), terminal.plain


@contextmanager
def _use_terminal(descriptor: int) -> Iterator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    with (
        open(descriptor, encoding="utf-8", closefd=False) as stdin,
        open(descriptor, "w", encoding="utf-8", closefd=False) as stdout,
    ):
        sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stdout
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
