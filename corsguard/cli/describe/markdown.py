"""A description as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from corsguard.cli.describe.document import API_PLACEHOLDER
from corsguard.cli.describe.phrases import (
    INTRODUCTION,
    Row,
    describe_enforcement,
    describe_placeholder,
    describe_scope,
    format_heading,
    list_rows,
)
from corsguard.cli.terminal import make_printable

__all__ = ["render_markdown"]


def render_markdown(document: Mapping[str, Any]) -> str:
    """Return the page, without a final line end."""
    parts = [f"# {format_heading(document)}", INTRODUCTION]
    if enforcement := describe_enforcement(document):
        parts.append(enforcement)
    if unknown := describe_placeholder(document):
        parts.append(f"{_render_code(API_PLACEHOLDER)} {unknown}")
    for policy in document["policies"]:
        path, text = describe_scope(policy)
        parts.append(f"## {_render_code(path)} {text}" if path else f"## {text}")
        if not policy["cors"]:
            parts.append("No page of another origin may read anything here.")
            continue
        parts.append("\n".join(["| | |", "| --- | --- |", *map(_render_row, list_rows(policy))]))
        parts.append(
            f"A request that works, from a page of {_render_code(policy['example']['page'])}:"
        )
        parts.append(f"```js\n{policy['example']['fetch']}\n```")
    return "\n\n".join(parts)


def _render_row(row: Row) -> str:
    names = ", ".join(map(_render_code, row.names))
    # GitHub Flavored Markdown, 4.10: even in code, a bar ends a cell.
    value = " ".join(filter(None, (names, row.words))).replace("|", "\\|")
    return f"| {row.label} | {value} |"


def _render_code(text: str) -> str:
    """Return text as code: its fence is longer than any run of backticks (CommonMark, 6.1)."""
    shown = make_printable(text)
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
