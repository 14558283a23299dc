"""Output of the commands: text for a terminal, and the one line of a failure."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from shutil import get_terminal_size
from typing import IO, NoReturn

import click
from rich.console import Console
from rich.text import Text

from corsguard import Problem
from corsguard.errors import format_explain_command

__all__ = [
    "ConsoleWriter",
    "fail",
    "format_count",
    "make_printable",
    "open_console",
    "print_wrapped",
]

_MIN_WIDTH = 20
_LABEL_WIDTH = 13


class ConsoleWriter:
    """A writer of headings, and of labelled values, to a console.

    It wraps text and never cuts it off, and its text is the same without colours.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def write_heading(self, text: str, style: str = "bold") -> None:
        """Write an empty line and a line of text."""
        self._console.print()
        self.write_line(text, style)

    def write_row(self, label: str, value: str, style: str = "") -> None:
        """Write a value beside its label, wrapped."""
        self.write_line(value, style, f"  {label:<{_LABEL_WIDTH}}")

    def write_unwrapped(self, label: str, value: str) -> None:
        """Write a value that is copied, such as a command, beside its label on one line."""
        text = Text.assemble((f"  {label:<{_LABEL_WIDTH}}", "dim"), value)
        self._console.print(text, soft_wrap=True)

    def write_name(self, text: str, style: str = "") -> None:
        """Write a line with a path or a URL, which is not wrapped, so that it can be copied."""
        self._console.print(Text(text, style), soft_wrap=True)

    def write_addresses(self, problems: Iterable[Problem]) -> None:
        """Write where each code is explained, once, on lines that can be copied."""
        urls = {problem.code: problem.url for problem in problems}
        if urls:
            self.write_heading(f"more, offline by `{format_explain_command(urls)}`", "bold")
        for url in urls.values():
            self.write_name(f"  {url}", "dim")

    def write_line(self, text: str, style: str = "", indent: str = "") -> None:
        """Write text, wrapped; see print_wrapped."""
        print_wrapped(self._console, text, style, indent)


def open_console(file: IO[str] | None = None) -> Console:
    """Return a console on file, or on the current standard output.

    It interprets no markup, and highlights nothing by itself.
    """
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if console.width < 1:  # COLUMNS=0 leaves no room for any text
        console.width = get_terminal_size().columns
    return console


def fail(message: str, code: int = 2) -> NoReturn:
    """End the command with one line on the standard error."""
    click.echo(f"corsguard: {make_printable(message)}", err=True)
    sys.exit(code)


def make_printable(text: str) -> str:
    """Return text on one line, with escapes for characters that could control the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun: `no problems`, `1 problem`, `2 problems`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def print_wrapped(console: Console, text: str, style: str = "", indent: str = "") -> None:
    """Print text in as many lines as it needs.

    The first line begins with indent, which may be a label, the others with as many spaces.
    """
    width = max(console.width - len(indent), _MIN_WIDTH)
    for line in Text(text, style).wrap(console, width, overflow="fold"):
        line.rstrip()
        console.print(Text.assemble((indent, "dim"), line), soft_wrap=True)
        indent = " " * len(indent)
