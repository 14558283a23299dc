"""The examples that are one API in several frameworks, each over a socket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from support.http_client import ELSEWHERE, PAGE, Answer, Client
from support.servers.example import ROOT, example

READABLE = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Content-Disposition, Location",
    "vary": "Origin",
}
PUBLIC = {"access-control-allow-origin": "*"}
ADA = {"user": "ada", "password": "lovelace"}
MALFORMED: list[object] = [{}, [], "text", None]


class Example(NamedTuple):
    """An example, with the differences that come from its framework."""

    name: str
    no_session: int = 401
    """The status without a session."""
    malformed: Sequence[int] = (400, 400, 400, 400)
    """The status of each of MALFORMED."""
    errors: Sequence[tuple[str, str, int]] = ()
    """Other requests whose error the page may read."""
    cookie_path: str = "/api"
    by_path: bool = True
    """True if a policy applies to a path, False if it applies to views."""
    public: str = "/public/items"
    show: Callable[[object], object] = lambda items: items
    """items -> the public view of them."""
    public_write: tuple[int, dict[str, str]] = (405, PUBLIC)
    public_preflight: int = 204
    """The status of a preflight for a method that the public view does not take."""


def count(items: object) -> object:
    assert isinstance(items, list)
    return {"items": len(items)}


EXAMPLES = [
    Example(
        "wsgi",
        errors=[("DELETE", "/api/items", 404), ("GET", "/api/nothing", 404)],
        public_write=(401, PUBLIC),
    ),
    Example(
        "flask",
        malformed=(400, 400, 400, 415),
        cookie_path="/",
        by_path=False,
        public_write=(403, {}),
        public_preflight=200,
    ),
    Example(
        "django",
        no_session=403,
        errors=[("DELETE", "/api/items", 405), ("GET", "/api/nothing", 404)],
    ),
    Example(
        "fastapi",
        malformed=(422, 422, 422, 422),
        errors=[
            ("DELETE", "/api/items", 405),
            ("GET", "/api/nothing", 404),
            ("GET", "/api/items/one", 422),
        ],
        public="/public/count",
        public_write=(403, {}),
        public_preflight=405,
        show=count,
    ),
]


class Api(NamedTuple):
    """A running example."""

    client: Client
    example: Example

    def log_in(self) -> str:
        """Return the cookie of a new session."""
        answer = self.client.send("POST", "/api/login", ADA, Origin=PAGE)
        assert (answer.status, readable(answer)) == (204, READABLE)
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        expected = {"httponly", "samesite=lax", f"path={self.example.cookie_path}"}
        assert expected <= {attribute.lower() for attribute in attributes}
        return cookie

    def from_page(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request of a page with a session, and assert that it may read the response."""
        answer = self.client.send(method, path, body, Origin=PAGE, Cookie=self.log_in())
        assert readable(answer) == READABLE
        return answer


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda each: each.name)
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    each: Example = request.param
    with example(f"{each.name}_app.py") as url:
        yield Api(Client(url), each)


def readable(answer: Answer) -> dict[str, str]:
    """Return its CORS headers, without the `Cookie` that a session adds to `Vary`."""
    vary = [name for name in answer.headers.get("vary", "").split(", ") if name != "Cookie"]
    return {**answer.cors, "vary": ", ".join(vary)}


def test_page_creates_reads_updates_and_deletes(api: Api) -> None:
    created = api.from_page("POST", "/api/items", {"name": "tea"})
    item = {"id": created.json["id"], "name": "tea"}
    path = created.headers["location"]
    assert (created.status, created.json, path) == (201, item, f"/api/items/{item['id']}")
    assert api.from_page("GET", path).json == item
    assert item in api.from_page("GET", "/api/items").json

    updated = api.from_page("PUT", path, {"name": "caf\xe9"})
    assert (updated.status, updated.json) == (200, {**item, "name": "caf\xe9"})
    assert api.from_page("GET", path).json["name"] == "caf\xe9"

    deleted = api.from_page("DELETE", path)
    assert (deleted.status, deleted.body) == (204, b"")
    assert api.from_page("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/items/999999", 404),
        ("PUT", "/api/items/999999", 404),
        ("DELETE", "/api/items/999999", 404),
        ("GET", "/api/failure", 500),
    ],
)
def test_page_can_read_an_error_of_the_view(api: Api, method: str, path: str, status: int) -> None:
    assert api.from_page(method, path, {"name": "tea"}).status == status


def test_page_can_read_an_error_of_the_framework(api: Api) -> None:
    for method, path, status in api.example.errors:
        assert api.from_page(method, path).status == status


@pytest.mark.parametrize("cookie", ["", "session=forged", "sessionid=forged", "other=1"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/items"), ("PUT", "/api/items/1"), ("DELETE", "/api/items/1")],
)
def test_request_without_a_session_changes_nothing(
    api: Api, method: str, path: str, cookie: str
) -> None:
    before = api.from_page("GET", "/api/items").json
    answer = api.client.send(method, path, {"name": "forged"}, Origin=PAGE, Cookie=cookie)
    assert (answer.status, readable(answer)) == (api.example.no_session, READABLE)
    assert api.from_page("GET", "/api/items").json == before


@pytest.mark.parametrize(
    "login", [{**ADA, "password": "babbage"}, {**ADA, "password": ""}, {**ADA, "user": "b"}]
)
def test_wrong_password_gets_no_session(api: Api, login: object) -> None:
    answer = api.client.send("POST", "/api/login", login, Origin=PAGE)
    assert (answer.status, readable(answer)) == (403, READABLE)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("login", [{"user": "ada"}, {"user": "b"}, {"password": "lovelace"}, {}])
def test_incomplete_login_gets_no_session(api: Api, login: object) -> None:
    answer = api.client.send("POST", "/api/login", login, Origin=PAGE)
    assert (answer.status, readable(answer)) == (api.example.malformed[0], READABLE)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/api/items", "/api/login"])
def test_malformed_form_is_a_bad_request(api: Api, path: str) -> None:
    statuses = tuple(api.from_page("POST", path, body).status for body in MALFORMED)
    assert statuses == api.example.malformed


def test_page_downloads_a_file_and_reads_its_name(api: Api) -> None:
    number = api.from_page("POST", "/api/items", {"name": 'a "b", c'}).json["id"]
    answer = api.from_page("GET", "/api/items.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'
    assert f'{number},"a ""b"", c"\r\n' in answer.body.decode()


def test_preflight_is_answered(api: Api) -> None:
    others = ["/api/items", "/api/failure", "/api/nothing"]  # where no view takes the method
    for path in ["/api/items/1", *(others if api.example.by_path else [])]:
        answer = api.client.preflight(path, "PUT")
        assert (answer.status, answer.body) == (204, b"")
        assert answer.cors == {
            "access-control-allow-origin": PAGE,
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
            "access-control-allow-headers": "Content-Type",
            "access-control-max-age": "7200",
            "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        }


def test_unlisted_page_is_refused_and_changes_nothing(api: Api) -> None:
    assert api.client.preflight("/api/items", "POST", ELSEWHERE).status == 403
    read = api.client.send("GET", "/api/items", Origin=ELSEWHERE)
    assert (read.status, read.cors) == (200, {"vary": "Origin"})
    evil, cookie = {"name": "evil"}, api.log_in()
    written = api.client.send("POST", "/api/items", evil, Origin=ELSEWHERE, Cookie=cookie)
    assert (written.status, written.cors) == (403, {"vary": "Origin"})
    assert written.body.startswith(b"corsguard: cross-origin refused")
    assert b"evil" not in api.client.send("GET", "/api/items").body


def test_public_items_are_read_only_for_any_page(api: Api) -> None:
    path = api.example.public
    api.from_page("POST", "/api/items", {"name": "seen"})
    read = api.client.send("GET", path, Origin=ELSEWHERE)
    assert (read.status, read.cors) == (200, PUBLIC)
    assert read.json == api.example.show(api.client.send("GET", "/api/items").json)
    written = api.client.send("POST", path, {"name": "evil"}, Origin=ELSEWHERE)
    assert (written.status, written.cors) == api.example.public_write
    preflight = api.client.preflight(path, "PUT", ELSEWHERE)
    assert preflight.status == api.example.public_preflight
    assert "access-control-allow-methods" not in preflight.headers


def test_client_without_an_origin_is_served(api: Api) -> None:
    answer = api.client.send("POST", "/api/items", {"name": "tea"}, Cookie=api.log_in())
    assert (answer.status, readable(answer)) == (201, {"vary": "Origin"})


def test_wsgi_example_reports_errors_in_json() -> None:
    with example("wsgi_app.py") as url:
        for path, error in [("/api/nothing", "404 Not Found"), ("/api/failure", "a bug")]:
            assert Client(url).send("GET", path).json == {"error": error}


def test_flask_example_passes_flask_cors_check() -> None:
    command = [sys.executable, "-m", "flask", "--app", str(ROOT / "examples/flask_app.py"), "cors"]
    shown = subprocess.run([*command, "routes"], capture_output=True, text=True, check=True)
    assert re.search(r"GET +/public/items +B +the view public_items\n", shown.stdout)
    assert re.search(r"PUT +/api/items/<int:number> +A +every view of the blueprint", shown.stdout)
    assert "\nA  http://localhost:3000; credentials;" in shown.stdout
    assert shown.stdout.endswith("\nB  *\n")
    done = subprocess.run([*command, "check"], capture_output=True, text=True, check=True)
    assert done.stdout == "no problems\n"


def test_django_example_leaves_no_file(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples/django_app.py"), "--help"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    assert list(tmp_path.iterdir()) == []


def test_fastapi_example_keeps_its_items_after_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        with example("fastapi_app.py", DATABASE=str(tmp_path / "items.sqlite")) as url:
            api = Api(Client(url), EXAMPLES[-1])
            assert api.client.send("GET", "/public/count").json == {"items": expected}
            assert api.from_page("POST", "/api/items", {"name": "kept"}).status == 201
