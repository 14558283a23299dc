"""docs/cookies.md: the blocks run, and the table is what the model of a browser does."""

from __future__ import annotations

import shlex
import tomllib
from collections import Counter
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.conf import global_settings
from fastapi import FastAPI, Request
from flask import Flask, session
from support.asgi_exchange import ask, scope_of
from support.cookie_rows import ATTRIBUTES, ROWS, CookieRow, build_api
from support.doc_pages import read_blocks
from support.page_code import run_python
from support.page_django import use_django
from werkzeug.test import Client

from corsguard import Guard, PolicyError
from corsguard.browser import Browser, Cookie, EngineName
from corsguard.browser.site import is_same_site
from corsguard.cli import main
from corsguard.origin import Origin

PAGE, API = "https://app.example.com", "https://api.example.com"
[TOML] = (block.code for block in read_blocks("cookies", "toml"))
FLASK, STARLETTE, SETTINGS, TOKEN = (block.code for block in read_blocks("cookies", "python"))


def test_every_block_is_run() -> None:
    # tests/e2e/test_cookies.py runs those in JavaScript.
    languages = Counter(block.language for block in read_blocks("cookies"))
    assert languages == {"js": 2, "toml": 1, "sh": 1, "text": 1, "python": 4}


def test_wildcard_with_credentials_does_not_start() -> None:
    with pytest.raises(PolicyError) as error:
        Guard.from_mapping({**tomllib.loads(TOML), "allow_origins": ["*"]})
    assert [problem.code for problem in error.value.problems] == ["wildcard-with-credentials"]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("row", ROWS)
def test_table_has_the_cookies_that_are_sent(row: CookieRow, attributes: str) -> None:
    browser = Browser.on(build_api(row, attributes), page=row.page, url=row.api)
    browser.fetch("/login", method="POST", credentials="include")
    assert bool(browser.fetch("/me", credentials="include").text) is row.is_sent(attributes)


def test_credentials_are_needed_on_both_sides() -> None:
    row = ROWS[0]
    browser = Browser.on(build_api(row, ATTRIBUTES[0]), page=row.page, url=row.api)
    browser.fetch("/login", method="POST")
    assert browser.fetch("/me", credentials="include").text == ""
    browser.fetch("/login", method="POST", credentials="include")
    assert browser.fetch("/me").text == ""


@pytest.mark.parametrize("row", ROWS)
def test_table_knows_which_rows_are_one_site(row: CookieRow) -> None:
    assert is_same_site(Origin.parse(row.page), Origin.parse(row.api)) is row.is_one_site


def test_explain_warns_about_the_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("corsguard.toml").write_text(TOML, encoding="utf-8")
    [command] = (block.code for block in read_blocks("cookies", "sh"))
    [shown] = (block.code for block in read_blocks("cookies", "text"))
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command.replace("\\\n", ""))[1:])
    assert (ended.value.code, shown in capsys.readouterr().out) == (0, True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with the policy of the page."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corsguard.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def read_attributes(set_cookie: str) -> tuple[str, bool]:
    """Return SameSite and Secure of a Set-Cookie line."""
    [morsel] = SimpleCookie(set_cookie).values()
    return morsel["samesite"].capitalize(), bool(morsel["secure"])


def test_flask_session_is_sent(folder: Path) -> None:
    app: Flask = run_python(FLASK)["app"]

    @app.post("/login")
    def login() -> str:
        session["user"] = "ada"
        return "welcome"

    @app.get("/me")
    def me() -> str:
        return str(session.get("user"))

    browser = Browser.on(app, page=PAGE, url=API)
    assert browser.fetch("/me", credentials="include").text == "None"
    browser.fetch("/login", method="POST", credentials="include")
    assert browser.fetch("/me", credentials="include").text == "ada"

    response = app.test_client().post("/login", base_url=API)
    assert read_attributes(response.headers["Set-Cookie"]) == ("Lax", True)


def test_flask_has_no_same_site_by_default() -> None:
    assert Flask("page").config["SESSION_COOKIE_SAMESITE"] is None
    assert Flask("page").config["SESSION_COOKIE_SECURE"] is False


def test_starlette_session_is_sent(folder: Path) -> None:
    app: FastAPI = run_python(STARLETTE)["app"]

    @app.post("/login")
    def login(request: Request) -> str:
        request.session["user"] = "ada"
        return "welcome"

    @app.get("/me")
    def me(request: Request) -> str:
        return str(request.session.get("user"))

    browser = Browser.on(app, page=PAGE, url=API)
    assert browser.fetch("/me", credentials="include").json() == "None"
    browser.fetch("/login", method="POST", credentials="include")
    assert browser.fetch("/me", credentials="include").json() == "ada"

    fields = dict(ask(app, scope_of("POST", "/login")).fields)
    assert read_attributes(fields["set-cookie"]) == ("Lax", True)


def test_django_token_lets_the_page_post() -> None:
    csrf = run_python(TOKEN)["csrf"]
    with use_django(run_python(SETTINGS), csrf) as app:
        browser = Browser.on(app, page=PAGE, url=API)
        refused = browser.fetch("/notes", method="POST", credentials="include")
        token = browser.fetch("/csrf", credentials="include").json()["token"]
        headers = {"X-CSRFToken": token}
        posted = browser.fetch("/notes", method="POST", headers=headers, credentials="include")
        set_cookie = Client(app).get("/csrf", base_url=API).headers["Set-Cookie"]
    assert (refused.status, posted.status) == (403, 200)
    assert read_attributes(set_cookie) == ("Lax", True)


def test_django_without_trusted_origin_refuses_the_token() -> None:
    csrf = run_python(TOKEN)["csrf"]
    with use_django({**run_python(SETTINGS), "CSRF_TRUSTED_ORIGINS": []}, csrf) as app:
        browser = Browser.on(app, page=PAGE, url=API)
        headers = {"X-CSRFToken": browser.fetch("/csrf", credentials="include").json()["token"]}
        posted = browser.fetch("/notes", method="POST", headers=headers, credentials="include")
    assert posted.status == 403


def test_django_has_lax_and_no_secure_by_default() -> None:
    for cookie in ("SESSION_COOKIE", "CSRF_COOKIE"):
        assert getattr(global_settings, f"{cookie}_SAMESITE") == "Lax"
        assert getattr(global_settings, f"{cookie}_SECURE") is False


@pytest.mark.parametrize(("page", "status"), [(PAGE, 200), ("https://evil.example", 403)])
def test_enforce_needs_no_token(page: str, status: int) -> None:
    guard = Guard.from_mapping({**tomllib.loads(TOML), "enforce": True})
    decision = guard.decide("/notes", page, "POST", {"Cookie": "session=1"})
    assert (decision.status or 200) == status


@pytest.mark.parametrize(
    ("engine", "received"), [("chromium", "user=ada"), ("firefox", "user=ada"), ("webkit", "")]
)
def test_third_party_cookies_depend_on_the_engine(engine: EngineName, received: str) -> None:
    row = ROWS[-1]
    browser = Browser.on(build_api(row, ATTRIBUTES[1]), page=row.page, url=row.api, engine=engine)
    browser.fetch("/login", method="POST", credentials="include")
    assert browser.fetch("/me", credentials="include").text == received


@pytest.mark.parametrize(("engine", "received"), [("chromium", "user=ada"), ("firefox", "")])
def test_cookie_of_a_visit_depends_on_the_engine(engine: EngineName, received: str) -> None:
    row = ROWS[-1]
    visit = Cookie("user", "ada", "api.example.org", secure=True, same_site="None")
    browser = Browser.on(
        build_api(row, ""), page=row.page, url=row.api, engine=engine, cookies=[visit]
    )
    assert browser.fetch("/me", credentials="include").text == received


def test_partitioned_is_a_setting_of_flask() -> None:
    app = Flask("page")
    app.secret_key = "not secret"
    app.config.update(
        SESSION_COOKIE_PARTITIONED=True, SESSION_COOKIE_SAMESITE="None", SESSION_COOKIE_SECURE=True
    )

    @app.get("/")
    def login() -> str:
        session["user"] = "ada"
        return ""

    set_cookie = app.test_client().get("/", base_url=API).headers["Set-Cookie"]
    assert {"Partitioned", "Secure", "SameSite=None"} <= set(set_cookie.split("; "))
