"""The pages of docs/: the code of each is run by a test module that names the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.doc_pages import DOCS, read_blocks

TESTS = DOCS.parent / "tests"
FOLDERS = ["adapters", "docs", "e2e", "fleet", "metrics"]
"""The folders of tests/ with tests of pages."""

PAGES = [page.stem for page in sorted(DOCS.glob("*.md")) if read_blocks(page.stem)]


def find_pages(module: Path) -> set[str]:
    """Return the pages that a module reads: those in read_blocks("NAME") or docs/NAME.md."""
    text = module.read_text(encoding="utf-8")
    read = re.findall(r"""\bread_(?:blocks|page)\(\s*["']([\w-]+)["']""", text)
    return {*read, *re.findall(r"\bdocs/([\w-]+)\.md\b", text)}


@pytest.fixture(scope="module")
def tested() -> set[str]:
    """Return the pages that any test module reads."""
    here = Path(__file__)
    modules = [file for name in FOLDERS for file in TESTS.glob(f"{name}/**/test_*.py")]
    return set().union(*(find_pages(file) for file in modules if file != here))


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_is_run_by_a_test(page: str, tested: set[str]) -> None:
    assert page in tested, f"add tests/docs/test_{page.replace('-', '_')}.py"


def test_page_without_a_test_is_found(tested: set[str], tmp_path: Path) -> None:
    module = tmp_path / "test_new.py"
    module.write_text("BLOCKS = read_blocks('new-page')\n# docs/old.md\n", encoding="utf-8")

    assert find_pages(module) == {"new-page", "old"}
    assert "new-page" not in tested
