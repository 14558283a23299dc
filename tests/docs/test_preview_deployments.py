"""docs/preview-deployments.md: every row of its table and every block, tried."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.doc_pages import read_blocks, read_page

from corsguard import Guard, Origin, Policy, PolicyError, dangerous
from corsguard.browser import Browser, Cookie
from corsguard.cli import main
from corsguard.public_suffix import find_suffix, is_public_suffix
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGE = "preview-deployments"
APP, STRANGER = "https://app.example.com", "https://app-evil-team.vercel.app"


class Row(NamedTuple):
    """A row of one of the tables of hosts."""

    host: str
    preview: str
    entry: str


def read_rows(heading: str) -> list[Row]:
    section = read_page(PAGE).partition(f"## {heading}")[2].partition("\n## ")[0]
    table = section.partition("| host |")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [Row(*(cell.strip("`") for cell in row[:3])) for row in cells]


SAFE = read_rows("Hosts that reserve your names")
OPEN = read_rows("Hosts where anyone can have a matching name")


def get_host(row: Row) -> str:
    return row.host


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
    assert (len(SAFE), len(OPEN)) == (7, 12)


@pytest.mark.parametrize("row", SAFE, ids=get_host)
def test_entry_of_a_reserved_name_starts_with_cookies(row: Row) -> None:
    assert find_codes(row.entry, credentials=True) == []
    assert find_codes(row.entry, credentials=False) == []


@pytest.mark.parametrize("row", OPEN, ids=get_host)
def test_pattern_of_open_names_starts_without_cookies_only(row: Row) -> None:
    assert find_codes(row.entry, credentials=True) == ["origin-public-suffix"]
    assert find_codes(row.entry, credentials=False) == []
    with pytest.raises(PolicyError, match="origin-public-suffix"):
        Guard(Policy(allow_origins=[row.entry]), enforce=True)
    # Listed by its name, the preview is accepted.
    assert find_codes(row.preview, credentials=True) == []


@pytest.mark.parametrize("row", [*SAFE, *OPEN], ids=get_host)
def test_entry_covers_the_preview(row: Row) -> None:
    assert Guard(Policy(allow_origins=[row.entry])).decide("/", row.preview, "GET", {}).allowed


@pytest.mark.parametrize("row", [*SAFE, *OPEN], ids=get_host)
def test_host_is_on_the_list_as_the_page_says(row: Row) -> None:
    name = Origin.parse(row.preview).host
    labels = name.split(".")
    listed = ".".join(labels[-find_suffix(name).labels :])
    added = row.host in {"GitHub Codespaces", "Azure Static Web Apps"}
    assert is_public_suffix(listed) is not added
    assert (listed == "com") == (row.host == "your own domain")


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
