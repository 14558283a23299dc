"""Policies of views in every place where a framework of Django may keep what is decorated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from support.django_frameworks import Operation, PathView, ViewSet, api_view
from support.django_requests import APP, Ask, cors, preflight

from corsguard import Policy
from corsguard_django import cors_exempt, cors_policy

PARTNER = "https://partner.example"
OF_PATH = Policy(allow_origins=[APP], allow_methods=["PUT"])
OF_VIEW = Policy(allow_origins=[PARTNER], allow_methods=["PUT"])
OWN = cors_policy(OF_VIEW)


def plain(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("plain")


def own(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("own")


OWN(own)


@cors_exempt
def exempt(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("exempt")


class ByAction(ViewSet):
    def list(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("list")

    @OWN
    def recent(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("recent")

    @cors_exempt
    def remove(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("removed")


@OWN
class OfClass(ViewSet):
    def list(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("list")


@method_decorator(OWN, name="dispatch")
class OfDispatch(OfClass):
    pass


@method_decorator(OWN, name="list")
class ByName(ByAction):
    pass


@api_view(["GET", "PUT"])
@cors_policy(OF_VIEW)
def below(request: HttpRequest) -> HttpResponse:
    return HttpResponse("below")


@cors_policy(OF_VIEW)
@api_view(["GET", "PUT"])
def above(request: HttpRequest) -> HttpResponse:
    return HttpResponse("above")


def wrapping(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    return wrapper


class Instance:
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("instance")

    def method(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("method")


@OWN
class OwnInstance(Instance):
    pass


class OwnCall(Instance):
    @OWN
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("instance")

    @OWN
    def method(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("method")


def recursive() -> Callable[..., Any]:
    def view(request: HttpRequest) -> Any:
        return again(request)  # a variable that is not assigned yet

    again: Any
    if view is None:
        again = view
    return view


class Unhashable(OwnInstance):
    def __eq__(self, other: object) -> bool:
        raise NotImplementedError


class Get(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("get")

    @cors_exempt
    def put(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("put")


items = PathView(get=plain, put=wrapping(own), delete=exempt)
around = PathView(get=plain)
around.operations[0].run = OWN(around.operations[0].run)  # type: ignore[method-assign]
old = PathView(get_put=own)
twice = [Operation(["GET"], own), Operation(["GET"], exempt)]
first = PathView()
first.operations.extend(twice)

urlpatterns = [
    path("action", ByAction.as_view({"get": "recent", "put": "list", "delete": "remove"})),
    path("class", OfClass.as_view({"get": "list", "put": "list"})),
    path("class-wrapped", wrapping(OfClass.as_view({"get": "list", "put": "list"}))),
    path("dispatch", OfDispatch.as_view({"get": "list", "put": "list"})),
    path("name", ByName.as_view({"get": "list", "put": "list"})),
    path("below", below),
    path("above", above),
    path("operation", items.get_view()),
    path("around", around.get_view()),
    path("old", old.answer),
    path("first", first.get_view()),
    path("wrapped", wrapping(wrapping(own))),
    path("wrapped-outside", OWN(wrapping(plain))),
    path("partial", partial(wrapping(own), extra=1)),
    path("instance", OwnInstance()),
    path("decorated-instance", OWN(Instance())),
    path("unhashable", Unhashable()),
    path("call", OwnCall()),
    path("bound", OwnCall().method),
    path("bound-outside", OWN(Instance().method)),
    path("recursive", recursive()),
    path("get", Get.as_view(http_method_names=["get"])),
    path("in/", OWN(include([path("plain", partial(plain, extra=1))]))),
]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=OF_PATH, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("GET", "action"),
        ("GET", "class"),
        ("PUT", "class"),
        ("PUT", "class-wrapped"),
        ("GET", "dispatch"),
        ("PUT", "name"),
        ("GET", "below"),
        ("PUT", "below"),
        ("PUT", "above"),
        ("PUT", "operation"),
        ("GET", "around"),
        ("PUT", "old"),
        ("GET", "first"),
        ("GET", "wrapped"),
        ("GET", "wrapped-outside"),
        ("GET", "partial"),
        ("GET", "instance"),
        ("GET", "decorated-instance"),
        ("GET", "unhashable"),
        ("GET", "call"),
        ("GET", "bound"),
        ("GET", "bound-outside"),
        ("GET", "in/plain"),
    ],
)
def test_policy_is_found_at_every_layer(ask: Ask, method: str, where: str) -> None:
    response = ask(method, f"/{where}", Origin=PARTNER)
    assert (response.status_code, cors(response)["allow-origin"]) == (200, PARTNER)
    assert cors(ask(method, f"/{where}", Origin=APP)) == {"vary": "Origin"}
    assert preflight(ask, f"/{where}", method, PARTNER).status_code == 204
    assert preflight(ask, f"/{where}", method, APP).status_code == 403


@pytest.mark.parametrize(
    ("method", "where"), [("PUT", "action"), ("GET", "operation"), ("GET", "get")]
)
def test_undecorated_handler_has_the_policy_of_its_path(ask: Ask, method: str, where: str) -> None:
    assert cors(ask(method, f"/{where}", Origin=APP))["allow-origin"] == APP
    assert preflight(ask, f"/{where}", method).status_code == 204


@pytest.mark.parametrize("where", ["action", "operation"])
def test_exempt_handler_has_no_cors(ask: Ask, where: str) -> None:
    response = ask("DELETE", f"/{where}", Origin=APP)
    assert (response.status_code, cors(response)) == (200, {})
    assert cors(preflight(ask, f"/{where}", "DELETE")) == {}


def test_preflight_lists_the_methods_that_share_a_policy(ask: Ask) -> None:
    assert cors(preflight(ask, "/operation", "PUT", PARTNER))["allow-methods"] == "PUT"
    methods = cors(preflight(ask, "/name", "PUT", PARTNER))["allow-methods"]
    assert methods == "GET, HEAD, PUT"


def test_policy_below_api_view_applies_to_all_methods(ask: Ask) -> None:
    methods = cors(preflight(ask, "/below", "PUT", PARTNER))["allow-methods"]
    assert methods == "GET, HEAD, POST, PUT"


def test_only_the_handler_without_a_route_is_unreachable() -> None:
    found = [
        message for message in run_checks(tags=["corsguard"]) if "unreachable" in str(message.id)
    ]
    assert [message.msg.partition(" ")[2][:9] for message in found] == ['"Get.put"']
