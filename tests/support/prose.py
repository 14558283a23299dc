"""The prose of a Markdown file, without its code, for the style check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it.token import Token
from support.links import parse

_END_OF_SENTENCE = re.compile(r"(?<=[.?!])[\"”)]?\s+|(?<=:)\s+(?=[\"“(]*[A-Z`])")


class Passage(NamedTuple):
    """A paragraph, a heading, an entry of a list or a cell of a table."""

    line: int
    """From 1."""
    is_heading: bool
    text: str
    """In one line. A code span is two backticks."""

    def split_sentences(self) -> list[str]:
        """Return its sentences. A colon before a capital letter ends one too."""
        return _END_OF_SENTENCE.split(self.text)


def read_prose(file: Path) -> Iterator[Passage]:
    """Yield the passages of a file in order."""
    for opening, inline in pairwise(parse(file)):
        if inline.type == "inline":
            line = (inline.map or opening.map or [0])[0] + 1
            text = "".join(map(_read_text, inline.children or ()))
            yield Passage(line, opening.type == "heading_open", text)


def _read_text(token: Token) -> str:
    if token.type == "code_inline":
        return "``"
    return " " if token.type in {"softbreak", "hardbreak"} else token.content
