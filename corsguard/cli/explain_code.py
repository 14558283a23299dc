"""`corsguard explain-code`: the section of the documentation about a problem code, offline."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib.resources import files
from typing import NamedTuple

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from corsguard.browser.exchange import BlockReason
from corsguard.cli.terminal import ConsoleWriter, fail, open_console
from corsguard.engine.decision import Reason
from corsguard.errors import DOCUMENTATION_URL, build_problem_url
from corsguard.escaping import show_value

__all__ = ["ProblemSection", "complete_code", "read_sections", "run_explain_code"]

_HEADING = re.compile(r"^## ([a-z-]+)\n", re.MULTILINE)
_CHECK_PREFIX = "corsguard."
"""What the ids of Django's system checks have before the code."""
_MAX_WIDTH = 100
"""Columns. Longer lines of prose are hard to read."""


_THEME = Theme({"markdown.code": "cyan"})
"""The colours of code within a sentence. Those of rich have a black background."""


class ProblemSection(NamedTuple):
    """The documentation of one code."""

    code: str
    text: str
    """Markdown, without the heading."""

    @property
    def summary(self) -> str:
        """The first paragraph: one sentence."""
        return self.text.partition("\n\n")[0].replace("\n", " ")


def read_sections() -> dict[str, ProblemSection]:
    """Return the sections of the packaged documentation: code -> section."""
    page = files("corsguard.cli").joinpath("problems.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(page)
    codes, texts = parts[::2], parts[1::2]
    return {
        code: ProblemSection(code, text.strip()) for code, text in zip(codes, texts, strict=True)
    }


def complete_code(incomplete: str) -> list[str]:
    """Return the codes that begin with what a user has typed in a shell."""
    return [code for code in read_sections() if code.startswith(incomplete)]


def run_explain_code(code: str | None) -> int:
    """Write the section about a code, or a list of all codes. Return the exit code.

    Ends the command where there is no such code.
    """
    sections = read_sections()
    if code is None:
        _write_list(sections)
        return 0
    section = sections.get(code.removeprefix(_CHECK_PREFIX))
    if section is None:
        fail(f"{show_value(code)} is not a problem code. {_suggest_code(code, sections)}")
    console = open_console()
    if console.is_terminal:
        _render(console, section)
    else:
        click.echo(f"## {section.code}\n\n{section.text}\n\n{build_problem_url(section.code)}")
    return 0


def _suggest_code(code: str, sections: dict[str, ProblemSection]) -> str:
    if code in Reason.__members__:
        return f"It is a reason: see {DOCUMENTATION_URL}reasons.html#{code.lower()}"
    if code in BlockReason.__members__:
        return f"It is a reason of browsers: see {DOCUMENTATION_URL}testing.html#look-up-a-reason"
    closest = get_close_matches(code.lower().removeprefix(_CHECK_PREFIX), sections, n=1)
    if closest:
        return f"Did you mean {closest[0]}?"
    return "List all of them with `corsguard explain-code`."


def _write_list(sections: dict[str, ProblemSection]) -> None:
    console = open_console()
    if not console.is_terminal:  # one line for each code, for grep
        width = max(map(len, sections))
        for section in sections.values():
            click.echo(f"{section.code:<{width}}  {section.summary}")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(max_width=_MAX_WIDTH)
    for section in sections.values():
        table.add_row(section.code, Text(section.summary))
    console.print(table)


def _render(console: Console, section: ProblemSection) -> None:
    writer = ConsoleWriter(console)
    writer.write_heading(section.code, "bold")
    console.print()
    # The terminal's own colours: they fit a light background as well as a dark one.
    text = Markdown(section.text, code_theme="ansi_dark")
    with console.use_theme(_THEME):
        console.print(text, width=min(console.width, _MAX_WIDTH))
    console.print()
    writer.write_name(build_problem_url(section.code), "dim")
