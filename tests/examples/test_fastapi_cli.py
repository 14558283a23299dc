"""examples/fastapi_app.py, served by FastAPI's own command: it looks for the FastAPI object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_client import ELSEWHERE, PAGE, Client
from support.servers.example import ROOT, example

READABLE = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Content-Disposition, Location",
    "vary": "Origin",
}


@pytest.fixture(scope="module", params=["dev --no-reload", "run"])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    command = f"fastapi {request.param} examples/fastapi_app.py --host 127.0.0.1"
    with example("fastapi_app.py", command) as url:
        yield Client(url)


def test_page_can_read_a_response(api: Client) -> None:
    answer = api.send("GET", "/api/items", Origin=PAGE)
    assert (answer.status, answer.json, answer.cors) == (200, [], READABLE)


def test_preflight_is_answered(api: Client) -> None:
    answer = api.preflight("/api/items/1", "PUT")
    assert answer.status == 204
    assert answer.cors["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE"
    assert api.preflight("/api/items/1", "PUT", ELSEWHERE).status == 403


@pytest.mark.parametrize(
    ("path", "status"), [("/api/failure", 500), ("/api/nothing", 404), ("/api/items/one", 422)]
)
def test_page_can_read_an_error(api: Client, path: str, status: int) -> None:
    answer = api.send("GET", path, Origin=PAGE)
    assert (answer.status, answer.cors) == (status, READABLE)


def test_unlisted_page_is_refused(api: Client) -> None:
    login = {"user": "ada", "password": "lovelace"}
    assert api.send("POST", "/api/login", login, Origin=PAGE).status == 204
    refused = api.send("POST", "/api/login", login, Origin=ELSEWHERE)
    assert (refused.status, refused.cors) == (403, {"vary": "Origin"})
    assert refused.body.startswith(b"corsguard: cross-origin refused")


def test_view_has_its_own_policy(api: Client) -> None:
    answer = api.send("GET", "/public/count", Origin=ELSEWHERE)
    assert (answer.status, answer.cors) == (200, {"access-control-allow-origin": "*"})


def test_docstring_of_the_example_names_the_command() -> None:
    text = (ROOT / "examples/fastapi_app.py").read_text(encoding="utf-8")
    assert "`fastapi dev examples/fastapi_app.py`" in text.partition('"""\n')[0]
