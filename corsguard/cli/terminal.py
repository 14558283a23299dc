"""What both commands write to the terminal with."""

from __future__ import annotations

import sys
from typing import NoReturn

import click
from rich.console import Console

__all__ = ["console", "fail", "printable"]


def console() -> Console:
    """A console on the standard output of now. It colours nothing by guessing at words."""
    return Console(highlight=False, markup=False, emoji=False)


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
