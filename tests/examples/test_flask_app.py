"""examples/flask_app.py, started by the command in its first lines, on a real socket."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask_app.py"
PAGE = "http://localhost:3000"
STRANGER = "https://stranger.example"


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def allowed(self) -> str | None:
        return self.headers["Access-Control-Allow-Origin"]


class Browser:
    """Sends what a page of an origin would, with the cookies that it was given."""

    def __init__(self, port: int, origin: str) -> None:
        self.port = port
        self.origin = origin
        self.cookie: str | None = None

    def fetch(self, method: str, path: str, value: object = None, **headers: str) -> Answer:
        fields = {"Origin": self.origin, **headers}
        if self.cookie:
            fields["Cookie"] = self.cookie
        body = None
        if value is not None:
            fields["Content-Type"], body = "application/json", json.dumps(value)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, fields)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        if given := answer.headers["Set-Cookie"]:
            self.cookie = given.partition(";")[0]
        return answer

    def preflight(self, method: str, path: str) -> Answer:
        asked = {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type",
        }
        return self.fetch("OPTIONS", path, **asked)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    _, _, command, *_ = EXAMPLE.read_text(encoding="utf-8").split("\n")
    program, *arguments = command.split()
    assert program == "flask"
    started = [sys.executable, "-m", "flask", *arguments[:-1], "0"]
    with subprocess.Popen(
        started,
        cwd=EXAMPLE.parents[1],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stderr is not None
        lines = (re.search(r"Running on http://127\.0\.0\.1:(\d+)", line) for line in server.stderr)
        yield int(next(found for found in lines if found)[1])
        server.terminate()
        server.stderr.read()


@pytest.fixture
def page(port: int) -> Browser:
    """A page that has logged in."""
    browser = Browser(port, PAGE)
    answer = browser.fetch("POST", "/api/login", {"user": "ada", "password": "lovelace"})
    assert (answer.status, answer.allowed) == (204, PAGE)
    return browser


def test_items_are_created_read_listed_changed_and_deleted(page: Browser) -> None:
    created = page.fetch("POST", "/api/items", {"name": "tea"})
    assert (created.status, created.json["name"], created.allowed) == (201, "tea", PAGE)
    assert "Location" in created.headers["Access-Control-Expose-Headers"]
    url = created.headers["Location"]
    assert page.fetch("GET", url).json == created.json
    assert created.json in page.fetch("GET", "/api/items").json
    preflight = page.preflight("PUT", url)
    assert (preflight.status, preflight.allowed) == (204, PAGE)
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
    changed = page.fetch("PUT", url, {"name": "coffee"})
    assert (changed.json["name"], changed.allowed) == ("coffee", PAGE)
    assert page.fetch("DELETE", url).status == 204
    gone = page.fetch("GET", url)
    assert (gone.status, gone.allowed) == (404, PAGE)


def test_items_are_downloaded(page: Browser) -> None:
    page.fetch("POST", "/api/items", {"name": "a, b"})
    answer = page.fetch("GET", "/api/items.csv")
    assert answer.body.endswith(b',"a, b"\r\n')
    assert "Content-Disposition" in answer.headers["Access-Control-Expose-Headers"]


def test_a_page_that_has_not_logged_in_reads_that_it_has_not(port: int) -> None:
    answer = Browser(port, PAGE).fetch("POST", "/api/items", {"name": "tea"})
    assert (answer.status, answer.allowed) == (401, PAGE)


@pytest.mark.parametrize(
    ("value", "status"), [({"user": "ada", "password": "x"}, 403), ({}, 400), ("ada", 400)]
)
def test_a_mistaken_login_is_readable(port: int, value: object, status: int) -> None:
    answer = Browser(port, PAGE).fetch("POST", "/api/login", value)
    assert (answer.status, answer.allowed) == (status, PAGE)


def test_a_failure_is_readable(page: Browser) -> None:
    answer = page.fetch("GET", "/api/failure")
    assert (answer.status, answer.allowed) == (500, PAGE)


def test_a_stranger_neither_reads_nor_writes(page: Browser) -> None:
    stranger = Browser(page.port, STRANGER)
    stranger.cookie = page.cookie
    assert stranger.fetch("GET", "/api/items").allowed is None
    assert stranger.preflight("PUT", "/api/items/1").status == 403
    assert stranger.fetch("POST", "/api/items", {"name": "theirs"}).status == 403
    assert "theirs" not in str(page.fetch("GET", "/api/items").json)


def test_anyone_reads_what_is_public(page: Browser) -> None:
    created = page.fetch("POST", "/api/items", {"name": "seen"}).json
    answer = Browser(page.port, STRANGER).fetch("GET", "/public/items")
    assert answer.allowed == "*"
    assert created in answer.json


def test_the_policies_are_sound_and_shown() -> None:
    command = [sys.executable, "-m", "flask", "--app", str(EXAMPLE), "cors"]
    shown = subprocess.run([*command, "routes"], capture_output=True, text=True, check=True)
    assert re.search(r"GET +/public/items +\* +view", shown.stdout)
    assert re.search(r"PUT +/api/items/<int:number> +http://localhost:3000", shown.stdout)
    done = subprocess.run([*command, "check"], capture_output=True, text=True, check=True)
    assert done.stdout == "no problems\n"
