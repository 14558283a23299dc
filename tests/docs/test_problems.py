"""docs/problems.md, and the sections about problem codes, which `corsguard explain-code` prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from support.django_checks import find_ids
from support.doc_pages import read_blocks, read_page
from support.problem_blocks import (
    ENFORCED,
    IN_ECOSYSTEM,
    SECTIONS,
    LabelledBlock,
    Shown,
    build_asgi_settings,
    check_app,
    follow_document,
    list_blocks,
    load_toml,
    run_python,
)
from support.problem_codes import find_codes

from corsguard import Guard, Problem
from corsguard.cli import main

KEY = "0123456789abcdef0123456789abcdef"
GOOD = 'allow_origins = ["https://app.example.com"]\n'
DOCUMENTS = {"document-invalid", "source-in-document"}
"""The codes whose blocks are documents that a worker follows."""
urlpatterns: list[Any] = []
"""Those of a Django project, whose checks read them."""
BLOCKS = [
    pytest.param(code, block, id=f"{code}-{index}-{block.label}")
    for code, section in SECTIONS.items()
    if code not in IN_ECOSYSTEM
    for index, block in enumerate(list_blocks(section))
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with the files that the blocks name."""
    monkeypatch.chdir(tmp_path)
    Path("corsguard.toml").write_text(GOOD, encoding="utf-8")
    Path("policy.key").write_text(KEY, encoding="utf-8")
    guard = Guard(None, enforce=True)
    guard.follow("corsguard.toml", last_good="corsguard.last")
    guard.unfollow()
    return tmp_path


def test_every_code_has_a_section() -> None:
    assert find_codes() == set(SECTIONS)


def test_page_lists_each_code_with_its_sentence() -> None:
    rows = re.findall(
        r"^\| \[`([a-z-]+)`\]\(#\1\) \| (.+) \|$", read_page("problems"), re.MULTILINE
    )
    assert rows == [(code, section.summary) for code, section in SECTIONS.items()]


def test_page_blocks_run() -> None:
    languages = [block.language for block in read_blocks("problems")]
    assert languages == ["python", "toml"]  # the sections are in a file of their own
    [example] = read_blocks("problems", "python")
    exec(compile(example.code, "problems.md", "exec"), {"__name__": "docs"})
    [flagged] = read_blocks("problems", "toml")
    assert load_toml(flagged.code) == Shown()


def test_page_names_each_attribute_of_a_problem() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", read_page("problems"), re.MULTILINE)
    assert tuple(rows) == (*Problem._fields, "url")


def test_sections_have_a_sentence_a_reason_and_blocks() -> None:
    for code, section in SECTIONS.items():
        labels = [block.label for block in list_blocks(section)]
        assert labels[0] in ("Refused", "Warned"), code
        assert labels[-1] == "Instead", code
        assert labels.count("Instead") == 1, code
        assert section.summary.endswith("."), code
        assert len(section.summary) <= 90, code
        why = section.text.split("\n\n")[1]
        assert why.count(". ") + why.count(".\n") <= 6, code


@pytest.mark.parametrize(("code", "block"), BLOCKS)
def test_block_shows_its_code(code: str, block: LabelledBlock, folder: Path) -> None:
    shown = show(code, block, folder)
    if block.label == "Refused":
        assert set(shown.refused) == {code}
    elif block.label == "Warned":
        assert set(shown.warned) == {code}
        assert not shown.refused
    else:
        assert not shown.refused
        assert code not in shown.warned


def show(code: str, block: LabelledBlock, folder: Path) -> Shown:
    if block.language == "sh":
        program, *arguments = block.code.split()
        assert program == "corsguard"
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        text = (folder / "policy.toml").read_text(encoding="utf-8")
        return follow_document(text, folder / "policy.toml", key="policy.key")
    if code in DOCUMENTS:
        return follow_document(block.code, folder / "document.toml")
    if block.language == "toml":
        return load_toml(block.code)
    return show_python(block)


def show_python(block: LabelledBlock) -> Shown:
    with override_settings(ROOT_URLCONF=__name__, CORSGUARD=ENFORCED):
        return show_module(block, *run_python(block.code))


def show_module(block: LabelledBlock, shown: Shown, module: dict[str, Any]) -> Shown:
    settings: dict[str, object] = {}
    if "CORSGUARD" in module:
        settings = {name: value for name, value in module.items() if name.isupper()}
    if "application" in module:
        settings = build_asgi_settings(module["application"])
    if settings:
        ids = tuple(find_ids(**settings))
        return Shown(ids) if block.label == "Refused" else Shown(warned=ids)
    return check_app(module["app"]) if "app" in module else shown
