"""What a response of any CORS layer lets a page notice."""

from __future__ import annotations

from typing import Any

import pytest

from corsguard.engine.request import CORSRequest
from corsguard.guard.effect import CORSResponse, Effect, describe_response, read_response

APP = "https://app.example"
SERVED, READABLE, ALL = (
    Effect(True, False, False),
    Effect(True, True, False),
    Effect(True, True, True),
)
BLOCKED = Effect(False, False, False)


def request(**attributes: Any) -> CORSRequest:
    return CORSRequest("/", APP, "GET")._replace(**attributes)


def respond(*headers: tuple[str, str], status: int = 200) -> CORSResponse:
    return CORSResponse.of(read_response(status, headers))


def preflight(names: str | None = None, method: str = "PUT") -> CORSRequest:
    return CORSRequest("/", APP, "OPTIONS", method, names)


@pytest.mark.parametrize(
    ("origin", "credentials", "asked", "expected"),
    [
        (None, None, request(), SERVED),
        ("https://other.example", "true", request(), SERVED),
        ("*", None, request(), READABLE),
        ("*", "true", request(has_cookie=True), SERVED),
        ("*", None, request(has_cookie=True, fetch_mode="no-cors"), READABLE),
        (APP, None, request(), READABLE),
        (APP, None, request(has_cookie=True), SERVED),
        (APP, "true", request(has_cookie=True), ALL),
        (APP, "True", request(), READABLE),
        (f"{APP}, {APP}", "true", request(), SERVED),
        (None, None, request(fetch_site="same-origin"), ALL),
        (None, None, request(origin=None), ALL),
    ],
)
def test_response_to_request_is_read_as_a_browser_does(
    origin: str | None, credentials: str | None, asked: CORSRequest, expected: Effect
) -> None:
    response = CORSResponse(200, origin, credentials)

    assert describe_response(response, asked, ()) == expected


@pytest.mark.parametrize(
    ("fields", "asked", "expected"),
    [
        ((APP, None, "PUT"), preflight(), READABLE),
        ((APP, "true", "PUT"), preflight(), ALL),
        ((APP, "true", "*"), preflight(), READABLE),  # for a request without credentials
        ((APP, "true", None), preflight(), BLOCKED),
        ((APP, None, None), preflight(method="POST"), READABLE),
        ((APP, None, "GET, PUT", "X-One, x-two"), preflight("x-one,x-two"), READABLE),
        ((APP, "true", "PUT", "*"), preflight("x-one"), READABLE),
        ((APP, None, "PUT", "*"), preflight("authorization"), BLOCKED),
        ((APP, None, "PUT", "*, Authorization"), preflight("authorization"), READABLE),
        ((APP, None, "PUT", "x-one"), preflight("x-two"), BLOCKED),
        ((APP, None, "PUT", "*"), preflight(",".join(f"x{n}" for n in range(99))), BLOCKED),
        ((None, None, "PUT"), preflight(), BLOCKED),
    ],
)
def test_response_to_preflight_is_read_as_a_browser_does(
    fields: tuple[str | None, ...], asked: CORSRequest, expected: Effect
) -> None:
    assert describe_response(CORSResponse(200, *fields), asked, ()) == expected
    assert describe_response(CORSResponse(400, *fields), asked, ()) == BLOCKED


def test_fields_are_read_in_any_case_as_text_or_bytes() -> None:
    names = (
        "Access-Control-Allow-Origin",
        "ACCESS-CONTROL-ALLOW-CREDENTIALS",
        "access-control-allow-Methods",
        "Access-Control-Allow-headers",
    )
    headers = [("Vary", "Origin"), *((name, str(index)) for index, name in enumerate(names))]
    raw = [(name.encode(), value.encode()) for name, value in headers]

    expected = CORSResponse(204, "0", "1", "2", "3")
    assert CORSResponse.of(read_response("204 No Content", headers)) == expected
    assert CORSResponse.of(read_response(204, raw)) == expected


def test_several_lines_of_a_field_are_joined() -> None:
    found = [
        (name, value)
        for name in ("Origin", "Credentials", "Methods", "Headers")
        for value in ("a", "b")
    ]
    headers = [(f"Access-Control-Allow-{name}", value) for name, value in found]
    raw = [(name.encode(), value.encode()) for name, value in headers]

    assert respond(*headers) == CORSResponse(200, "a, b", "a, b", "a, b", "a, b")
    assert CORSResponse.of(read_response(200, raw)) == respond(*headers)
