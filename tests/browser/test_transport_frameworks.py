"""Browser.on the applications of the frameworks, each with its adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import support.django_project  # noqa: F401  # the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask, Response
from starlette.middleware import Middleware

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser
from corsguard_asgi import CORSMiddleware
from corsguard_flask import CORSGuard

PAGE = "https://app.example.com"
POLICY = Policy(
    allow_origins=[PAGE],
    allow_methods=["PUT"],
    allow_headers=["Content-Type"],
    allow_credentials=True,
    expose_headers=["X-Total"],
)


@contextmanager
def flask() -> Iterator[Any]:
    app = Flask(__name__)
    CORSGuard(app, POLICY)

    @app.put("/items/<name>")
    def put(name: str) -> Response:
        return Response(name, headers={"X-Total": "1", "X-Own": "1"})

    yield app


@contextmanager
def fastapi() -> Iterator[Any]:
    app = FastAPI(middleware=[Middleware(CORSMiddleware, policy=POLICY)])

    @app.put("/items/{name}")
    async def put(name: str) -> Any:
        from fastapi.responses import PlainTextResponse

        return PlainTextResponse(name, headers={"X-Total": "1", "X-Own": "1"})

    yield app


def put(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name, headers={"X-Total": "1", "X-Own": "1"})


@contextmanager
def django(handler: Callable[[], Any]) -> Iterator[Any]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=(path("items/<str:name>", put),)):
        yield handler()


@pytest.mark.parametrize(
    "made",
    [flask, fastapi, lambda: django(WSGIHandler), lambda: django(ASGIHandler)],
    ids=["flask", "fastapi", "django-wsgi", "django-asgi"],
)
def test_framework_app_responds_by_its_policy(made: Callable[[], Any]) -> None:
    with made() as app:
        request: dict[str, Any] = {
            "method": "PUT",
            "headers": {"Content-Type": "application/json"},
            "body": b"{}",
            "credentials": "include",
        }
        browser = Browser.on(app, page=PAGE)
        response = browser.fetch("/items/%C3%A4", **request)
        assert (response.status, response.text, browser.preflights) == (200, "ä", 1)
        assert response.headers["X-Total"] == "1"
        assert "X-Own" not in response.headers
        with pytest.raises(Blocked) as blocked:
            Browser.on(app, page="https://evil.example").fetch("/items/1", **request)
        assert blocked.value.reason is BlockReason.ALLOW_ORIGIN_MISSING
        assert blocked.value.refusal.in_preflight


async def wait(_request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("waited")


def test_async_view_under_wsgi_works_in_a_coroutine() -> None:
    async def test() -> str:
        with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=(path("items", wait),)):
            return Browser.on(WSGIHandler(), page=PAGE).fetch("/items").text

    assert asyncio.run(test()) == "waited"
