"""docs/multi-tenant.md: its application keeps tenants apart, and its commands publish a new one."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.doc_pages import read_blocks
from support.tenants import run_application, write_application

from corsguard import Guard, Policy
from corsguard.browser import Blocked, Browser, assert_cors
from corsguard.cli import main
from corsguard.origin import OriginError

PAGE = "multi-tenant"
ADA, OWN = "https://ada.shops.example.com", "https://www.ada.example"
ADA_API, BO_API = "https://ada.api.example.com", "https://bo.api.example.com"


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_application(tmp_path)
    monkeypatch.chdir(tmp_path)


def run_block(number: int) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(read_blocks(PAGE, "python")[number].code, f"{PAGE}.md", "exec"), names)
    return names


def test_page_has_no_other_blocks() -> None:
    languages = [block.language for block in read_blocks(PAGE)]
    assert languages == ["python", "sql", "python", "python", "toml", "sh", "python"]


@pytest.mark.parametrize("page", [ADA, OWN])
def test_frontend_calls_the_api_of_its_tenant_alone(page: str) -> None:
    app = run_application()["app"]
    assert_cors(app, page=page, url=f"{ADA_API}/items", credentials="include")
    refused = assert_cors(app, page=page, url=f"{BO_API}/items", method="POST", blocked=True)
    assert isinstance(refused, Blocked)
    answer = refused.exchange.hops[-1].answer
    assert answer is not None
    assert answer.status == 403


def test_removed_domain_is_refused_once_it_is_forgotten() -> None:
    names = run_application()
    assert_cors(names["app"], page=OWN, url=f"{ADA_API}/items")
    with closing(sqlite3.connect("tenants.db")) as database, database:
        database.execute("DELETE FROM frontends WHERE origin = ?", (OWN,))
    assert_cors(names["app"], page=OWN, url=f"{ADA_API}/items")
    names["frontends"].forget(OWN, host="ada.api.example.com")
    assert_cors(names["app"], page=OWN, url=f"{ADA_API}/items", blocked=True)


def test_pattern_allows_every_tenant() -> None:
    policy = run_block(1)["policy"]
    assert isinstance(policy, Policy)
    for tenant in ("ada", "bo"):
        origin = f"https://{tenant}.shops.example.com"
        assert Guard(policy).decide("/", origin, "GET", {}).allowed


def test_stored_origin_is_as_browsers_send_it() -> None:
    names = run_block(2)
    assert names["origin"] == OWN
    for text in ("https://www.ada.example/", "HTTPS://www.ada.example", "https://adä.example"):
        with pytest.raises(OriginError):
            names["Origin"].parse(text)


def test_preflight_has_no_value_of_a_header() -> None:
    seen: list[dict[str, str]] = []

    def service(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append({name: value for name, value in environ.items() if "TENANT" in name})
        start_response("204 No Content", [])
        return []

    browser = Browser.on(service, page=ADA, url=ADA_API)
    with pytest.raises(Blocked):
        browser.fetch("/items", headers={"X-Tenant": "ada"})
    assert seen == [{}]


def test_new_tenant_is_published(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/policy.db"
    [document] = read_blocks(PAGE, "toml")
    (tmp_path / "corsguard.toml").write_text(document.code)
    [block] = read_blocks(PAGE, "sh")
    allowed = []
    for line in block.code.splitlines():
        command, *arguments = shlex.split(line.replace("redis://localhost:6379/0", store))
        assert command == "corsguard"
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--yes"])
        assert ended.value.code == 0
        guard = Guard(None)
        guard.follow(store)
        allowed.append(guard.decide("/", "https://www.bo.example", "GET", {}).allowed)
        guard.unfollow()
    assert allowed == [False, True]


def test_test_of_the_page_passes(tmp_path: Path) -> None:
    [module] = [block for block in read_blocks(PAGE) if block.file == "test_tenants.py"]
    (tmp_path / "test_tenants.py").write_text(module.code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "4 passed" in run.stdout, run.stdout
