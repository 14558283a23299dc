"""docs/cross-site-requests.md: each block runs, and each row of the table is what happens."""

from __future__ import annotations

import logging
import re
import tomllib
from typing import Any

import pytest
from support.doc_pages import read_blocks, read_page
from support.doc_programs import run_blocks

from corsguard import Guard

PAGE = read_page("cross-site-requests")
BLOCKS = read_blocks("cross-site-requests")
FILES = [tomllib.loads(block.code) for block in BLOCKS if block.language == "toml"]
EVIL = "https://evil.example"


def test_blocks_are_of_the_kinds_that_run_here() -> None:
    languages = [block.language for block in BLOCKS]
    assert {each: languages.count(each) for each in languages} == {
        "python": 2,
        "toml": 2,
        "text": 1,
    }


def test_blocks_of_python_run_in_order() -> None:
    run_blocks(BLOCKS)


def test_report_logs_and_refuses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard.from_mapping(FILES[0])
    with caplog.at_level(logging.WARNING, logger="corsguard"):
        assert guard.decide("/items", EVIL, "POST", {}).status is None
    [block] = [block for block in BLOCKS if block.language == "text"]
    assert caplog.text.endswith(block.code)


@pytest.mark.parametrize(
    ("row", "status", "asked"),
    [
        ("GET, HEAD, OPTIONS", None, ("/", EVIL, "GET", {})),
        ("your own page", None, ("/", "https://shop.example.com", "POST", {"Host": "internal"})),
        ("your own page", None, ("/", "https://a.example", "POST", {"Host": "a.example"})),
        ("the policy of the path allows", None, ("/", "https://app.example.com", "PUT", {}, True)),
        ("from elsewhere", 403, ("/", EVIL, "DELETE", {})),
        ("a WebSocket handshake", 403, ("/", EVIL, "GET", {"Upgrade": "websocket"})),
        ("without `Origin`", None, ("/", None, "POST", {})),
        ("without `Origin`", 403, ("/", None, "POST", {"Sec-Fetch-Site": "cross-site"})),
    ],
)
def test_table_says_what_is_refused(row: str, status: int | None, asked: tuple[Any, ...]) -> None:
    assert re.search(rf"^\| .*{row}.* \| .*\|$", PAGE, re.MULTILINE)
    assert Guard.from_mapping(FILES[1]).decide(*asked).status == status


def test_exempt_path_and_path_without_policy() -> None:
    guard = Guard.from_mapping(FILES[1])
    assert guard.decide("/webhooks/paid", EVIL, "POST", {}).status is None
    assert guard.decide("/a//b", EVIL, "POST", {}).status == 403
