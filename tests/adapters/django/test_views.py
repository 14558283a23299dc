"""Policies of Django views, beyond the shared table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path, reverse
from django.utils.decorators import method_decorator, sync_only_middleware
from django.views import View
from support.django_requests import APP, EVIL, Ask, cors, preflight

from corsguard import Guard, Policy, PolicyError
from corsguard_django import cors_exempt, cors_policy

OURS = "corsguard_django.CORSMiddleware"
PARTNER = "https://partner.example"
OF_PATH = Policy(allow_origins=[APP])
OF_VIEW = Policy(allow_origins=[PARTNER], allow_methods=["PUT", "PATCH"])
TO_PARTNER = {"allow-origin": PARTNER, "vary": "Origin"}


def plain(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("plain")


@cors_policy(OF_VIEW)
def own(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("own")


@cors_policy(OF_VIEW)
async def own_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("own")


@method_decorator(cors_policy(OF_VIEW), name="dispatch")
class Dispatched(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("get")


@cors_policy(OF_VIEW)
class Decorated(Dispatched):
    dispatch = View.dispatch


class ByMethod(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("get")

    @method_decorator(cors_exempt)
    def patch(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("patch")


api: Any = ModuleType("api")
api.urlpatterns = [path("", plain, name="api")]
urlpatterns = [
    path("plain", plain),
    path("own", own),
    path("async", own_async),
    path("partial", partial(own, extra=1)),
    path("dispatched", Dispatched.as_view()),
    path("decorated", Decorated.as_view()),
    path("of-as-view", cors_policy(OF_VIEW)(ByMethod.as_view())),
    path("by-method", ByMethod.as_view()),
    path("included/", cors_policy(OF_VIEW)(include(api))),
    path("included-plain/", include(api)),
    cors_exempt(path("exempt/", include(api))),
    *i18n_patterns(path("own", own)),
]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=OF_PATH, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(
    "where",
    ["own", "async", "partial", "dispatched", "decorated", "of-as-view", "included/", "en-us/own"],
)
def test_decorated_object_has_its_own_policy(ask: Ask, where: str) -> None:
    response = ask("GET", f"/{where}", Origin=PARTNER)
    assert (response.status_code, cors(response)) == (200, TO_PARTNER)
    assert cors(ask("GET", f"/{where}", Origin=APP)) == {"vary": "Origin"}
    answer = preflight(ask, f"/{where}", "PUT", PARTNER)
    assert (answer.status_code, cors(answer)["allow-origin"]) == (204, PARTNER)
    assert preflight(ask, f"/{where}", "PUT", APP).status_code == 403


def test_decorated_include_does_not_change_the_urlconf(ask: Ask) -> None:
    assert cors(ask("GET", "/included-plain/", Origin=APP))["allow-origin"] == APP
    assert cors(ask("GET", "/exempt/", Origin=APP)) == {}
    assert reverse("api") == "/exempt/"


@pytest.mark.parametrize("where", ["/exempt/", "/by-method"])
def test_preflight_of_an_exempt_view_reaches_the_view(ask: Ask, where: str) -> None:
    response = preflight(ask, where, "PATCH")
    assert (response.status_code, cors(response)) == (200, {})


def test_preflight_of_a_translated_url_has_the_view_policy(ask: Ask) -> None:
    locale = "django.middleware.locale.LocaleMiddleware"
    with override_settings(MIDDLEWARE=[OURS, locale]):
        for where in ("/de/own", "/fr/own"):
            assert preflight(ask, where, "PUT", PARTNER).status_code == 204
            assert cors(ask("GET", where, Origin=PARTNER)) == TO_PARTNER


def decides_urlconf(patterns: Any) -> Callable[[Any], Any]:
    """A middleware that has requests resolved by another URLconf."""

    @sync_only_middleware
    def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        def decide(request: HttpRequest) -> Any:
            request.urlconf = tuple(patterns)  # type: ignore[assignment]  # it may be patterns too
            return get_response(request)

        return decide

    return middleware


opens = decides_urlconf([path("plain", own)])
shuts = decides_urlconf([path("own", plain)])
breaks = decides_urlconf([path("plain", cors_policy(Policy(allow_origins=["http://a.example"]))(
    partial(plain)))])  # fmt: skip


def test_urlconf_set_by_a_middleware_above_applies(ask: Ask) -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.opens", OURS]):
        assert cors(ask("GET", "/plain", Origin=PARTNER)) == TO_PARTNER
        assert preflight(ask, "/plain", "PUT", PARTNER).status_code == 204


def test_urlconf_set_by_a_middleware_below_allows_nothing(ask: Ask) -> None:
    enforced = Guard(OF_PATH, enforce=True)
    with override_settings(MIDDLEWARE=[OURS, f"{__name__}.shuts"], CORSGUARD=enforced):
        refused = ask("POST", "/own", Origin=PARTNER)  # which the view of /own here would allow
        assert (refused.status_code, cors(refused)) == (403, {"vary": "Origin"})
        assert refused.content.startswith(b"corsguard: cross-origin refused")


def test_dangerous_policy_in_another_urlconf_is_a_500(ask: Ask) -> None:
    enforced = Guard(OF_PATH, enforce=True)
    with override_settings(MIDDLEWARE=[OURS, f"{__name__}.breaks"], CORSGUARD=enforced):
        response = ask("GET", "/plain", Origin="http://a.example")
    assert (response.status_code, cors(response)) == (500, {})


def test_view_policies_without_the_setting_apply(ask: Ask) -> None:
    with override_settings():
        from django.conf import settings

        del settings.CORSGUARD
        assert cors(ask("GET", "/own", Origin=PARTNER)) == TO_PARTNER
        assert cors(ask("GET", "/plain", Origin=EVIL)) == {}


def overrides(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Take the method from the query, as forms of pages need it that can send no PUT."""

    def override(request: HttpRequest) -> Any:
        request.method = request.GET.get("_method", request.method)
        return get_response(request)

    return override


overrides = sync_only_middleware(overrides)
OVERRIDES = f"{__name__}.overrides"
WITHOUT_VIEW_POLICIES = (path("plain", plain),)


@pytest.mark.parametrize("urlconf", [__name__, WITHOUT_VIEW_POLICIES])
def test_method_changed_below_the_middleware_is_not_enforced(ask: Ask, urlconf: Any) -> None:
    guard = Guard(OF_PATH, enforce=True)
    with override_settings(CORSGUARD=guard, ROOT_URLCONF=urlconf, MIDDLEWARE=[OURS, OVERRIDES]):
        assert ask("GET", "/plain?_method=POST", Origin=EVIL).status_code == 200
        assert ask("POST", "/plain?_method=GET", Origin=EVIL).status_code == 403
    with override_settings(CORSGUARD=guard, ROOT_URLCONF=urlconf, MIDDLEWARE=[OVERRIDES, OURS]):
        assert ask("GET", "/plain?_method=POST", Origin=EVIL).status_code == 403
        assert ask("GET", "/plain?_method=POST", Origin=APP).status_code == 200


def test_method_policy_is_that_of_the_original_method(ask: Ask) -> None:
    with override_settings(MIDDLEWARE=[OURS, OVERRIDES]):
        response = ask("GET", "/by-method?_method=PATCH", Origin=APP)
        assert (response.content, cors(response)["allow-origin"]) == (b"patch", APP)
    with override_settings(MIDDLEWARE=[OVERRIDES, OURS]):
        response = ask("GET", "/by-method?_method=PATCH", Origin=APP)
        assert (response.content, cors(response)) == (b"patch", {})


def test_decorator_takes_the_fields_of_a_policy(ask: Ask) -> None:
    view = cors_policy(allow_origins=[PARTNER])(partial(plain))
    with override_settings(ROOT_URLCONF=(path("fields", view),)):
        assert cors(ask("GET", "/fields", Origin=PARTNER)) == TO_PARTNER
    with pytest.raises(PolicyError, match="no-origins"):
        cors_policy(allow_origins=[])
    with pytest.raises(TypeError, match="not both"):
        cors_policy(OF_VIEW, allow_origins=[PARTNER])


@pytest.mark.parametrize("wrong", [None, {"allow_origins": [APP]}])
def test_decorator_of_another_type_raises_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="cors_policy takes a Policy"):
        cors_policy(wrong)


def answers_below(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that has requests resolved by another URLconf, and answers itself."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.urlconf = SHUT
        return HttpResponse("cached")

    return answer


SHUT: Any = (path("plain", cors_exempt(partial(plain))), path("items", plain))
has_shut = decides_urlconf(SHUT)
OPEN_ROOT = (path("plain", plain), path("items", plain))
TO_APP = {"allow-origin": APP, "vary": "Origin"}


def test_cached_decision_does_not_apply_to_another_urlconf(ask: Ask) -> None:
    with override_settings(ROOT_URLCONF=OPEN_ROOT, MIDDLEWARE=[f"{__name__}.has_shut", OURS]):
        for _ in range(2):
            assert preflight(ask, "/items").status_code == 204
            response = preflight(ask, "/plain")
            assert (response.status_code, cors(response)) == (200, {})


def test_cached_page_has_the_policy_of_its_view(ask: Ask) -> None:
    cache = "django.middleware.cache.UpdateCacheMiddleware"
    fetch = "django.middleware.cache.FetchFromCacheMiddleware"
    stack = [f"{__name__}.has_shut", OURS, cache, fetch]
    with override_settings(ROOT_URLCONF=OPEN_ROOT, MIDDLEWARE=stack):
        for _ in range(3):
            assert cors(ask("GET", "/items", Origin=APP)) == TO_APP
            assert cors(ask("GET", "/plain", Origin=APP)) == {}


def test_response_below_has_the_policy_of_the_new_urlconf(ask: Ask) -> None:
    stack = [OURS, f"{__name__}.answers_below"]
    with override_settings(ROOT_URLCONF=OPEN_ROOT, MIDDLEWARE=stack):
        for _ in range(2):
            assert cors(ask("GET", "/items", Origin=APP)) == TO_APP
            assert cors(ask("GET", "/plain", Origin=APP)) == {}


def test_request_that_the_new_urlconf_refuses_is_403(ask: Ask) -> None:
    enforced = Guard(OF_PATH, enforce=True)
    stack = [OURS, f"{__name__}.answers_below"]
    with override_settings(ROOT_URLCONF=OPEN_ROOT, MIDDLEWARE=stack, CORSGUARD=enforced):
        assert ask("POST", "/items", Origin=APP).status_code == 200
        assert ask("POST", "/plain", Origin=APP).status_code == 403
