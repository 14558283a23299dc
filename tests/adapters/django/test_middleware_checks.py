"""The checks of the order of MIDDLEWARE, and of leftover settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from support.django_checks import find_ids, find_messages
from support.django_requests import APP

from corsguard import Policy
from corsguard_django import CORSMiddleware

OURS = "corsguard_django.CORSMiddleware"
CORSHEADERS = "corsheaders.middleware.CorsMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
POLICY = Policy(allow_origins=[APP])


class Derived(CORSMiddleware):
    """A class that a project derives from the middleware."""


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        ([], ["middleware-missing"]),
        ([CSRF], ["middleware-missing"]),
        ([OURS, OURS], ["middleware-twice"]),
        ([OURS, f"{__name__}.Derived"], ["middleware-twice"]),
        (["django.middleware.security.SecurityMiddleware", OURS], ["below-security"]),
        (["django.middleware.common.CommonMiddleware", OURS], ["below-common"]),
        (["django.middleware.locale.LocaleMiddleware", OURS], ["below-locale"]),
        (["whitenoise.middleware.WhiteNoiseMiddleware", OURS], ["below-whitenoise"]),
        (
            ["django.contrib.auth.middleware.AuthenticationMiddleware", OURS],
            ["below-authentication"],
        ),
        (
            ["django.contrib.auth.middleware.PersistentRemoteUserMiddleware", OURS],
            ["below-authentication"],
        ),
        (
            ["django.contrib.auth.middleware.LoginRequiredMiddleware", OURS],
            ["below-authentication"],
        ),
        ([CSRF, OURS], ["below-csrf"]),
        (["django.middleware.gzip.GZipMiddleware", OURS], ["below-gzip"]),
        (["django.middleware.cache.UpdateCacheMiddleware", OURS], ["below-cache"]),
        (["django.middleware.cache.FetchFromCacheMiddleware", OURS], ["below-cache"]),
        (["corsheaders.middleware.CorsMiddleware", OURS], ["corsheaders"]),
        (["django.middleware.http.ConditionalGetMiddleware", OURS], []),
        (["no.such.Middleware", OURS], []),
        ([f"{__name__}.view", OURS], []),
        (
            ["django.middleware.security.SecurityMiddleware", CSRF, OURS],
            ["below-security"],
        ),
    ],
)
def test_middleware_out_of_order_is_reported(middleware: list[str], expected: list[str]) -> None:
    assert find_ids(MIDDLEWARE=middleware) == expected


def test_several_misplaced_middlewares_are_one_warning() -> None:
    [message] = find_messages(MIDDLEWARE=[SECURITY, CSRF, OURS])
    assert message.id == "corsguard.below-security"
    assert SECURITY in message.msg
    assert CSRF in message.msg
    [message] = find_messages(
        MIDDLEWARE=[SECURITY, CSRF, OURS], SILENCED_SYSTEM_CHECKS=["corsguard.below-security"]
    )
    assert message.id == "corsguard.below-csrf"
    assert SECURITY not in message.msg


def test_leftover_corsheaders_settings_are_a_warning() -> None:
    left = {"CORS_ALLOWED_ORIGINS": [APP], "CORS_URLS_REGEX": "^/api/"}
    [message] = find_messages(MIDDLEWARE=[OURS], **left)
    assert (message.id, message.is_serious()) == ("corsguard.corsheaders-settings", False)
    assert message.msg.startswith("CORS_ALLOWED_ORIGINS, CORS_URLS_REGEX: ")
    assert all(f"{name}: " in str(message.hint) for name in left)
    assert [each.id for each in find_messages(MIDDLEWARE=[CORSHEADERS, OURS], **left)] == [
        "corsguard.corsheaders"
    ]
    assert find_messages(CORS_OF_OUR_OWN=True) == []


def test_leftover_setting_that_is_off_is_to_be_removed() -> None:
    [message] = find_messages(CORS_ALLOW_ALL_ORIGINS=False, CORS_ORIGIN_ALLOW_ALL=True)
    first, second = str(message.hint).split("; ")
    assert first == ("CORS_ALLOW_ALL_ORIGINS: remove it: only what allow_origins lists is allowed")
    assert second.startswith('CORS_ORIGIN_ALLOW_ALL: allow_origins: ["*"]')
