"""Preflights for URLs that are translated, before LocaleMiddleware has run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_only_middleware
from django.utils.translation import gettext_lazy, override
from support.django_requests import APP, Ask, cors

from corsguard import Policy
from corsguard_django import cors_exempt
from corsguard_django.urlconf import inspect_urlconf

OURS = "corsguard_django.CORSMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
JANUARY: Any = gettext_lazy("January")  # Django has it in all languages


class Derived(LocaleMiddleware):
    """A class of a project."""


@sync_only_middleware
def french(get_response: Any) -> Any:
    def respond(request: HttpRequest) -> Any:
        with override("fr"):
            return get_response(request)

    return respond


@cors_exempt
def exempt(request: HttpRequest) -> HttpResponse:
    return HttpResponse("exempt")


def plain(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("plain")


TRANSLATED = (path(JANUARY, exempt), path("<slug:name>", plain))


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(
        CORSGUARD=Policy(allow_origins=[APP], allow_methods=["PUT"]),
        LANGUAGES=[("en", "English"), ("de", "Deutsch"), ("fr", "français")],
        LANGUAGE_CODE="en",
        ROOT_URLCONF=TRANSLATED,
        MIDDLEWARE=[OURS, LOCALE],
    ):
        yield


def is_exempt(ask: Ask, where: str, language: str) -> bool:
    """Ask before a PUT, and see that the GET is treated alike."""
    fields = {"Origin": APP, "Accept_Language": language}
    response = ask("GET", where, **fields)
    answer = ask("OPTIONS", where, Access_Control_Request_Method="PUT", **fields)
    assert ("allow-origin" in cors(answer)) is ("allow-origin" in cors(response))
    assert (answer.status_code == 204) is ("allow-origin" in cors(answer))
    return "allow-origin" not in cors(answer)


@pytest.mark.parametrize("middleware", [LOCALE, f"{__name__}.Derived"])
@pytest.mark.parametrize(
    ("where", "language", "expected"),
    [
        ("/January", "en", True),
        ("/Januar", "de", True),
        ("/Januar", "de-AT,de;q=0.9,en;q=0.8", True),
        ("/January", "de", False),
        ("/Januar", "en", False),
        ("/January", "xx, *", True),
    ],
)
def test_preflight_uses_the_view_of_accept_language(
    ask: Ask, where: str, language: str, expected: bool, middleware: str
) -> None:
    with override_settings(MIDDLEWARE=[OURS, middleware]):
        assert is_exempt(ask, where, language) is expected


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("where", "expected"), [("/January", True), ("/Januar", False)])
def test_accept_language_without_locale_middleware_is_ignored(
    ask: Ask, where: str, language: str, expected: bool
) -> None:
    with override_settings(MIDDLEWARE=[OURS]):
        assert is_exempt(ask, where, language) is expected


def test_language_of_another_middleware_finds_its_view(ask: Ask) -> None:
    chooses = override_settings(MIDDLEWARE=[OURS, f"{__name__}.french"])
    with chooses, override_settings(ROOT_URLCONF=(path(JANUARY, exempt),)):
        assert is_exempt(ask, "/janvier", "de")


def test_project_without_i18n_has_one_language(ask: Ask) -> None:
    with override_settings(USE_I18N=False, MIDDLEWARE=[OURS]):
        assert is_exempt(ask, "/January", "de")


@pytest.mark.parametrize("prefixes_usual", [True, False])
def test_path_prefix_selects_the_language(ask: Ask, prefixes_usual: bool) -> None:
    patterns = i18n_patterns(*TRANSLATED, prefix_default_language=prefixes_usual)
    with override_settings(ROOT_URLCONF=tuple(patterns)):
        assert is_exempt(ask, "/de/Januar", "en")
        assert not is_exempt(ask, "/de/January", "en")
        usual = "/en" if prefixes_usual else ""
        assert is_exempt(ask, f"{usual}/January", "de")
        assert not is_exempt(ask, f"{usual}/Januar", "de")


def test_path_without_prefix_uses_accept_language(
    ask: Ask,
) -> None:
    patterns = (path(JANUARY, exempt), path("<slug:name>", plain), *i18n_patterns(path("x", plain)))
    with override_settings(ROOT_URLCONF=patterns):
        assert is_exempt(ask, "/Januar", "de")
        assert not is_exempt(ask, "/January", "de")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((path("plain", plain),), False),
        (TRANSLATED, True),
        (tuple(i18n_patterns(path("plain", plain))), True),
    ],
)
def test_only_translated_patterns_are_resolved_per_language(patterns: Any, expected: bool) -> None:
    assert inspect_urlconf(patterns).is_translated is expected
