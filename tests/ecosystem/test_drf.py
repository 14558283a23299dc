"""Policies of Django REST framework's views, whose classes and handlers it keeps in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from rest_framework.decorators import action, api_view
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from support.django_requests import APP, Ask, cors, preflight

from corsguard import Policy
from corsguard_django import cors_exempt, cors_policy

PARTNER = "https://partner.example"
OF_PATH = Policy(allow_origins=[APP], allow_methods=["PUT", "DELETE"])
OF_VIEW = Policy(allow_origins=[PARTNER], allow_methods=["PUT", "DELETE"])
OWN = cors_policy(OF_VIEW)


class Plain(ViewSet):
    def list(self, request: Any, **_: Any) -> Response:
        return Response("list")

    def create(self, request: Any, **_: Any) -> Response:
        return Response("create")

    def retrieve(self, request: Any, pk: str) -> Response:
        return Response("retrieve")

    def update(self, request: Any, pk: str) -> Response:
        return Response("update")

    def destroy(self, request: Any, pk: str) -> Response:
        return Response("destroy")


@OWN
class OfClass(Plain):
    pass


class OfBase(OfClass):
    pass


@method_decorator(OWN, name="dispatch")
class OfDispatch(Plain):
    pass


class ByHandler(Plain):
    @OWN
    def list(self, request: Any, **_: Any) -> Response:
        return Response("list")

    @cors_exempt
    def destroy(self, request: Any, pk: str) -> Response:
        return Response("destroy")


@method_decorator(OWN, name="update")
class ByName(Plain):
    pass


class WithActions(Plain):
    @OWN
    @action(detail=False)
    def above(self, request: Any) -> Response:
        return Response("above")

    @action(detail=False, methods=["get", "put"])
    @OWN
    def below(self, request: Any) -> Response:
        return Response("below")

    @below.mapping.delete
    @cors_exempt
    def below_delete(self, request: Any) -> Response:
        return Response("deleted")


class Api(APIView):
    def get(self, request: Any) -> Response:
        return Response("get")

    @cors_exempt
    def put(self, request: Any) -> Response:
        return Response("put")


@api_view(["GET", "PUT"])
@cors_policy(OF_VIEW)
def below_api_view(request: Any) -> Response:
    return Response("below")


@cors_policy(OF_VIEW)
@api_view(["GET", "PUT"])
def above_api_view(request: Any) -> Response:
    return Response("above")


router = DefaultRouter()
for name, viewset in {
    "plain": Plain,
    "class": OfClass,
    "base": OfBase,
    "dispatch": OfDispatch,
    "handler": ByHandler,
    "name": ByName,
    "actions": WithActions,
}.items():
    router.register(name, viewset, basename=name)
urlpatterns = [
    path("", include(router.urls)),
    path("api", Api.as_view()),
    path("api-own", cors_policy(OF_VIEW)(Plain.as_view({"get": "list"}))),
    path("below", below_api_view),
    path("above", above_api_view),
]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    renderers = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
    with override_settings(CORSGUARD=OF_PATH, ROOT_URLCONF=__name__, REST_FRAMEWORK=renderers):
        yield


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("GET", "/class/"),
        ("PUT", "/class/1/"),
        ("GET", "/base/"),
        ("PUT", "/base/1/"),
        ("GET", "/dispatch/"),
        ("PUT", "/dispatch/1/"),
        ("GET", "/handler/"),
        ("PUT", "/name/1/"),
        ("GET", "/actions/above/"),
        ("GET", "/actions/below/"),
        ("PUT", "/actions/below/"),
        ("GET", "/api-own"),
        ("GET", "/below"),
        ("PUT", "/below"),
        ("GET", "/above"),
        ("PUT", "/above"),
    ],
)
def test_decorated_view_has_its_policy(ask: Ask, method: str, where: str) -> None:
    response = ask(method, where, Origin=PARTNER)
    assert (response.status_code, cors(response)["allow-origin"]) == (200, PARTNER)
    assert "allow-origin" not in cors(ask(method, where, Origin=APP))
    assert preflight(ask, where, method, PARTNER).status_code == 204
    assert preflight(ask, where, method, APP).status_code == 403


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("GET", "/plain/"),
        ("POST", "/handler/"),
        ("GET", "/handler/1/"),
        ("GET", "/name/1/"),
        ("GET", "/actions/"),
        ("GET", "/api"),
    ],
)
def test_undecorated_view_has_the_policy_of_its_path(ask: Ask, method: str, where: str) -> None:
    assert cors(ask(method, where, Origin=APP))["allow-origin"] == APP
    assert "allow-origin" not in cors(ask(method, where, Origin=PARTNER))
    assert preflight(ask, where, method, APP).status_code == 204


@pytest.mark.parametrize(
    ("method", "where"),
    [("DELETE", "/handler/1/"), ("DELETE", "/actions/below/"), ("PUT", "/api")],
)
def test_exempt_handler_has_no_cors(ask: Ask, method: str, where: str) -> None:
    assert cors(ask(method, where, Origin=APP)).keys() <= {"vary"}
    response = preflight(ask, where, method, APP)  # which the view answers, as any OPTIONS
    assert (response.status_code, cors(response).keys() <= {"vary"}) == (200, True)


def test_preflight_lists_the_methods_that_share_a_policy(ask: Ask) -> None:
    methods = cors(preflight(ask, "/actions/below/", "PUT", PARTNER))["allow-methods"]
    assert set(methods.split(", ")) == {"GET", "HEAD", "PUT"}


@pytest.mark.usefixtures("project")
def test_decorated_views_are_all_reachable() -> None:
    found = {message.id for message in run_checks(tags=["corsguard"])}
    assert "corsguard.view-policy-unreachable" not in found


def hides(view: Callable[..., Any]) -> Callable[..., Any]:
    def hiding(request: Any) -> Any:
        return view(request)

    return hiding


@pytest.mark.usefixtures("project")
def test_exempt_function_hidden_below_api_view_does_not_start() -> None:
    @cors_exempt
    def hidden(request: Any) -> Response:
        return Response("hidden")

    patterns = (path("hidden", api_view(["GET"])(hides(hidden))),)
    with (
        override_settings(ROOT_URLCONF=patterns),
        pytest.raises(ImproperlyConfigured, match="view-policy-unreachable"),
    ):
        WSGIHandler()
