"""The shadow mode of the WSGI middleware changes nothing, and says what would differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.shadow import list_rows

from corsguard import Guard, Policy, PolicyError
from corsguard.engine.decision import DECISION
from corsguard_wsgi import CORSMiddleware
from corsguard_wsgi.application import describe_app
from corsguard_wsgi.shadow import ShadowMiddleware

APP, EVIL = "https://app.example", "https://evil.example"
POLICY = Policy(allow_origins=[APP])


class Body:
    """A streamed body that must be closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    def close(self) -> None:
        self.is_closed = True


BODY = Body()


def old_layer(environ: dict[str, Any], start_response: Any) -> Any:
    """Reflect any origin, with credentials, as old layers do."""
    headers = [("Content-Type", "text/plain"), ("X-One", "1"), ("X-One", "2")]
    if origin := environ.get("HTTP_ORIGIN"):
        headers.append(("access-control-allow-origin", origin))
        headers.append(("Access-Control-Allow-Credentials", "true"))
    environ["PATH_INFO"] = "/changed"
    if environ.get("HTTP_X_FAIL"):
        try:
            int("of the application")
        except ValueError:
            start_response("503 Sorry", headers, sys.exc_info())
            return [b"sorry"]
    start_response("299 Fine", headers)
    return BODY


def call(app: Any, method: str = "GET", **fields: str) -> tuple[Any, ...]:
    started: list[Any] = []

    def start_response(*given: Any) -> str:
        started.append(given)
        return "write"

    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/api", "QUERY_STRING": ""}
    environ |= {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    body = app(environ, start_response)
    [(status, headers, *error)] = started
    return status, headers, [each[:2] for each in error], body, environ


@pytest.mark.parametrize("policy", [POLICY, {"/": None}, Guard(POLICY, enforce=True)])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"origin": APP},
        {"origin": EVIL, "cookie": "a=b"},
        {"origin": EVIL, "access_control_request_method": "PUT"},
        {"sec_fetch_site": "cross-site"},
        {"origin": APP, "upgrade": "websocket"},
    ],
)
def test_everything_passes_as_it_is(policy: Any, method: str, fields: dict[str, str]) -> None:
    shadow = CORSMiddleware(old_layer, policy, shadow=True)

    assert call(shadow, method, **fields) == call(old_layer, method, **fields)


def test_body_is_neither_read_nor_wrapped() -> None:
    body = call(CORSMiddleware(old_layer, POLICY, shadow=True), origin=APP)[3]

    assert body is BODY
    assert not BODY.is_closed


def test_error_passes_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    shadow = CORSMiddleware(old_layer, POLICY, shadow=True)

    found = call(shadow, origin=EVIL, x_fail="1")

    expected = call(old_layer, origin=EVIL, x_fail="1")
    assert found[0] == expected[0]
    assert found[2][0][0] is ValueError
    assert [row[0] for row in list_rows(caplog)] == ["would-refuse"]


def test_exception_passes_unchanged() -> None:
    error = ValueError("of the application")

    def fail(_: Any, __: Any) -> Any:
        raise error

    with pytest.raises(ValueError, match="of the application") as raised:
        call(CORSMiddleware(fail, POLICY, shadow=True), origin=APP)
    assert raised.value is error


def test_no_decision_is_left_in_the_environ() -> None:
    shadow = CORSMiddleware(old_layer, POLICY, shadow=True)

    assert DECISION not in call(shadow, origin=APP)[-1]


def test_route_is_that_of_the_path_before_the_application_changes_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = CORSMiddleware(old_layer, {"/api": POLICY, "/changed": None}, shadow=True)

    call(shadow, origin=EVIL, cookie="a=b")

    assert list_rows(caplog) == [
        ("served-with-cookies", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
    ]


def test_shadow_comes_from_a_guard_or_a_keyword() -> None:
    shadowed = Guard.from_mapping({"allow_origins": [APP], "shadow": True})

    assert isinstance(CORSMiddleware(old_layer, shadowed), ShadowMiddleware)
    assert type(CORSMiddleware(old_layer, shadowed, shadow=False)) is CORSMiddleware
    fields = CORSMiddleware(old_layer, allow_origins=[APP], shadow=True)
    assert isinstance(fields, ShadowMiddleware)
    assert type(CORSMiddleware(old_layer, allow_origins=[APP])) is CORSMiddleware


def test_shadow_needs_a_policy_and_a_bool() -> None:
    with pytest.raises(PolicyError, match="a policy"):
        CORSMiddleware(old_layer, shadow=True)
    with pytest.raises(PolicyError, match="shadow: 'yes' is not a bool"):
        CORSMiddleware(old_layer, POLICY, shadow="yes")  # type: ignore[arg-type]


def test_subclass_in_shadow_mode_changes_nothing() -> None:
    class Own(CORSMiddleware):
        pass

    assert (
        call(Own(old_layer, POLICY, shadow=True), origin=EVIL)[1] == call(old_layer, origin=EVIL)[1]
    )


def test_commands_find_the_guard() -> None:
    shadow = CORSMiddleware(old_layer, POLICY, shadow=True)

    found = describe_app(shadow)

    assert found is not None
    assert found.guard is shadow.guard
