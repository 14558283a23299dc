"""docs/reasons.md: a section for each reason, with the line that the guard logs."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from support.doc_pages import read_blocks, read_page
from support.doc_programs import run_blocks

from corsguard import Guard, Policy, Reason
from corsguard.browser.console import MESSAGES

PAGE = read_page("reasons")
SECTIONS = dict(re.findall(r"^## `?(.+?)`?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
LINES = [block for block in read_blocks("reasons") if block.language == "text"]

APP = "https://app.example.com"
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_headers=["Content-Type"])
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}
REFUSED: dict[Reason, tuple[Any, ...]] = {
    Reason.ORIGIN_NOT_ALLOWED: ("/items/1", "http://app.example.com", "OPTIONS", PREFLIGHT),
    Reason.ORIGIN_INVALID: ("/items", f"{APP}, {APP}", "GET", {}),
    Reason.METHOD_NOT_ALLOWED: (
        "/items/1",
        APP,
        "OPTIONS",
        {"Access-Control-Request-Method": "DELETE"},
    ),
    Reason.HEADERS_NOT_ALLOWED: (
        "/items/1",
        APP,
        "OPTIONS",
        {**PREFLIGHT, "Access-Control-Request-Headers": "x-trace"},
    ),
    Reason.CREDENTIALS_NOT_ALLOWED: ("/items", APP, "GET", {}, True),
    Reason.CROSS_ORIGIN_REFUSED: ("/items", "https://evil.example", "POST", {}),
}
"""Reason -> the arguments of Guard.decide."""


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in read_blocks("reasons")]
    assert {each: languages.count(each) for each in languages} == {"text": 6, "python": 1}


def test_every_reason_has_a_section_and_a_row() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\) \|", PAGE, re.MULTILINE)
    assert all(anchor == name.lower() for name, anchor in rows)
    names = [name for name, _ in rows]
    assert sorted(names) == sorted(reason.value for reason in Reason)
    assert "The first six are refusals:" in PAGE
    assert [Reason(name).refusal for name in names] == [True] * 6 + [False] * 4
    assert {name for name in SECTIONS if name.isupper()} == {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.refusal])
def test_line_of_the_log_is_that_of_the_guard(
    reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    guard = Guard(POLICY, enforce=reason is Reason.CROSS_ORIGIN_REFUSED)
    with caplog.at_level(logging.WARNING, logger="corsguard"):
        assert guard.decide(*REFUSED[reason]).reason is reason
    [line] = caplog.messages
    assert f"\n```text\n{line}\n```\n" in SECTIONS[reason.value]


def test_console_says_what_the_page_shows() -> None:
    messages = [re.sub(r"\\\{\w+\\\}", ".*", re.escape(message)) for message in MESSAGES.values()]
    shown = [
        " ".join(text.split())
        for text in re.findall(r"The console says: \*(.+?)\*\n", PAGE, re.DOTALL)
    ]
    assert len(shown) == 4
    for text in shown:
        assert any(re.fullmatch(message, text) for message in messages), text


@pytest.mark.parametrize("reason", [reason for reason in Reason if not reason.refusal])
def test_other_reasons_log_nothing(reason: Reason, caplog: pytest.LogCaptureFixture) -> None:
    asked: tuple[Any, ...] = {
        Reason.ALLOWED: ("/items", APP, "GET", {}),
        Reason.NO_POLICY: ("/internal", APP, "GET", {}),
        Reason.NOT_CORS: ("/items", None, "GET", {}),
        Reason.SAME_ORIGIN: (
            "/items",
            "https://api.example.com",
            "POST",
            {"Host": "api.example.com"},
        ),
    }[reason]
    guard = Guard({"/": POLICY, "/internal": None})
    with caplog.at_level(logging.DEBUG, logger="corsguard"):
        assert guard.decide(*asked).reason is reason
    assert caplog.messages == []


def test_block_of_python_runs() -> None:
    run_blocks(read_blocks("reasons"))
