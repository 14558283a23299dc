"""docs/development-and-production.md: each block runs, and what the page says of it holds."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml
from support.audit.serving import wsgi
from support.doc_pages import read_blocks, read_page
from support.page_code import run_python
from support.verify.policies import build_bare

from corsguard import Guard
from corsguard.browser.url import URL
from corsguard.cli import main
from corsguard_wsgi import CORSMiddleware

NAME = "development-and-production"
FILES = {block.file: block.code for block in read_blocks(NAME, "toml")}
SERVICE, TEST = (block.code for block in read_blocks(NAME, "python"))
START, BEFORE, AFTER = (block.code for block in read_blocks(NAME, "sh"))
LOCAL = ["http://localhost:5173", "http://localhost:3000"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder with the files of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for file, code in FILES.items():
        assert file
        Path(file).write_text(code, encoding="utf-8")


def test_every_block_is_run() -> None:
    # tests/e2e/test_development_and_production.py runs the one in JavaScript.
    languages = Counter(block.language for block in read_blocks(NAME))
    assert languages == {"toml": 3, "python": 2, "sh": 3, "js": 1, "yaml": 1}
    assert set(FILES) == {"development.toml", "corsguard.toml", "staging.toml"}


@pytest.mark.parametrize("page", [*LOCAL, "https://app.example.com"])
def test_application_has_the_policy_of_its_environment(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_allowed() -> bool:
        guard = run_python(SERVICE)["app"].extensions["corsguard"].guard
        return bool(guard.decide("/", page, "GET", {}).allowed)

    assert is_allowed() is (page not in LOCAL)
    [(name, value)] = re.findall(r"^(\w+)=(\S+)", START)
    monkeypatch.setenv(name, value)
    assert is_allowed() is (page in LOCAL)


@pytest.mark.parametrize(
    ("url", "origin"),
    re.findall(r"^\| `(https?://[^`]+)` \| `(.+)` \|$", read_page(NAME), re.MULTILINE),
)
def test_each_address_is_an_origin_of_its_own(url: str, origin: str) -> None:
    assert str(URL.parse(url).origin) == origin
    for listed in ("http://localhost:3000", "http://localhost:*"):
        decision = Guard.from_mapping({"allow_origins": [listed]}).decide("/", origin, "GET", {})
        assert decision.allowed is (origin == "http://localhost:3000")


def test_production_allows_no_local_page() -> None:
    run_python(TEST)["test_production_allows_no_local_page"]()


@pytest.mark.parametrize("added", ["http://localhost:*", "http://127.0.0.1:8080"])
def test_local_origin_starts_and_the_test_finds_it(added: str) -> None:
    text = FILES["corsguard.toml"].replace('["https', f'["{added}", "https')
    guard = Guard.from_mapping(tomllib.loads(text))
    assert guard.decide("/", added.replace("*", "3000"), "GET", {}).allowed
    Path("corsguard.toml").write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        run_python(TEST)["test_production_allows_no_local_page"]()


def test_staging_reports_what_it_would_refuse(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard.from_file("staging.toml")
    decision = guard.decide("/", "https://app.example.com", "POST", {})
    assert (decision.allowed, decision.status) == (False, None)
    assert "CROSS_ORIGIN_REFUSED" in caplog.text


@pytest.mark.parametrize("command", BEFORE.replace("\\\n", "").splitlines())
def test_commands_before_a_deployment_exit_with_0(command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:])
    assert ended.value.code == 0


def test_command_after_the_deployment_exits_with_0() -> None:
    app = CORSMiddleware(build_bare, Guard.from_file("corsguard.toml"))
    with wsgi(app) as url:
        words = shlex.split(AFTER.replace("https://api.example.com", url.removesuffix("/v1/items")))
        with pytest.raises(SystemExit) as ended:
            main([*words[1:], "--rate", "9000"])
    assert ended.value.code == 0


def test_containers_list_the_port_that_is_published() -> None:
    [block] = read_blocks(NAME, "yaml")
    services = yaml.safe_load(block.code)["services"]
    port = services["frontend"]["ports"][0].partition(":")[0]
    guard = Guard.from_env(services["api"]["environment"])
    decision = guard.decide("/", f"http://localhost:{port}", "GET", {})
    assert ("Access-Control-Allow-Credentials", "true") in decision.headers
    assert not guard.decide("/", "http://frontend:3000", "GET", {}).allowed
