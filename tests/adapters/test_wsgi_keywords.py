"""The fields of a policy are keywords of the WSGI middleware."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from support.stacks.wsgi import environ_of, through_validator
from support.table import APP, EVIL, cors, cors_fields

from corsguard import Guard, Policy, PolicyError
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = Policy(allow_origins=[APP])


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def ask(app: WSGIApplication, method: str = "GET", origin: str = APP) -> tuple[int, dict[str, str]]:
    """Return the status and the CORS fields of the response."""
    status, headers, _ = through_validator(app, environ_of(method, "/items", [("Origin", origin)]))
    return status, cors_fields(headers)


ALLOWED = (200, cors(allow_origin=APP, vary="Origin"))


def test_policy_fields_are_keywords() -> None:
    app = CORSMiddleware(
        hello,
        allow_origins=[APP],
        allow_credentials=True,
        allow_methods=["PUT"],
        allow_headers=["Content-Type"],
    )
    assert ask(app) == (200, {**ALLOWED[1], **cors(allow_credentials="true")})
    assert ask(app, origin=EVIL) == (200, cors(vary="Origin"))


def test_guard_options_are_keywords() -> None:
    app = CORSMiddleware(hello, allow_origins=[APP], enforce=True, own_origins=[])
    assert ask(app, "POST", EVIL)[0] == 403
    exempt = CORSMiddleware(hello, allow_origins=[APP], enforce=True, enforce_exempt=["/items"])
    assert ask(exempt, "POST", EVIL)[0] == 200
    assert ask(CORSMiddleware(hello, enforce=True), "POST", EVIL)[0] == 403


def test_routes_are_a_keyword() -> None:
    assert ask(CORSMiddleware(hello, routes={"/items": {"allow_origins": [APP]}})) == ALLOWED
    assert ask(CORSMiddleware(hello, routes={"/": POLICY, "/items": None})) == (200, {})


def test_policy_may_be_positional_or_a_keyword() -> None:
    apps = [
        CORSMiddleware(hello, POLICY),
        CORSMiddleware(hello, policy={"/": POLICY}),
        CORSMiddleware(app=hello, policy=Guard(POLICY)),
    ]
    assert [ask(app) for app in apps] == [ALLOWED] * 3


@pytest.mark.parametrize(
    ("fields", "code", "suggestion"),
    [
        ({}, "no-policy", "Policy(allow_origins="),
        ({"allow_origin": [APP]}, "unknown-field", "allow_origins"),
        ({"guard": Guard(POLICY)}, "unknown-field", "policy"),
        ({"policies": POLICY, "enforce": True}, "unknown-field", "policy"),
        ({"policy": POLICY, "enforce": True}, "type-invalid", "Guard(Policy(...), enforce=True)"),
        ({"policy": POLICY, "max_age": 5}, "type-invalid", "allow_origins=[...]"),
        ({"policy": {"allow_origins": [APP]}}, "type-invalid", "allow_origins=[...]"),
        ({"policy": "*"}, "type-invalid", "Policy(allow_origins="),
    ],
)
def test_wrong_keyword_suggests_the_right_call(
    fields: dict[str, Any], code: str, suggestion: str
) -> None:
    with pytest.raises(PolicyError) as raised:
        CORSMiddleware(hello, **fields)
    assert raised.value.problems[0].code == code
    assert suggestion in raised.value.problems[0].suggestion


def test_keywords_are_typed() -> None:
    # mypy fails where one of these is no error.
    with pytest.raises(PolicyError, match="allow_origin: "):
        CORSMiddleware(hello, allow_origin=[APP])  # type: ignore[call-arg]
    with pytest.raises(PolicyError, match="max_age: "):
        CORSMiddleware(hello, allow_origins=[APP], max_age="600")  # type: ignore[arg-type]
    CORSMiddleware(hello, allow_origins=[APP], max_age=None, enforce="report")
