"""What a server behind corsguard answers, without the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_policies import (
    API,
    ENGINES,
    GUARDS,
    LISTS,
    PAGES,
    REQUESTS,
    VALID,
    build_guard,
    cut_unreachable,
)

from corsguard import Guard, Policy
from corsguard.browser import Answer, Browser, EngineName, Request, Sent
from corsguard.browser.transport import open_transport
from corsguard.explain.policy_server import build_policy_server
from corsguard.origin import Origin
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

APP = ("Origin", "https://app.example.com")
EVIL = ("Origin", "https://evil.example")
ASKED = ("Access-Control-Request-Method", "PUT")
POLICY = Policy(allow_origins=[APP[1]], allow_methods=["PUT"])


def answer(method: str, path: str, *headers: tuple[str, str], enforce: bool = False) -> Answer:
    guard = Guard({"/api": POLICY, "/é b": POLICY, "/api/off": None}, enforce=enforce)
    return build_policy_server(guard)(Sent(method, f"https://api.example.com{path}", headers))


def names(given: Answer) -> list[str]:
    return [name for name, _ in given.headers]


def test_actual_request_gets_the_headers_of_the_policy() -> None:
    assert answer("GET", "/api/items?page=2", APP) == Answer(
        200, (("Access-Control-Allow-Origin", APP[1]), ("Vary", "Origin"))
    )


def test_preflight_is_answered_by_the_policy() -> None:
    assert answer("OPTIONS", "/api", APP, ASKED).status == 204
    refused = answer("OPTIONS", "/api", EVIL, ASKED)
    assert (refused.status, names(refused)) == (403, ["Vary", "Content-Type", "Content-Length"])
    assert refused.body.startswith(b"corsguard: origin not allowed")


@pytest.mark.parametrize("path", ["/", "/api/off", "/api//items"])
def test_path_without_a_policy_reaches_the_application(path: str) -> None:
    assert answer("GET", path, APP) == Answer(200)
    assert answer("OPTIONS", path, APP, ASKED) == Answer(405)


def test_options_without_a_preflight_reaches_the_application() -> None:
    assert answer("OPTIONS", "/api", APP).status == 200


@pytest.mark.parametrize("path", ["/%61pi", "/%C3%A9%20b"])
def test_path_is_decoded_once(path: str) -> None:
    assert "Access-Control-Allow-Origin" in names(answer("GET", path, APP))
    assert names(answer("GET", path.replace("%", "%25"), APP)) == []


def test_enforcement_refuses_before_the_application() -> None:
    refused = answer("POST", "/", EVIL, enforce=True)
    assert (refused.status, refused.body[:10]) == (403, b"corsguard:")


def test_enforcement_refuses_an_unsafe_cookie() -> None:
    assert answer("POST", "/api", APP, enforce=True).status == 200
    assert answer("POST", "/api", APP, ("Cookie", "a=1"), enforce=True).status == 403


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    is_unknown = environ["corsguard.decision"].reason == "NO_POLICY"
    unanswered = environ["REQUEST_METHOD"] == "OPTIONS" and is_unknown
    start_response("405 Method Not Allowed" if unanswered else "200 OK", [])
    return []


@settings(max_examples=400, derandomize=True)
@given(GUARDS, st.sampled_from(PAGES), REQUESTS, ENGINES)
@pytest.mark.slow
def test_application_behind_the_guard_has_the_same_exchange(
    guard: Guard, page: str, request: Request, engine: EngineName
) -> None:
    if not (guard.policies or guard.enforce):
        guard = Guard(None, enforce=True)  # a middleware without anything to do does not start
    send = open_transport(CORSMiddleware(application, guard), Origin.parse(API))
    browsers = (Browser(page, engine=engine) for _ in range(2))
    assert next(browsers).play(request, build_policy_server(guard)) == next(browsers).play(
        request, send
    )


@settings(max_examples=300, derandomize=True)
@given(LISTS, VALID, st.sampled_from(PAGES), REQUESTS, ENGINES)
@pytest.mark.slow
def test_policy_added_to_a_list_takes_nothing_away(
    policies: list[Policy], added: Policy, page: str, request: Request, engine: EngineName
) -> None:
    longer = cut_unreachable([*policies, added])
    before, after = (
        Browser(page, engine=engine).play(request, build_policy_server(build_guard(each, False)))
        for each in (policies, longer)
    )
    assert after.allowed or not before.allowed


@settings(max_examples=300, derandomize=True)
@given(LISTS, st.sampled_from(PAGES), REQUESTS, ENGINES)
@pytest.mark.slow
def test_page_that_no_listed_origin_covers_never_reads_with_cookies(
    policies: list[Policy], page: str, request: Request, engine: EngineName
) -> None:
    listed = [policy for policy in policies if "*" not in policy.allow_origins]
    covered = any(Guard(policy).decide("/", page, "GET", {}).allowed for policy in listed)
    is_read = request.mode == "cors" and request.credentials == "include"
    send = build_policy_server(build_guard(policies, False))
    if is_read and not covered:
        assert not Browser(page, engine=engine).play(request, send).allowed
