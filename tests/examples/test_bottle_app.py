"""examples/bottle_app.py, over a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_client import ELSEWHERE, PAGE, Client
from support.servers.example import example

READABLE = {"access-control-allow-origin": PAGE, "vary": "Origin"}


@pytest.fixture(scope="module")
def greetings() -> Iterator[Client]:
    with example("bottle_app.py") as url:
        yield Client(url)


def test_page_reads_what_it_wrote(greetings: Client) -> None:
    sent = {"greeting": "H\xe4lsningar"}
    for answer in (
        greetings.send("PUT", "/greetings/sv", sent, Origin=PAGE),
        greetings.send("GET", "/greetings/sv", Origin=PAGE),
    ):
        assert (answer.status, answer.cors, answer.json) == (200, READABLE, sent)


def test_page_can_read_a_500(greetings: Client) -> None:
    answer = greetings.send("GET", "/greetings/xx", Origin=PAGE)
    assert (answer.status, answer.cors) == (500, READABLE)


def test_page_can_read_bottles_own_errors(greetings: Client) -> None:
    for method, path, status in [("GET", "/missing", 404), ("DELETE", "/greetings/en", 405)]:
        answer = greetings.send(method, path, Origin=PAGE)
        assert (answer.status, answer.cors) == (status, READABLE)


def test_preflight_is_answered(greetings: Client) -> None:
    answer = greetings.preflight("/greetings/en", "PUT")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.cors == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, HEAD, POST, PUT",
        "access-control-allow-headers": "Content-Type",
        "access-control-max-age": "7200",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }


def test_unlisted_page_is_refused(greetings: Client) -> None:
    preflight = greetings.preflight("/greetings/en", "PUT", ELSEWHERE)
    assert preflight.status == 403
    assert preflight.body.startswith(b"corsguard: origin not allowed")
    answer = greetings.send("GET", "/greetings/en", Origin=ELSEWHERE)
    assert (answer.status, answer.cors) == (200, {"vary": "Origin"})
