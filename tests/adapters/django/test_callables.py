"""Callables of policies, which Django bridges both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any

import pytest
from adapters.django.asking import APP, EVIL, Ask, ask_async, ask_sync, cors, preflight
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_only_middleware

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
@pytest.mark.parametrize("predicate", [says_yes, says_yes_async])
def test_either_kind_is_asked_in_either_mode(ask: Ask, predicate: Any, below: list[str]) -> None:
    stack = ["corsguard_django.CORSMiddleware", *below]
    with override_settings(CORSGUARD=Policy(allow_origins=[predicate]), MIDDLEWARE=stack):
        assert cors(ask("GET", "/", Origin=APP)) == {"allow-origin": APP, "vary": "Origin"}
        assert cors(ask("GET", "/", Origin=EVIL)) == {"vary": "Origin"}
        assert preflight(ask, "/").status_code == 204
        assert cors(ask("GET", "/nowhere", Origin=APP))["allow-origin"] == APP
    assert len(ASKED) == 4


@pytest.mark.parametrize("ask_in", [ask_sync, ask_async])
def test_a_callable_that_may_block_is_never_called_in_the_event_loop(ask_in: Ask) -> None:
    policy = Policy(allow_origins=[says_yes, says_yes_async])
    with override_settings(CORSGUARD=policy):
        assert cors(ask_in("GET", "/", Origin=EVIL)) == {"vary": "Origin"}
    assert [in_loop for _, in_loop in ASKED] == [False, True]


def test_under_sync_django_a_sync_callable_is_called_in_the_thread_of_the_request() -> None:
    with override_settings(CORSGUARD=Policy(allow_origins=[says_yes])):
        ask_sync("GET", "/", Origin=APP)
    assert [(get_ident(), False)] == ASKED


def test_an_async_callable_has_its_time_in_either_mode(ask: Ask) -> None:
    policy = Policy(allow_origins=[never_answers], predicate_timeout=0.01)
    with override_settings(CORSGUARD=policy):
        assert cors(ask("GET", "/", Origin=APP)) == {"vary": "Origin"}
