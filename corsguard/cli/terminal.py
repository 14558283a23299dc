"""What every command writes to the terminal with."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import IO, NoReturn

import click
from rich.console import Console
from rich.text import Text

__all__ = ["Sheet", "console", "counted", "fail", "printable", "wrapped"]

_NARROWEST = 20


class Sheet:
    """Writes to a console: wrapped, never cut, and the same without colours."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def heading(self, text: str, style: str = "bold") -> None:
        """A line of text after an empty one."""
        self._console.print()
        self.line(text, style)

    def row(self, label: str, value: str, style: str = "") -> None:
        """A value beside its label."""
        self.line(value, style, f"  {label:<13}")

    def whole(self, label: str, value: str) -> None:
        """A value to be copied, on one line however long, beside its label."""
        self._console.print(Text.assemble((f"  {label:<13}", "dim"), value), soft_wrap=True)

    def line(self, text: str, style: str = "", indent: str = "") -> None:
        """Text in as many lines as it needs, each after the width of indent."""
        wrapped(self._console, text, style, indent)


def console(file: IO[str] | None = None) -> Console:
    """A console on file, or the standard output of now. It colours nothing by guessing at words."""
    made = Console(file=file, highlight=False, markup=False, emoji=False)
    if made.width < 1:  # COLUMNS=0, in which no text has room
        made.width = get_terminal_size().columns
    return made


def fail(message: str, code: int = 2) -> NoReturn:
    """End the command with one line on the standard error."""
    click.echo(f"corsguard: {printable(message)}", err=True)
    sys.exit(code)


def printable(text: str) -> str:
    """Text on one line, with escapes for what could steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def counted(number: int, noun: str) -> str:
    """So many of them, in words: `no problems`, `1 problem`, `2 problems`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def wrapped(console: Console, text: str, style: str = "", indent: str = "") -> None:
    """Print text in as many lines as it needs, each after the width of indent."""
    width = max(console.width - len(indent), _NARROWEST)
    for line in Text(text, style).wrap(console, width, overflow="fold"):
        line.rstrip()
        console.print(Text.assemble((indent, "dim"), line), soft_wrap=True)
        indent = " " * len(indent)
