"""Policies of Django Ninja's operations: several of them are behind one URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.test import override_settings
from django.urls import path
from ninja import NinjaAPI, Router
from ninja.decorators import decorate_view
from ninja.pagination import LimitOffsetPagination, paginate
from support.django_requests import APP, Ask, cors, preflight

from corsguard import Policy
from corsguard_django import cors_exempt, cors_policy

PARTNER = "https://partner.example"
OF_PATH = Policy(allow_origins=[APP], allow_methods=["PUT", "PATCH", "DELETE"])
OF_VIEW = Policy(allow_origins=[PARTNER], allow_methods=["PUT", "PATCH", "DELETE"])

api = NinjaAPI(urls_namespace="corsguard")
items = Router()
twice = Router()


@items.get("/{item}")
def plain(request: HttpRequest, item: int) -> str:
    return "plain"


@items.put("/{item}")
@cors_policy(OF_VIEW)
def below(request: HttpRequest, item: int) -> str:
    return "below"


@cors_policy(OF_VIEW)
@items.patch("/{item}")
def above(request: HttpRequest, item: int) -> str:
    return "above"


@items.delete("/{item}")
@cors_exempt
async def exempt(request: HttpRequest, item: int) -> str:
    return "exempt"


@api.get("/async")
@cors_policy(OF_VIEW)
async def asynchronous(request: HttpRequest) -> str:
    return "async"


@api.get("/around")
@decorate_view(cors_policy(OF_VIEW))
def around(request: HttpRequest) -> str:
    return "around"


@cors_policy(OF_VIEW)
@api.get("/paginated", response=list[int])
@paginate(LimitOffsetPagination)
def paginated(request: HttpRequest) -> list[int]:
    return [1, 2]


@api.api_operation(["GET", "PUT"], "/several")
@cors_policy(OF_VIEW)
def several(request: HttpRequest) -> str:
    return "several"


@twice.get("/shared")
@cors_policy(OF_VIEW)
def shared(request: HttpRequest) -> str:
    return "shared"


api.add_router("/items", items)
api.add_router("/one", twice, url_name_prefix="one")
api.add_router("/two", twice, url_name_prefix="two")
urlpatterns = [path("api/", api.urls)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=OF_PATH, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("PUT", "/api/items/1"),
        ("PATCH", "/api/items/1"),
        ("GET", "/api/async"),
        ("GET", "/api/around"),
        ("GET", "/api/paginated"),
        ("GET", "/api/several"),
        ("PUT", "/api/several"),
        ("GET", "/api/one/shared"),
        ("GET", "/api/two/shared"),
    ],
)
def test_decorated_operation_has_its_policy(ask: Ask, method: str, where: str) -> None:
    response = ask(method, where, Origin=PARTNER)
    assert (response.status_code, cors(response)["allow-origin"]) == (200, PARTNER)
    assert "allow-origin" not in cors(ask(method, where, Origin=APP))
    assert preflight(ask, where, method, PARTNER).status_code == 204
    assert preflight(ask, where, method, APP).status_code == 403


def test_undecorated_operation_has_the_policy_of_its_path(ask: Ask) -> None:
    assert cors(ask("GET", "/api/items/1", Origin=APP))["allow-origin"] == APP
    assert cors(preflight(ask, "/api/items/1", "GET"))["allow-methods"] == "GET"


def test_exempt_operation_has_no_cors(ask: Ask) -> None:
    response = ask("DELETE", "/api/items/1", Origin=APP)
    assert (response.status_code, cors(response)) == (200, {})
    response = preflight(ask, "/api/items/1", "DELETE")
    assert (response.status_code, cors(response)) == (405, {})


def test_preflight_lists_the_methods_that_share_a_policy(ask: Ask) -> None:
    answer = cors(preflight(ask, "/api/items/1", "PUT", PARTNER))
    assert answer["allow-methods"] == "PATCH, PUT"


@pytest.mark.usefixtures("project")
def test_decorated_operations_are_all_reachable() -> None:
    found = {message.id for message in run_checks(tags=["corsguard"])}
    assert "corsguard.view-policy-unreachable" not in found


@pytest.mark.usefixtures("project")
def test_exempt_operation_hidden_by_a_wrapper_does_not_start() -> None:
    def hides(function: Callable[[Any], str]) -> Callable[[Any], str]:
        def hiding(request: HttpRequest) -> str:
            return function(request)

        return hiding

    @cors_exempt
    def hidden(request: HttpRequest) -> str:
        return "hidden"

    other = NinjaAPI(urls_namespace="hiding")
    other.get("/hidden")(hides(hidden))
    with (
        override_settings(ROOT_URLCONF=(path("", other.urls),)),
        pytest.raises(ImproperlyConfigured, match="view-policy-unreachable"),
    ):
        WSGIHandler()
