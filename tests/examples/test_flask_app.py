"""examples/flask_app.py, started by the command in its first lines, on a real socket."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile

import pytest
from examples.started import ELSEWHERE as STRANGER
from examples.started import PAGE, ROOT, Answer, Running

EXAMPLE = ROOT / "examples" / "flask_app.py"


class Browser:
    """Sends what a page of an origin would, with the cookie that it was given."""

    def __init__(self, api: Running, origin: str) -> None:
        self.api = api
        self.origin = origin
        self.cookie: dict[str, str] = {}

    def fetch(self, method: str, path: str, value: object = None) -> Answer:
        answer = self.api.send(method, path, value, Origin=self.origin, **self.cookie)
        if given := answer.headers.get("set-cookie"):
            self.cookie = {"Cookie": given.partition(";")[0]}
        return answer


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("access-control-allow-origin")


@pytest.fixture(scope="module")
def api() -> Iterator[Running]:
    documented = re.search(r"\n\n    flask (.+ --port) 8000\n", EXAMPLE.read_text(encoding="utf-8"))
    assert documented, "the first lines give no command"
    with subprocess.Popen(
        [sys.executable, "-m", "flask", *documented[1].split(), "0"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    ) as server:
        try:
            assert server.stderr is not None
            printed = "".join(takewhile(lambda line: "CTRL+C" not in line, server.stderr))
            address = re.search(r"Running on http://localhost:(\d+)\n", printed)
            assert address, f"it printed {printed!r}"
            yield Running(int(address[1]))
        finally:
            server.terminate()
            server.communicate()


@pytest.fixture
def page(api: Running) -> Browser:
    """A page that has logged in."""
    browser = Browser(api, PAGE)
    answer = browser.fetch("POST", "/api/login", {"user": "ada", "password": "lovelace"})
    assert (answer.status, allowed(answer)) == (204, PAGE)
    return browser


def test_items_are_created_read_listed_changed_and_deleted(page: Browser) -> None:
    created = page.fetch("POST", "/api/items", {"name": "tea"})
    assert (created.status, created.json["name"], allowed(created)) == (201, "tea", PAGE)
    assert "Location" in created.headers["access-control-expose-headers"]
    url = created.headers["location"]
    assert page.fetch("GET", url).json == created.json
    assert created.json in page.fetch("GET", "/api/items").json
    preflight = page.api.preflight(url, "PUT")
    assert (preflight.status, allowed(preflight)) == (204, PAGE)
    assert preflight.headers["access-control-allow-credentials"] == "true"
    changed = page.fetch("PUT", url, {"name": "coffee"})
    assert (changed.json["name"], allowed(changed)) == ("coffee", PAGE)
    assert page.fetch("DELETE", url).status == 204
    gone = page.fetch("GET", url)
    assert (gone.status, allowed(gone)) == (404, PAGE)


def test_items_are_downloaded(page: Browser) -> None:
    page.fetch("POST", "/api/items", {"name": "a, b"})
    answer = page.fetch("GET", "/api/items.csv")
    assert answer.body.endswith(b',"a, b"\r\n')
    assert "Content-Disposition" in answer.headers["access-control-expose-headers"]


def test_a_page_that_has_not_logged_in_reads_that_it_has_not(api: Running) -> None:
    answer = Browser(api, PAGE).fetch("POST", "/api/items", {"name": "tea"})
    assert (answer.status, allowed(answer)) == (401, PAGE)


@pytest.mark.parametrize(
    ("value", "status"), [({"user": "ada", "password": "x"}, 403), ({}, 400), ("ada", 400)]
)
def test_a_mistaken_login_is_readable(api: Running, value: object, status: int) -> None:
    answer = Browser(api, PAGE).fetch("POST", "/api/login", value)
    assert (answer.status, allowed(answer)) == (status, PAGE)


def test_a_failure_is_readable(page: Browser) -> None:
    answer = page.fetch("GET", "/api/failure")
    assert (answer.status, allowed(answer)) == (500, PAGE)


def test_a_stranger_neither_reads_nor_writes(page: Browser) -> None:
    stranger = Browser(page.api, STRANGER)
    stranger.cookie = page.cookie
    assert allowed(stranger.fetch("GET", "/api/items")) is None
    assert page.api.preflight("/api/items/1", "PUT", STRANGER).status == 403
    assert stranger.fetch("POST", "/api/items", {"name": "theirs"}).status == 403
    assert "theirs" not in str(page.fetch("GET", "/api/items").json)


def test_anyone_reads_what_is_public(page: Browser) -> None:
    created = page.fetch("POST", "/api/items", {"name": "seen"}).json
    answer = Browser(page.api, STRANGER).fetch("GET", "/public/items")
    assert allowed(answer) == "*"
    assert created in answer.json


def test_the_policies_are_sound_and_shown() -> None:
    command = [sys.executable, "-m", "flask", "--app", str(EXAMPLE), "cors"]
    shown = subprocess.run([*command, "routes"], capture_output=True, text=True, check=True)
    assert re.search(r"GET +/public/items +\* +view", shown.stdout)
    assert re.search(r"PUT +/api/items/<int:number> +http://localhost:3000", shown.stdout)
    done = subprocess.run([*command, "check"], capture_output=True, text=True, check=True)
    assert done.stdout == "no problems\n"
