"""docs/preview-deployments.md: every row of its table and every block, tried."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.doc_pages import read_blocks, read_page

from corsguard import Guard, Policy, PolicyError, dangerous
from corsguard.browser import Browser, Cookie
from corsguard.cli import main
from corsguard.origin import OriginPattern
from corsguard.public_suffix import covers_public_suffix, is_public_suffix
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGE = "preview-deployments"
APP, STRANGER = "https://app.example.com", "https://app-evil-team.vercel.app"


class Row(NamedTuple):
    """A row of the table of hosts."""

    host: str
    preview: str
    suffix: str
    entry: str
    with_cookies: str


def read_rows() -> list[Row]:
    table = read_page(PAGE).partition("| host |")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [Row(*(cell.strip("`") for cell in row[:5])) for row in cells]


ROWS = read_rows()


def find_codes(entry: str, *, credentials: bool) -> list[str]:
    """Return the codes of the problems that a policy with entry has."""
    try:
        Policy(allow_origins=[APP, entry], allow_credentials=credentials)
    except PolicyError as error:
        return [problem.code for problem in error.problems]
    return []


def run_python(number: int) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "docs"}
    exec(compile(read_blocks(PAGE, "python")[number].code, f"{PAGE}.md", "exec"), names)
    return names


def test_page_has_no_other_blocks() -> None:
    languages = [block.language for block in read_blocks(PAGE)]
    assert languages == ["python", "text", "toml", "sh", "python", "toml"]
    assert len(ROWS) == 19


@pytest.mark.parametrize("row", ROWS, ids=[row.host for row in ROWS])
def test_row_is_what_the_validator_says(row: Row) -> None:
    expected = [] if row.with_cookies == "starts" else [row.with_cookies]
    assert find_codes(row.entry, credentials=True) == expected
    assert find_codes(row.entry, credentials=False) == []
    assert find_codes(row.preview, credentials=True) == []


@pytest.mark.parametrize("row", ROWS, ids=[row.host for row in ROWS])
def test_entry_covers_the_preview(row: Row) -> None:
    guard = Guard(Policy(allow_origins=[row.entry]))
    assert guard.decide("/", row.preview, "GET", {}).allowed
    if row.suffix == "none":
        parent = OriginPattern.parse(row.entry).host
        assert not is_public_suffix(parent)
        assert covers_public_suffix(parent) == (row.host == "GitHub Codespaces")
    else:
        assert is_public_suffix(row.suffix)
        assert row.preview.endswith(f".{row.suffix}")


def greet(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ.get("HTTP_COOKIE", "nobody").encode()]


def test_own_domain_is_safe_with_cookies() -> None:
    policy = run_python(0)["policy"]
    assert isinstance(policy, Policy)
    guard = Guard(policy)
    for origin in (APP, "https://pr-12.preview.example.com"):
        headers = guard.decide("/", origin, "GET", {}).headers
        assert ("Access-Control-Allow-Credentials", "true") in headers
    for origin in ("https://preview.example.com", "https://pr-12.example.com"):
        assert not guard.decide("/", origin, "GET", {}).allowed


def test_message_is_as_shown() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=["https://app-*-team.vercel.app"], allow_credentials=True)
    [shown] = read_blocks(PAGE, "text")
    assert " ".join(shown.code.split()) in str(caught.value)


def run_corsguard(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--yes"])
    assert ended.value.code == 0


def test_ci_adds_and_removes_a_preview(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/policy.db"
    file = tmp_path / "corsguard.toml"
    file.write_text(read_blocks(PAGE, "toml")[0].code)
    run_corsguard("publish", str(file), store)
    [block] = read_blocks(PAGE, "sh")
    allowed = []
    for line in block.code.splitlines():
        command, *arguments = shlex.split(line.replace("redis://localhost:6379/0", store))
        assert command == "corsguard"
        run_corsguard(*arguments)
        guard = Guard(None)
        guard.follow(store)
        decision = guard.decide("/", "https://app-git-fix-team.vercel.app", "GET", {})
        allowed.append(decision.allowed)
        guard.unfollow()
    assert allowed == [True, False]


def test_without_cookies_a_stranger_sends_none() -> None:
    policy = run_python(1)["policy"]
    assert isinstance(policy, Policy)
    preflight = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    headers = dict(Guard(policy).decide("/", STRANGER, "OPTIONS", preflight).headers)
    assert headers["Access-Control-Allow-Headers"] == "Authorization"
    assert "Access-Control-Allow-Credentials" not in headers


def test_flag_of_one_entry_lets_a_stranger_in(tmp_path: Path) -> None:
    block = read_blocks(PAGE, "toml")[1]
    (tmp_path / "staging.toml").write_text(block.code)
    guard = Guard.from_file(str(tmp_path / "staging.toml"))
    cookies = [Cookie("session", "ada", "api.example.com", secure=True, same_site="None")]
    app = CORSMiddleware(greet, guard)
    browser = Browser.on(app, page=STRANGER, url="https://api.example.com", cookies=cookies)
    assert browser.fetch("/", credentials="include").body == b"session=ada"

    [code] = re.findall(r"`(dangerous\(.*?\))`", read_page(PAGE))
    entry = eval(code, {"dangerous": dangerous})
    policy = Policy(allow_origins=["https://staging.example.com", entry], allow_credentials=True)
    assert guard.policy_for("/") == policy
