"""docs/threat-model.md: the tests and problem codes that it names exist, and promises name one."""

from __future__ import annotations

import re
from pathlib import Path

from support.doc_pages import read_blocks, read_page

from corsguard.cli.explain_code import read_sections

TEXT = read_page("threat-model")
TESTS = Path(__file__).parents[1]
DEFINITION = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_named_tests_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    sources = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert len(named) > 20
    assert named <= {name for source in sources for name in DEFINITION.findall(source)}


def test_named_codes_exist() -> None:
    named = re.findall(r"\[`([a-z-]+)`\]\(problems\.md#([a-z-]+)\)", TEXT)
    assert named
    assert all(code == anchor for code, anchor in named)
    assert {code for code, _ in named} <= read_sections().keys()


def test_every_promise_names_what_shows_it() -> None:
    promises = TEXT.split("\n## What corsguard promises\n")[1].split("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")]
    shown = [row for row in rows if row not in ("| promise | shown by |", "| --- | --- |")]
    assert len(shown) > 20
    assert all(re.search(r"\| .*`(?:test_\w+|[a-z-]+)`.* \|$", row) for row in shown)


def test_page_has_no_block() -> None:
    assert not read_blocks("threat-model")
