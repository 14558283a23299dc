"""docs/what-cors-does-not-protect.md: each gap is shown, and what closes it closes it."""

from __future__ import annotations

import re

from support.doc_pages import read_blocks, read_page

PAGE = "what-cors-does-not-protect"


def test_blocks_run_one_after_the_other() -> None:
    names: dict[str, object] = {"__name__": "docs"}
    blocks = read_blocks(PAGE)
    for block in blocks:
        assert block.language == "python"
        exec(compile("\n" * block.line + block.code, f"{PAGE}.md", "exec"), names)
    assert len(blocks) == 10


def test_table_leads_to_every_section() -> None:
    text = read_page(PAGE)
    linked = re.findall(r"^\|.*\]\(#([\w-]+)\)", text, re.MULTILINE)
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert linked == [title.lower().replace(",", "").replace(" ", "-") for title in titles[:-1]]
