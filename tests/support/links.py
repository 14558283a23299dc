"""Links between the Markdown files of the project, as GitHub resolves them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]

KNOWN_HOSTS = frozenset(
    {
        "corsguard.readthedocs.io",
        "fetch.spec.whatwg.org",
        "graphql.github.io",
        "marketplace.visualstudio.com",
        "pre-commit.com",
        "publicsuffix.org",
        "semver.org",
        "taplo.tamasfe.dev",
    }
)
"""The hosts that pages may link to. Add one here that is not mistyped."""


@cache
def parse(file: Path) -> list[Token]:
    """Return the tokens of a Markdown file, with tables."""
    return MarkdownIt("commonmark").enable("table").parse(file.read_text(encoding="utf-8"))


def read_addresses(file: Path) -> Iterator[str]:
    """Yield the targets of a file's links and images."""
    for block in parse(file):
        for token in block.children or ():
            if token.type in {"link_open", "image"}:
                yield str(token.attrGet("href") or token.attrGet("src"))


@cache
def read_anchors(file: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives to the headings of a file, and "" for its top."""
    anchors, seen = [""], Counter[str]()
    for opening, inline in pairwise(parse(file)):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            anchors.append(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
            seen[anchor] += 1
    return frozenset(anchors)


def find_dead_end(file: Path, address: str) -> str | None:
    """Return what is wrong with a link of a file, None for one that leads somewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        is_known = parts.scheme == "https" and parts.netloc in KNOWN_HOSTS
        return None if is_known else "is not an https URL of a known host"
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.exists() or not target.is_relative_to(ROOT):
        return "is not there"
    if parts.fragment and unquote(parts.fragment) not in read_anchors(target):
        return "has no such anchor"
    return None
