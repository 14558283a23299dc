"""The Python of a page of the documentation, run from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from support.doc_pages import Block

__all__ = ["run_block", "run_blocks"]


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
