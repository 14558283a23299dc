"""docs/app-shells.md: every row of its table and every block, tried."""

from __future__ import annotations

import logging
import re
import tomllib
from typing import Any, NamedTuple

import pytest
from support.doc_pages import read_blocks, read_page

from corsguard import Guard, Policy, PolicyError
from corsguard.browser import Blocked, Browser
from corsguard_wsgi import CORSMiddleware

PAGE = "app-shells"
API = "https://api.example.com"


class Row(NamedTuple):
    """A row of the table of shells."""

    shell: str
    origin: str
    outcome: str
    """`starts`, or the code of the problem."""


def read_rows() -> list[Row]:
    table = read_page(PAGE).partition("| shell | `Origin` |")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [Row(*(cell.strip("`") for cell in row[:3])) for row in cells]


ROWS = read_rows()


def find_code(entry: str | re.Pattern[str], *, credentials: bool) -> str:
    """Return the code of the problem of a policy with entry, or `starts`."""
    try:
        Policy(allow_origins=[entry], allow_credentials=credentials)
    except PolicyError as error:
        [problem] = error.problems
        return problem.code
    return "starts"


def run_guard() -> Guard:
    names: dict[str, Any] = {}
    [block] = read_blocks(PAGE, "python")
    exec(compile(block.code, f"{PAGE}.md", "exec"), names)
    guard = names["guard"]
    assert isinstance(guard, Guard)
    return guard


def respond(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"items"]


def test_page_has_no_other_blocks() -> None:
    assert [block.language for block in read_blocks(PAGE)] == ["python", "text", "toml"]
    assert len(ROWS) == 13


@pytest.mark.parametrize("row", ROWS, ids=[row.shell for row in ROWS])
def test_row_is_what_the_validator_says(row: Row) -> None:
    assert find_code(row.origin, credentials=False) == row.outcome
    assert find_code(row.origin, credentials=True) == row.outcome
    if row.outcome == "starts":
        guard = Guard(Policy(allow_origins=[row.origin]))
        assert guard.decide("/", row.origin, "GET", {}).allowed


def test_shells_send_a_token_and_no_cookie() -> None:
    app = CORSMiddleware(respond, run_guard())
    for page in ("capacitor://localhost", "https://localhost", "http://tauri.localhost"):
        browser = Browser.on(app, page=page, url=API)
        headers = {"Authorization": "Bearer abc", "Content-Type": "application/json"}
        assert browser.fetch("/", method="POST", headers=headers, body="{}").body == b"items"
        with pytest.raises(Blocked):
            browser.fetch("/", credentials="include")
    website = Browser.on(app, page="https://app.example.com", url=API)
    assert website.fetch("/", credentials="include").body == b"items"


def test_log_line_is_as_shown(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(Policy(allow_origins=["https://app.example.com"]))
    app = CORSMiddleware(respond, guard)
    with caplog.at_level(logging.WARNING, "corsguard"), pytest.raises(Blocked):
        Browser.on(app, page="capacitor://localhost", url=API).fetch("/items")
    [shown] = read_blocks(PAGE, "text")
    assert " ".join(shown.code.split()) in caplog.text


def test_native_code_sends_no_origin() -> None:
    assert run_guard().decide("/", None, "POST", {}).status is None


def test_name_of_your_domain_is_accepted() -> None:
    assert find_code("https://mobile.example.com", credentials=True) == "starts"


def test_flag_of_null_counts_without_cookies_only() -> None:
    [block] = read_blocks(PAGE, "toml")
    document = tomllib.loads(block.code)
    assert Guard.from_mapping(document).decide("/", "null", "GET", {}).allowed
    with pytest.raises(PolicyError, match="origin-null"):
        Guard.from_mapping({**document, "allow_credentials": True})


def test_id_of_an_extension_is_listed_alone() -> None:
    [own] = re.findall(r"`(chrome-extension://[a-p]{32})`", read_page(PAGE))
    assert find_code(own, credentials=True) == "starts"
    for credentials in (False, True):
        assert find_code("moz-extension://*", credentials=credentials) == "origin-invalid"
    pattern = re.compile(r"moz-extension://[0-9a-f-]{36}")
    assert find_code(pattern, credentials=True) == "regex-too-wide"
    assert find_code(pattern, credentials=False) == "starts"
