"""Look-ups and callables that see the request, under sync and async Django."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import Event, get_ident
from typing import Any

import pytest
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from support.django_requests import APP, EVIL, Ask, ask_async, ask_sync, cors, preflight

from corsguard import CORSRequest, OriginLookup, Policy
from corsguard_django import cors_policy

SEEN: list[CORSRequest] = []
ALLOWED = {"allow-origin": APP, "vary": "Origin"}
REFUSED = {"vary": "Origin"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allow(origin: str) -> bool:
    return origin == APP


async def allow_async(origin: str) -> bool:
    await asyncio.sleep(0)
    return origin == APP


def allow_host(origin: str, request: CORSRequest) -> bool:
    SEEN.append(request)
    return origin == APP and request.host == "testserver" and request.path != "/closed"


async def allow_host_async(origin: str, request: CORSRequest) -> bool:
    return allow_host(origin, request)


def view(request: HttpRequest, **_: str) -> HttpResponse:
    return HttpResponse("view")


def rewrites(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def rewrite(request: HttpRequest) -> Any:
        request.path_info = request.headers.get("X-Path", request.path_info)
        return get_response(request)

    return rewrite


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    SEEN.clear()
    with override_settings(ROOT_URLCONF=(path("", view), path("<str:name>", view))):
        yield


@pytest.mark.parametrize("predicate", [allow, allow_async])
def test_lookup_sync_or_async_decides_in_both_modes(ask: Ask, predicate: Any) -> None:
    lookup = OriginLookup(predicate)
    with override_settings(CORSGUARD=Policy(allow_origins=[lookup])):
        for _ in range(2):
            assert cors(ask("GET", "/", Origin=APP)) == ALLOWED
            assert cors(ask("GET", "/", Origin=EVIL)) == REFUSED
            assert preflight(ask, "/").status_code == 204
    assert lookup.stats.questions == 2


@pytest.mark.parametrize("predicate", [allow_host, allow_host_async])
@pytest.mark.parametrize("is_lookup", [False, True])
def test_callable_that_sees_the_request_decides_in_both_modes(
    ask: Ask, predicate: Any, is_lookup: bool
) -> None:
    entry = OriginLookup(predicate) if is_lookup else predicate
    host = {"Host": "testserver"} if ask is ask_sync else {}  # Django's async client sends it
    with override_settings(CORSGUARD=Policy(allow_origins=[entry])):
        for _ in range(2):
            assert cors(ask("GET", "/", Origin=APP, **host)) == ALLOWED
            assert cors(ask("GET", "/closed", Origin=APP, **host)) == REFUSED
            assert cors(ask("GET", "/", Origin=APP, Host="other.testserver")) == REFUSED
    assert len(SEEN) == (3 if is_lookup else 6)


def test_path_rewritten_by_a_middleware_below_is_the_one_that_is_asked_about() -> None:
    rewriting = {"MIDDLEWARE": ["corsguard_django.CORSMiddleware", f"{__name__}.rewrites"]}
    host = {"Host": "testserver"}
    with override_settings(CORSGUARD=Policy(allow_origins=[OriginLookup(allow_host)]), **rewriting):
        for _ in range(2):  # the answer for the path before is remembered then
            assert cors(ask_sync("GET", "/open", Origin=APP, **host)) == ALLOWED
            rewritten = ask_sync("GET", "/open", Origin=APP, X_Path="/closed", **host)
            assert cors(rewritten) == REFUSED


def test_path_outside_latin_1_has_an_answer_of_its_own(ask: Ask) -> None:
    seen: list[str] = []

    def allow_question_marks(origin: str, request: CORSRequest) -> bool:
        seen.append(request.path)
        return request.path == "/??"

    entry = OriginLookup(allow_question_marks)
    with override_settings(CORSGUARD=Policy(allow_origins=[entry])):
        for _ in range(2):
            assert cors(ask("GET", "/%3F%3F", Origin=APP)) == ALLOWED
            assert cors(ask("GET", "/%E6%97%A5%E6%9C%AC", Origin=APP)) == REFUSED
    assert (seen[0], len(seen)) == ("/??", 2)  # Django's own clients spell the other in two ways


def test_lookup_in_the_policy_of_a_view_decides(ask: Ask) -> None:
    lookup = OriginLookup(allow)
    own = cors_policy(allow_origins=[lookup], allow_methods=["PUT"])(
        lambda request: HttpResponse("own")
    )
    with override_settings(
        ROOT_URLCONF=(path("own", own),), CORSGUARD=Policy(allow_origins=[EVIL])
    ):
        for _ in range(2):
            assert cors(ask("GET", "/own", Origin=APP)) == ALLOWED
            assert preflight(ask, "/own").status_code == 204
            assert cors(ask("GET", "/own", Origin=EVIL)) == REFUSED
    assert lookup.stats.questions == 2


class Connection:
    """A connection of a thread, which notes where it is closed."""

    def __init__(self, closed: list[int], done: Event) -> None:
        self._closed = closed
        self._done = done

    def close(self) -> None:
        self._closed.append(get_ident())
        self._done.set()


def connecting(asked: list[int], closed: list[int], done: Event) -> Callable[[str], bool]:
    def allow_by_database(origin: str) -> bool:
        asked.append(get_ident())
        connections["default"] = Connection(closed, done)  # type: ignore[assignment]
        return True

    return allow_by_database


def test_thread_of_async_django_closes_its_connections() -> None:
    asked: list[int] = []
    closed: list[int] = []
    done = Event()
    lookup = OriginLookup(connecting(asked, closed, done))
    with override_settings(CORSGUARD=Policy(allow_origins=[lookup])):
        assert cors(ask_async("GET", "/", Origin=APP)) == ALLOWED
    assert done.wait(30)
    assert closed == asked
    assert get_ident() not in closed


@pytest.mark.parametrize("is_async", [False, True])
def test_revalidation_under_sync_django_runs_in_a_thread(is_async: bool) -> None:
    clock, done = Clock(), Event()
    asked: list[int] = []
    closed: list[int] = []
    by_database = connecting(asked, closed, done)

    async def allow_by_database(origin: str) -> bool:
        if asked:  # the connections of the thread that waits are not those of its event loop
            done.set()
        asked.append(get_ident())
        return True

    def allow_later(origin: str) -> bool:
        if not asked:
            asked.append(get_ident())
            return True
        return by_database(origin)

    lookup = OriginLookup(allow_by_database if is_async else allow_later, clock=clock)
    with override_settings(CORSGUARD=Policy(allow_origins=[lookup])):
        assert cors(ask_sync("GET", "/", Origin=APP)) == ALLOWED
        clock.now = 31
        assert cors(ask_sync("GET", "/", Origin=APP)) == ALLOWED
        assert done.wait(30)
        while lookup.stats.open:
            Event().wait(0.001)
        assert lookup.stats.failures == 0
    assert len(asked) == 2
    assert asked[1] != asked[0] == get_ident() or is_async
