"""Callables of policies, which Django bridges both ways."""

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
from django.utils.decorators import sync_only_middleware
from support.django_requests import APP, EVIL, Ask, ask_async, ask_sync, cors, preflight

from corsguard import Policy

ASKED: list[tuple[int, bool]] = []


def in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def says_yes(origin: str) -> bool:
    ASKED.append((get_ident(), in_event_loop()))
    return origin == APP


async def says_yes_async(origin: str) -> bool:
    ASKED.append((get_ident(), in_event_loop()))
    return origin == APP


async def never_answers(origin: str) -> bool:
    await asyncio.Event().wait()
    return True


def returns_awaitable(origin: str) -> Any:
    return says_yes_async(origin)


def returns_what_never_answers(origin: str) -> Any:
    return never_answers(origin)


class AsksAwaitable:
    def __call__(self, origin: str) -> Any:
        return says_yes_async(origin)


def returns_nested(origin: str) -> Any:
    async def outer() -> Any:
        return says_yes_async(origin)

    return outer()


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    ASKED.clear()
    with override_settings(ROOT_URLCONF=(path("", view),)):
        yield


@sync_only_middleware
def sync_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Has Django call what stands above it, and what it calls, in different threads."""
    return lambda request: get_response(request)


@pytest.mark.parametrize("below", [[], [f"{__name__}.sync_only"]])
@pytest.mark.parametrize(
    "predicate", [says_yes, says_yes_async, returns_awaitable, AsksAwaitable()]
)
def test_callable_sync_or_async_decides_in_both_modes(
    ask: Ask, predicate: Any, below: list[str]
) -> None:
    stack = ["corsguard_django.CORSMiddleware", *below]
    with override_settings(CORSGUARD=Policy(allow_origins=[predicate]), MIDDLEWARE=stack):
        assert cors(ask("GET", "/", Origin=APP)) == {"allow-origin": APP, "vary": "Origin"}
        assert cors(ask("GET", "/", Origin=EVIL)) == {"vary": "Origin"}
        assert preflight(ask, "/").status_code == 204
        assert cors(ask("GET", "/nowhere", Origin=APP))["allow-origin"] == APP
    assert len(ASKED) == 4


@pytest.mark.parametrize("ask_in", [ask_sync, ask_async])
def test_sync_callable_never_runs_in_the_event_loop(ask_in: Ask) -> None:
    policy = Policy(allow_origins=[says_yes, says_yes_async])
    with override_settings(CORSGUARD=policy):
        assert cors(ask_in("GET", "/", Origin=EVIL)) == {"vary": "Origin"}
    assert [in_loop for _, in_loop in ASKED] == [False, True]


def test_sync_callable_runs_in_the_request_thread_of_sync_django() -> None:
    with override_settings(CORSGUARD=Policy(allow_origins=[says_yes])):
        ask_sync("GET", "/", Origin=APP)
    assert [(get_ident(), False)] == ASKED


@pytest.mark.parametrize("predicate", [never_answers, returns_what_never_answers])
def test_async_callable_has_its_timeout_in_both_modes(ask: Ask, predicate: Any) -> None:
    policy = Policy(allow_origins=[predicate], predicate_timeout=0.01)
    with override_settings(CORSGUARD=policy):
        assert cors(ask("GET", "/", Origin=APP)) == {"vary": "Origin"}


def test_sync_callable_that_blocks_async_django_times_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    released = Event()

    def blocks(origin: str) -> bool:
        return released.wait(60)

    def answers(request: HttpRequest) -> HttpResponse:  # in a thread as well
        released.set()
        return HttpResponse("view")

    policy = Policy(allow_origins=[blocks], predicate_timeout=0.01)
    with override_settings(CORSGUARD=policy, ROOT_URLCONF=(path("", answers),)):
        response = ask_async("GET", "/", Origin=APP)
    assert (response.content, cors(response)) == (b"view", {"vary": "Origin"})
    assert any("blocks" in record.getMessage() for record in caplog.records)


def test_sync_callable_in_async_django_can_query_the_database() -> None:
    closed: list[int] = []

    class Connection:
        def close(self) -> None:
            closed.append(get_ident())

    def asks(origin: str) -> bool:
        connections["default"] = Connection()  # type: ignore[assignment]  # of this thread
        ASKED.append((get_ident(), in_event_loop()))
        return True

    with override_settings(CORSGUARD=Policy(allow_origins=[asks])):
        assert cors(ask_async("GET", "/", Origin=APP))["allow-origin"] == APP
    assert closed == [ASKED[0][0]]
    assert closed != [get_ident()]


def test_nested_awaitable_is_awaited_by_async_django() -> None:
    with override_settings(CORSGUARD=Policy(allow_origins=[returns_nested])):
        assert cors(ask_async("GET", "/", Origin=APP))["allow-origin"] == APP
