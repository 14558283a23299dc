"""examples/django_app.py, over a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from examples.started import ELSEWHERE, PAGE, Answer, Running, started

READABLE = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Content-Disposition, Location",
}
PUBLIC = {"access-control-allow-origin": "*"}
ADA = {"user": "ada", "password": "lovelace"}


@pytest.fixture(scope="module")
def api() -> Iterator[Running]:
    with started("django_app.py") as running:
        yield running


def is_readable(answer: Answer) -> bool:
    """Whether the page may read the answer; SessionMiddleware has it vary by Cookie as well."""
    vary = {name.strip() for name in answer.headers["vary"].split(",")}
    rest = {name: value for name, value in answer.cors.items() if name != "vary"}
    return rest == READABLE and "Origin" in vary


def log_in(api: Running) -> str:
    """The cookie of a new session."""
    answer = api.send("POST", "/api/login", ADA, Origin=PAGE)
    assert answer.status == 204
    assert is_readable(answer)
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "Path=/api", "SameSite=Lax"} <= set(attributes)
    return cookie


def from_page(api: Running, method: str, path: str, body: object = None) -> Answer:
    """An exchange of a page that has logged in, which may read the answer."""
    answer = api.send(method, path, body, Origin=PAGE, Cookie=log_in(api))
    assert is_readable(answer)
    return answer


def test_a_page_creates_reads_updates_and_deletes(api: Running) -> None:
    created = from_page(api, "POST", "/api/items", {"name": "tea"})
    item = {"id": created.json["id"], "name": "tea"}
    path = created.headers["location"]
    assert (created.status, created.json, path) == (201, item, f"/api/items/{item['id']}")
    assert from_page(api, "GET", path).json == item
    assert item in from_page(api, "GET", "/api/items").json

    updated = from_page(api, "PUT", path, {"name": "caf\xe9"})
    assert (updated.status, updated.json) == (200, {**item, "name": "caf\xe9"})

    deleted = from_page(api, "DELETE", path)
    assert (deleted.status, deleted.body) == (204, b"")
    assert from_page(api, "GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/items/999999", 404),
        ("PUT", "/api/items/999999", 404),
        ("DELETE", "/api/items/999999", 404),
        ("DELETE", "/api/items", 405),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/failure", 500),
    ],
)
def test_a_page_can_read_that_something_is_wrong(
    api: Running, method: str, path: str, status: int
) -> None:
    assert from_page(api, method, path, {"name": "tea"}).status == status


@pytest.mark.parametrize("cookie", ["", "sessionid=forged", "other=1"])
def test_without_a_session_nothing_changes(api: Running, cookie: str) -> None:
    answer = api.send("POST", "/api/items", {"name": "forged"}, Origin=PAGE, Cookie=cookie)
    assert answer.status == 403
    assert is_readable(answer)
    assert api.send("DELETE", "/api/items/1", Origin=PAGE, Cookie=cookie).status == 403
    assert b"forged" not in api.send("GET", "/api/items").body


@pytest.mark.parametrize("login", [{**ADA, "password": "babbage"}, {"user": "b", "password": ""}])
def test_a_wrong_password_gets_no_session(api: Running, login: object) -> None:
    answer = api.send("POST", "/api/login", login, Origin=PAGE)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{}, [], "text", None])
def test_a_form_that_lacks_something_is_a_bad_request(api: Running, body: object) -> None:
    assert from_page(api, "POST", "/api/items", body).status == 400


def test_a_page_downloads_a_file_and_may_read_its_name(api: Running) -> None:
    number = from_page(api, "POST", "/api/items", {"name": 'a "b", c'}).json["id"]
    answer = from_page(api, "GET", "/api/items.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'
    assert f'{number},"a ""b"", c"\r\n' in answer.body.decode()


@pytest.mark.parametrize("path", ["/api/items", "/api/items/1", "/api/failure", "/api/nothing"])
def test_a_preflight_is_answered_for_every_path(api: Running, path: str) -> None:
    answer = api.preflight(path, "PUT")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.cors == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
        "access-control-allow-headers": "Content-Type",
        "access-control-max-age": "7200",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }


def test_a_page_from_elsewhere_is_refused_and_changes_nothing(api: Running) -> None:
    assert api.preflight("/api/items", "POST", ELSEWHERE).status == 403
    read = api.send("GET", "/api/items", Origin=ELSEWHERE)
    assert (read.status, read.cors) == (200, {"vary": "Origin"})
    cookie = log_in(api)
    written = api.send("POST", "/api/items", {"name": "evil"}, Origin=ELSEWHERE, Cookie=cookie)
    assert (written.status, written.cors) == (403, {"vary": "Origin"})
    assert written.body.startswith(b"corsguard: cross-origin refused")
    assert b"evil" not in api.send("GET", "/api/items").body


def test_any_page_may_read_what_is_public_and_write_nothing(api: Running) -> None:
    read = api.send("GET", "/public/items", Origin=ELSEWHERE)
    assert (read.status, read.cors) == (200, PUBLIC)
    assert read.json == api.send("GET", "/api/items").json
    written = api.send("POST", "/public/items", {"name": "evil"}, Origin=ELSEWHERE)
    assert (written.status, written.cors) == (405, PUBLIC)
    preflight = api.preflight("/public/items", "PUT", ELSEWHERE)
    assert preflight.status == 204
    assert "access-control-allow-methods" not in preflight.headers


def test_a_client_that_is_no_browser_needs_no_origin(api: Running) -> None:
    assert api.send("POST", "/api/items", {"name": "tea"}, Cookie=log_in(api)).status == 201
