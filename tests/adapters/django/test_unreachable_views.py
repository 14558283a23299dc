"""Decorated views that no URL leads to, and exempt views that a wrapper hides."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator, sync_only_middleware
from django.utils.functional import SimpleLazyObject
from django.views import View
from support.django_frameworks import PathView, api_view
from support.django_requests import APP, Ask, cors

from corsguard import Policy
from corsguard.guard import decorated_views
from corsguard_django import cors_exempt, cors_policy
from corsguard_django.urlconf import inspect_urlconf

OURS = "corsguard_django.CORSMiddleware"
POLICY = Policy(allow_origins=[APP])
CODE = "corsguard.view-policy-unreachable"
made: Any = type  # a class by its name, bases and attributes


def plain(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("plain")


def make(decorator: Callable[[Any], Any] = cors_exempt) -> Callable[..., HttpResponse]:
    @decorator
    def lost(request: HttpRequest, **_: Any) -> HttpResponse:
        return HttpResponse("lost")

    return lost  # type: ignore[no-any-return]


def hides(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a view as a decorator does whose author did not know functools.wraps."""

    def hiding(request: HttpRequest, **_: Any) -> Any:
        return view(request)

    return hiding


class Hides:
    def __init__(self, view: Callable[..., Any]) -> None:
        self.view = view

    def __call__(self, request: HttpRequest) -> Any:
        return self.view(request)


urlpatterns = [path("plain", plain)]


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # What other tests have decorated may still be alive.
    monkeypatch.setattr(decorated_views, "_registry", {})
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


def unreachable(*patterns: Any) -> list[CheckMessage]:
    with override_settings(ROOT_URLCONF=patterns or __name__):
        return [message for message in run_checks(tags=["corsguard"]) if message.id == CODE]


@pytest.mark.parametrize("decorator", [cors_exempt, cors_policy(allow_origins=[APP])])
def test_decorated_view_without_a_url_is_an_error(decorator: Any) -> None:
    lost = make(decorator)
    [message] = unreachable()
    assert message.is_serious()
    assert message.msg.startswith('view "make.<locals>.lost": make.<locals>.lost (')
    line = lost.__code__.co_firstlineno
    assert f"{__file__}:{line})" in message.msg
    assert "put the decorator" in str(message.hint)


def test_decorated_class_and_include_without_a_url_are_errors() -> None:
    module: Any = ModuleType(__name__)
    module.urlpatterns = []
    lost = cors_policy(POLICY)(include(module))
    view_class = cors_exempt(type("Lost", (View,), {"__module__": __name__}))
    names = sorted(message.msg.split('"')[1] for message in unreachable())
    assert names == ["Lost", f"include({__name__})"]
    assert (len(lost), view_class.__name__) == (3, "Lost")


@pytest.mark.parametrize(
    "lead",
    [
        lambda view: path("a", view),
        lambda view: path("a", partial(view, extra=1)),
        lambda view: path("a/", include([path("b", view)])),
        lambda view: cors_policy(POLICY)(path("a", view)),
        lambda view: path("a", api_view(["GET"])(view)),
        lambda view: path("a", PathView(get=view).get_view()),
    ],
)
def test_decorated_view_with_a_url_is_no_error(lead: Any) -> None:
    assert unreachable(lead(make())) == []


def test_view_of_another_urlconf_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    other: Any = ModuleType("other_urls")
    other.urlpatterns = [path("lost", make())]
    assert len(unreachable()) == 1
    broken: Any = ModuleType("broken_urls")
    broken.urlpatterns = [None]
    monkeypatch.setitem(sys.modules, "broken_urls", broken)
    monkeypatch.setitem(sys.modules, "other_urls", other)
    assert unreachable() == []


def test_view_of_a_former_urlconf_is_no_error() -> None:
    lost = make()
    assert unreachable(path("lost", lost)) == []
    assert unreachable() == []


def test_view_of_another_application_is_no_error() -> None:
    lost = make()
    lost.__module__ = "another.application"
    assert unreachable() == []


def test_view_of_an_imported_module_without_a_url_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module: Any = ModuleType("shop_views")
    lost = make()
    lost.__module__ = "shop_views"
    urls: Any = ModuleType("shop_urls")
    urls.views, urls.urlpatterns = module, [path("", plain)]
    monkeypatch.setitem(sys.modules, "shop_urls", urls)
    assert len(unreachable(path("shop/", include("shop_urls")))) == 1


def test_method_decorator_is_no_unreachable_view(ask: Ask) -> None:
    class Items(View):
        @method_decorator(cors_exempt)
        def get(self, request: HttpRequest) -> HttpResponse:
            assert CODE not in {message.id for message in run_checks(tags=["corsguard"])}
            return HttpResponse("get")

    with override_settings(ROOT_URLCONF=(path("items", Items.as_view()),)):
        response = ask("GET", "/items", Origin=APP)
    assert (response.content, cors(response)) == (b"get", {})


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
@pytest.mark.parametrize(
    "lead",
    [
        lambda view: path("a", hides(view)),
        lambda view: path("a", Hides(view)),
        lambda view: path("a", hides(Hides(view))),
        lambda view: path("a", api_view(["GET"])(hides(view))),
        lambda view: path("a", PathView(get=hides(view)).get_view()),
        lambda view: path("a/", include([path("b", hides(view))])),
        lambda view: path("a", made("A", (View,), {"get": hides(view)}).as_view()),
    ],
)
def test_exempt_view_hidden_by_a_wrapper_does_not_start(lead: Any, handler: Any) -> None:
    with (
        override_settings(ROOT_URLCONF=(lead(make()),)),
        pytest.raises(ImproperlyConfigured, match=r"lost .*\[view-policy-unreachable\]"),
    ):
        handler()


@pytest.mark.parametrize(
    "lead",
    [
        lambda view: path("a", cors_exempt(hides(view))),
        lambda view: path("a", cors_policy(POLICY)(made("A", (View,), {"get": hides(view)})
                                                   ).as_view()),
        lambda view: path("a", made("A", (View,), {"get": cors_exempt(hides(view))}).as_view()),
    ],
)  # fmt: skip
def test_wrapper_that_is_decorated_itself_hides_nothing(lead: Any) -> None:
    with override_settings(ROOT_URLCONF=(lead(make()),)):
        WSGIHandler()


def test_decorated_view_hidden_by_a_wrapper_is_only_an_error() -> None:
    view = path("a", hides(make(cors_policy(POLICY))))
    with override_settings(ROOT_URLCONF=(view,)):
        WSGIHandler()
    assert len(unreachable(view)) == 1


@sync_only_middleware
def chooses(get_response: Any) -> Any:
    def choose(request: HttpRequest) -> Any:
        request.urlconf = CHOSEN[0]
        return get_response(request)

    return choose


CHOSEN: list[Any] = []


def test_request_urlconf_that_hides_an_exempt_view_fails(ask: Ask) -> None:
    CHOSEN[:] = [(path("a", hides(make())),)]
    with override_settings(MIDDLEWARE=[f"{__name__}.chooses", OURS]):
        response = ask("GET", "/a", Origin=APP)
    assert (response.status_code, cors(response)) == (500, {})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("corsguard", logging.ERROR)
    ]


def test_exempt_view_of_another_urlconf_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = make()
    other: Any = ModuleType("other_urls")
    other.urlpatterns = [path("lost", lost)]
    with override_settings(ROOT_URLCONF=(path("a", hides(lost)),)):
        with pytest.raises(ImproperlyConfigured, match="view-policy-unreachable"):
            WSGIHandler()
        monkeypatch.setitem(sys.modules, "other_urls", other)
        WSGIHandler()
        monkeypatch.delitem(sys.modules, "other_urls")
        WSGIHandler()


def test_inspected_urlconf_is_cached_for_the_next_handler() -> None:
    lost = [make()]
    assert len(lost) == 1
    assert inspect_urlconf() is inspect_urlconf()


def test_view_decorated_later_is_found_by_the_next_handler(ask: Ask) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("view")

    class Items(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("get")

    with override_settings(ROOT_URLCONF=(path("a", view), path("items", Items.as_view()))):
        for where in ("/a", "/items"):
            assert cors(ask("GET", where, Origin=APP))["allow-origin"] == APP
        cors_exempt(view)
        cors_exempt(Items.get)
        for where in ("/a", "/items"):
            assert cors(ask("GET", where, Origin=APP)) == {}
        cors_policy(allow_origins=["https://partner.example"])(view)
        assert cors(ask("GET", "/a", Origin=APP)) == {"vary": "Origin"}


def test_changed_urlconf_is_read_by_the_next_handler(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: Any = ModuleType("changing_urls")
    urls.urlpatterns = [path("plain", plain)]
    monkeypatch.setitem(sys.modules, "changing_urls", urls)
    with override_settings(ROOT_URLCONF="changing_urls"):
        assert ask("GET", "/a", Origin=APP).status_code == 404
        urls.urlpatterns.append(path("a", make()))
        assert cors(ask("GET", "/a", Origin=APP)) == {}
        urls.urlpatterns[1].callback = plain
        assert cors(ask("GET", "/a", Origin=APP))["allow-origin"] == APP
        urls.urlpatterns[:] = [path("a", hides(make()))]
        with pytest.raises(ImproperlyConfigured, match="view-policy-unreachable"):
            WSGIHandler()


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
def test_exempt_view_without_a_url_is_logged_at_start(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lost, of_policy = make(), make(cors_policy(POLICY))
    with override_settings():
        handler()
        handler()
    [line] = errors(caplog)
    assert "make.<locals>.lost" in line
    assert line.count("[view-policy-unreachable]") == 1
    assert lost is not of_policy


def test_project_without_the_app_logs_a_warning_at_start(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    apps = ["django.contrib.auth", "django.contrib.contenttypes"]
    with override_settings(INSTALLED_APPS=apps):
        ask("GET", "/plain")
        ask("GET", "/plain")
    lines = [record for record in caplog.records if record.name == "corsguard"]
    assert [record.levelname for record in lines] == ["WARNING"]
    assert 'Add "corsguard_django" there' in lines[0].getMessage()


def test_project_with_the_app_logs_nothing_at_start(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings():
        WSGIHandler()
    assert caplog.records == []


def test_lazy_object_is_not_evaluated_at_start() -> None:
    def connect() -> None:
        raise RuntimeError("the database is not up yet")

    urlconf: Any = ModuleType("lazy_urls")
    urlconf.database, urlconf.lost = SimpleLazyObject(connect), make()
    urlconf.urlpatterns = []
    with override_settings(ROOT_URLCONF=urlconf, CORSGUARD={"allow_origins": ["*"]}):
        WSGIHandler()
