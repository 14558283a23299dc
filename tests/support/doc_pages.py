"""The code blocks of a page of the documentation, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(r"^( *)```([\w-]+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+\.\w+)`[^`]*:\s*\Z")


class Block(NamedTuple):
    """A fenced block of code."""

    language: str
    code: str
    line: int
    """The line of its fence, from 1."""
    file: str | None
    """The file that it is: the last code span of the paragraph before, if that ends in a colon."""


def read_page(name: str) -> str:
    """Return the text of docs/NAME.md."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def read_blocks(name: str, *languages: str) -> list[Block]:
    """Return the blocks of docs/NAME.md in order: all, or those in the given languages."""
    return find_blocks(read_page(name), *languages)


def find_blocks(text: str, *languages: str) -> list[Block]:
    """Return the blocks of a text in Markdown, as `read_blocks` does."""
    blocks = []
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        paragraph = before.rstrip().rpartition("\n\n")[2] if before.endswith("\n\n") else ""
        file = _FILE.search(paragraph)
        indent = len(found[1])
        code = "".join(line[indent:] or "\n" for line in found[3].splitlines(keepends=True))
        line = before.count("\n") + 1
        blocks.append(Block(found[2], code, line, file[1] if file else None))
    return [block for block in blocks if not languages or block.language in languages]
