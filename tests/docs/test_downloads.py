"""docs/downloads.md: the applications of the page, and what a script may read of their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.doc_pages import read_blocks, read_page
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from corsguard import Guard, Policy
from corsguard.browser import Blocked, Browser
from corsguard.fetch_spec import SAFELISTED_RESPONSE_HEADERS
from corsguard_flask import CORSGuard
from corsguard_wsgi import CORSMiddleware

PAGE = "downloads"
APP, API = "https://app.example.com", "https://api.example.com"


def run_python(number: int) -> Any:
    """Return the application that a block of the page creates."""
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(read_blocks(PAGE, "python")[number].code, f"{PAGE}.md", "exec"), names)
    return names["app"]


def test_page_has_no_other_blocks() -> None:
    languages = [block.language for block in read_blocks(PAGE)]
    assert languages == ["python", "js", "js", "python", "json"]  # tests/e2e runs the js


def test_script_reads_name_and_range() -> None:
    browser = Browser.on(run_python(0), page=APP, url=API)

    response = browser.fetch("/report.csv")
    assert response.headers["content-disposition"] == "attachment; filename=report.csv"
    part = browser.fetch("/report.csv", headers={"Range": "bytes=0-7"})
    assert (part.status, part.body) == (206, b"id,total")
    assert part.headers["content-range"] == "bytes 0-7/13"
    assert browser.preflights == 0


@pytest.mark.parametrize(
    "headers", [{"Range": "bytes=-7"}, {"Range": "bytes=0-1,3-4"}, {"If-Range": '"1"'}]
)
def test_other_ranges_need_a_preflight(headers: dict[str, str]) -> None:
    browser = Browser.on(run_python(0), page=APP, url=API)
    with pytest.raises(Blocked) as caught:
        browser.fetch("/report.csv", headers=headers)
    [name] = headers
    assert name.lower() in caught.value.console


def test_safelisted_response_headers_are_those_of_the_standard() -> None:
    sentence = read_page(PAGE).partition("A script reads only ")[2].partition(" (Fetch")[0]
    listed = {name.strip("` \n").lower() for name in sentence.replace(" and\n", ", ").split(",")}
    assert listed == set(SAFELISTED_RESPONSE_HEADERS)


def test_static_files_are_for_everyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "static").mkdir()
    (tmp_path / "static/site.css").write_text("body {}")
    app = run_python(1)

    anyone = Browser.on(app, page="https://other.example", url=API)
    assert anyone.fetch("/static/site.css").body == b"body {}"
    with pytest.raises(Blocked):
        anyone.fetch("/items")
    assert Browser.on(app, page=APP, url=API).fetch("/items", credentials="include").body == b"[]"


@pytest.mark.parametrize("library", ["whitenoise", "flask"])
def test_static_file_has_the_headers_of_the_policy(library: str, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/site.css").write_text("body {}")
    app: Any
    if library == "flask":
        app = Flask(__name__, root_path=str(tmp_path))
        CORSGuard(app, allow_origins=[APP])
    else:
        files = WhiteNoise(Flask(__name__), root=str(tmp_path))
        app = CORSMiddleware(files, allow_origins=[APP])

    assert Browser.on(app, page=APP, url=API).fetch("/static/site.css").body == b"body {}"
    with pytest.raises(Blocked):
        Browser.on(app, page="https://other.example", url=API).fetch("/static/site.css")


def test_bucket_rules_say_what_the_policy_says() -> None:
    [block] = read_blocks(PAGE, "json")
    [rule] = json.loads(block.code)
    policy = Policy(
        allow_origins=rule["AllowedOrigins"],
        expose_headers=rule["ExposeHeaders"],
        max_age=rule["MaxAgeSeconds"],
    )
    assert Guard(policy).decide("/", APP, "GET", {}).allowed
