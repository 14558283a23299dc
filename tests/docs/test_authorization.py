"""docs/authorization.md: the blocks run, and what the page says of them holds."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.doc_pages import read_blocks
from support.page_code import run_python

from corsguard import Guard, Policy, PolicyWarning
from corsguard.browser import Answer, Blocked, Browser, EngineName, Request, Sent
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PAGE, API = "https://app.example.com", "https://api.example.com"
TOKEN = {"Authorization": "Bearer secret"}
POLICY, ROUTES = (block.code for block in read_blocks("authorization", "toml"))
APPS = [block.code for block in read_blocks("authorization", "python")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corsguard.toml").write_text(POLICY, encoding="utf-8")


def open_page(app: WSGIApplication, engine: EngineName = "standard") -> Browser:
    return Browser.on(app, page=PAGE, url=API, engine=engine)


def test_every_block_is_run() -> None:
    # tests/e2e/test_authorization.py runs those in JavaScript.
    languages = Counter(block.language for block in read_blocks("authorization"))
    assert languages == {"js": 2, "toml": 2, "python": 2, "text": 1}


@pytest.mark.parametrize("code", APPS)
def test_application_lets_preflights_pass_without_a_token(code: str) -> None:
    browser = open_page(run_python(code)["app"])
    response = browser.fetch("/notes", headers=TOKEN)
    assert (response.status, response.json()) == (200, ["water the plants"])
    assert browser.preflights == 1


@pytest.mark.parametrize("code", APPS)
def test_application_without_a_token_returns_what_the_page_reads(code: str) -> None:
    response = open_page(run_python(code)["app"]).fetch("/notes")
    challenge = response.headers["WWW-Authenticate"].strip()
    assert (response.status, challenge) == (401, "Bearer")


def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    received: str = environ.get("HTTP_AUTHORIZATION") or environ.get("HTTP_COOKIE", "")
    return [received.encode()]


def test_token_check_in_front_of_corsguard_blocks_the_page() -> None:
    def require_token(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ:
            return app(environ, start_response)
        start_response("401 Unauthorized", [])
        return []

    app = CORSMiddleware(respond, Guard.from_file("corsguard.toml"))
    with pytest.raises(Blocked) as blocked:
        open_page(require_token).fetch("/", headers=TOKEN)
    assert (
        "Response to preflight request doesn't pass access control check" in blocked.value.console
    )


@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_wildcard_covers_the_header_in_engines_alone(engine: EngineName) -> None:
    with pytest.warns(PolicyWarning, match="does not cover Authorization"):
        policy = Policy(allow_origins=[PAGE], allow_headers=["*"])
    app = CORSMiddleware(respond, policy)
    assert open_page(app, engine).fetch("/", headers=TOKEN).text == TOKEN["Authorization"]
    with pytest.raises(Blocked, match="authorization"):
        open_page(app).fetch("/", headers=TOKEN)


def test_wildcard_with_the_name_is_right_everywhere() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = Policy(allow_origins=[PAGE], allow_headers=["*", "Authorization"])
    app = CORSMiddleware(respond, policy)
    assert open_page(app).fetch("/", headers=TOKEN).text == TOKEN["Authorization"]


def test_refresh_token_goes_to_its_path_alone() -> None:
    [line] = (block.code for block in read_blocks("authorization", "text"))
    line = line.removeprefix("Set-Cookie: ").strip()

    def sign_in(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/auth/login":
            return respond(environ, start_response)
        start_response("200 OK", [("Set-Cookie", line)])
        return []

    app = CORSMiddleware(sign_in, Guard.from_mapping(tomllib.loads(ROUTES)))
    browser = open_page(app)
    browser.fetch("/auth/login", method="POST", credentials="include")
    refreshed = browser.fetch("/auth/refresh", method="POST", credentials="include")
    assert refreshed.text.startswith("refresh=")
    assert browser.fetch("/notes", headers=TOKEN).text == TOKEN["Authorization"]
    with pytest.raises(Blocked):
        browser.fetch("/notes", credentials="include")


@pytest.mark.parametrize(
    ("location", "kept"), [("/notes/", True), ("https://api.example.org/", False)]
)
def test_header_does_not_follow_to_another_origin(location: str, kept: bool) -> None:
    allowed = (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Headers", "Authorization"),
    )
    received: list[Sent] = []

    def send(sent: Sent) -> Answer:
        received.append(sent)
        if sent.method == "GET" and sent.url.endswith("/notes"):
            return Answer(307, (*allowed, ("Location", location)))
        return Answer(200, allowed)

    request = Request(f"{API}/notes", headers=tuple(TOKEN.items()))
    exchange = Browser(page=PAGE).play(request, send)
    assert exchange.refusal is None
    names = {name.lower() for name, _ in received[-1].headers}
    assert ("authorization" in names) is kept


def test_header_sent_by_hand_is_no_credential() -> None:
    app = CORSMiddleware(respond, Guard.from_file("corsguard.toml"))
    basic = {"Authorization": "Basic YWRhOnNlY3JldA=="}
    assert open_page(app).fetch("/", headers=basic).text == basic["Authorization"]
