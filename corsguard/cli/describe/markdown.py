"""A description as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corsguard.cli.describe.contents import ANY_API
from corsguard.cli.describe.words import (
    INTRODUCTION,
    Row,
    enforced,
    heading,
    placeholder,
    rows,
    title,
)
from corsguard.cli.terminal import printable

__all__ = ["as_markdown"]


def as_markdown(document: Mapping[str, Any]) -> str:
    """The page, without a line end behind it."""
    parts = [f"# {heading(document)}", INTRODUCTION]
    if words := enforced(document):
        parts.append(words)
    if words := placeholder(document):
        parts.append(f"{_code(ANY_API)} {words}")
    for policy in document["policies"]:
        path, words = title(policy)
        parts.append(f"## {_code(path)} {words}" if path else f"## {words}")
        if not policy["cors"]:
            parts.append("No page of another origin may read anything here.")
            continue
        parts.append("\n".join(["| | |", "| --- | --- |", *map(_row, rows(policy))]))
        parts.append(f"A request that works, from a page of {_code(policy['example']['page'])}:")
        parts.append(f"```js\n{policy['example']['fetch']}\n```")
    return "\n\n".join(parts)


def _row(row: Row) -> str:
    names = ", ".join(map(_code, row.names))
    # GitHub Flavored Markdown, 4.10: even in code, a bar ends a cell.
    value = " ".join(filter(None, (names, row.words))).replace("|", "\\|")
    return f"| {row.label} | {value} |"


def _code(text: str) -> str:
    """Text as it is: a fence is longer than any run of backticks in it (CommonMark, 6.1)."""
    shown = printable(text)
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
