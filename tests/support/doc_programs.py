"""The programs and the commands of a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from support.doc_pages import Block, read_blocks

__all__ = ["read_commands", "run_block", "run_blocks"]


def read_commands(page: str) -> list[str]:
    """Return the commands in the blocks of shell of a page, each on one line."""
    blocks = (block.code.replace("\\\n", " ") for block in read_blocks(page, "sh"))
    return [line for code in blocks for line in code.splitlines()]


def run_block(block: Block, **names: Any) -> dict[str, Any]:
    """Run one block of Python, and return the names that it defines.

    `names` are those that it finds. A traceback has the line of the page.
    """
    names.setdefault("__name__", "doc_page")
    exec(compile("\n" * block.line + block.code, "page.md", "exec"), names)
    return names


def run_blocks(blocks: Iterable[Block], **names: Any) -> dict[str, Any]:
    """Run the blocks of Python among others, each with the names of those before it."""
    for block in blocks:
        if block.language == "python":
            names = run_block(block, **names)
    return names
