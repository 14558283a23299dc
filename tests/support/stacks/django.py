"""The ways to serve the application behind the Django adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, NamedTuple

import support.django_project  # noqa: F401  # the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import path, re_path
from support.application import Fields, Reply, reply_to
from support.asgi_exchange import ask, scope_of
from support.stacks.wsgi import environ_of, through_validator
from support.table import Answer

from corsguard import Guard, Policy
from corsguard_django import cors_exempt, cors_policy

OWN = Policy(allow_origins=["https://own.example"])


async def iterate_async(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def build_response(reply: Reply, stream: Callable[[Iterable[bytes]], Any]) -> HttpResponseBase:
    made: HttpResponseBase
    if len(reply.chunks) > 1:
        made = StreamingHttpResponse(stream(reply.chunks), status=reply.status)
    else:
        made = HttpResponse(b"".join(reply.chunks), status=reply.status)
    del made["Content-Type"]
    for name, value in reply.headers:  # Django has no two fields of one name
        made[name] = f"{made[name]}, {value}" if name == "vary" and name in made else value
    return made


def build_view(requests: list[HttpRequest]) -> Callable[[HttpRequest], HttpResponseBase]:
    def view(request: HttpRequest) -> HttpResponseBase:
        requests.append(request)
        return build_response(reply_to(request.method or "", request.path_info), iter)

    return view


def build_async_view(requests: list[HttpRequest]) -> Callable[[HttpRequest], Any]:
    async def view(request: HttpRequest) -> HttpResponseBase:
        requests.append(request)
        return build_response(reply_to(request.method or "", request.path_info), iterate_async)

    return view


class WSGI(WSGIHandler):
    """Django as a WSGI application, which keeps the last request."""

    request: HttpRequest

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        self.request = request
        return super().get_response(request)

    def exchange(self, method: str, path: str, headers: Fields) -> tuple[int, Fields, bytes]:
        return through_validator(self, environ_of(method, path, headers))


class ASGI(ASGIHandler):
    """The same as an ASGI application."""

    request: HttpRequest

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        self.request = request
        return await super().get_response_async(request)

    def exchange(self, method: str, path: str, headers: Fields) -> tuple[int, Fields, bytes]:
        # No server passes an empty path (RFC 9112, 3.2.1).
        answer = ask(self, scope_of(method, path or "/", headers))
        return answer.status, answer.fields, answer.body


class DjangoStack(NamedTuple):
    name: str
    handler: type[WSGI | ASGI]
    build_view: Callable[[list[HttpRequest]], Callable[[HttpRequest], Any]]
    with_views: bool = False
    """True if another view has a policy, so that every view is resolved."""
    catches: bool = True

    def build(self, guard: Guard) -> DjangoClient:
        called: list[HttpRequest] = []
        patterns = [re_path(r"(?s:.*)", self.build_view(called))]
        if self.with_views:
            own, exempt = cors_policy(OWN)(self.build_view([])), cors_exempt(self.build_view([]))
            patterns = [path("of/its/own", own), path("exempt", exempt), *patterns]
        return DjangoClient(guard, self.handler, patterns, called)


class DjangoClient:
    def __init__(
        self,
        guard: Guard,
        handler: type[WSGI | ASGI],
        patterns: Iterable[Any],
        called: list[HttpRequest],
    ) -> None:
        self._settings = {"CORSGUARD": guard, "ROOT_URLCONF": tuple(patterns)}
        self._handler = handler
        self._called = called

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        self._called.clear()
        with override_settings(**self._settings):
            handler = self._handler()
            status, fields, body = handler.exchange(method, path, headers)
        decision = handler.request.META.get("corsguard.decision")
        return Answer(status, fields, body, bool(self._called), decision)


STACKS = [
    DjangoStack("django", WSGI, build_view),
    DjangoStack("django-async", ASGI, build_async_view),
    DjangoStack("django-with-views", WSGI, build_view, with_views=True),
    DjangoStack("django-async-with-views", ASGI, build_async_view, with_views=True),
]
