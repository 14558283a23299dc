"""The Markdown files as GitHub shows them: every link and every anchor leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.links import ROOT, find_dead_end, read_addresses, read_anchors

from corsguard.cli.schema.document import SCHEMA_URL, format_schema
from corsguard.errors import DOCUMENTATION_URL

FILES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_of_a_file_lead_somewhere(file: Path) -> None:
    found = [(address, find_dead_end(file, address)) for address in read_addresses(file)]

    assert [problem for problem in found if problem[1] is not None] == []


def test_schema_links_to_pages_of_the_documentation() -> None:
    pattern = rf"{re.escape(DOCUMENTATION_URL)}([\w-]+)\.html(#[\w-]+)?"
    text = format_schema()
    links = set(re.findall(pattern, text))

    assert text.count(DOCUMENTATION_URL) == len(re.findall(pattern, text)) + text.count(SCHEMA_URL)
    assert len(links) > 4
    for page, anchor in links:
        assert find_dead_end(ROOT / "docs/index.md", f"{page}.md{anchor}") is None


def test_files_are_all_of_the_project() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"} < {
        file.name for file in FILES
    }
    assert len(FILES) > 25


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("docs/flask.md", None),
        ("docs/flask.md#configure-it", None),
        ("docs/flask.md#configure", "has no such anchor"),
        ("docs/flsk.md", "is not there"),
        ("../secret.md", "is not there"),
        ("http://semver.org", "is not an https URL of a known host"),
        ("https://semver.example", "is not an https URL of a known host"),
    ],
)
def test_checker_finds_dead_ends(address: str, problem: str | None) -> None:
    assert find_dead_end(ROOT / "README.md", address) == problem


def test_second_heading_of_the_same_words_has_a_number(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# `enforce`, and CSRF\n\n## One\n\n## One\n\n## One\n", encoding="utf-8")

    assert read_anchors(file) == {"", "enforce-and-csrf", "one", "one-1", "one-2"}
