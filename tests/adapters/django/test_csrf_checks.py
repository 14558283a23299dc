"""The check that compares CSRF_TRUSTED_ORIGINS with the policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from support.django_checks import find_ids, find_messages
from support.django_requests import APP

from corsguard import Guard, Policy

OURS = "corsguard_django.CORSMiddleware"
CORSHEADERS = "corsheaders.middleware.CorsMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
POLICY = Policy(allow_origins=[APP])


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize("enforce", [True, "report"])
@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ([], []),
        ([APP], []),
        ([APP, "https://other.example"], ["csrf-trusted-refused"]),
        ([APP, "https://*.other.example"], ["csrf-trusted-refused"]),
        ([APP, "https://api.example.com"], []),  # of ALLOWED_HOSTS
        ([APP, "https://own.example"], []),  # of own_origins
        (["https://*.example.com"], ["csrf-trusted-refused"]),
        (["https://own.example"], ["csrf-allowed-not-trusted"]),
    ],
)
def test_csrf_origin_that_enforce_refuses_is_a_warning(
    trusted: list[str], expected: list[str], enforce: Any
) -> None:
    guard = Guard(POLICY, enforce=enforce, own_origins=["https://own.example"])
    assert (
        find_ids(CORSGUARD=guard, CSRF_TRUSTED_ORIGINS=trusted, MIDDLEWARE=[OURS, CSRF]) == expected
    )


def test_pattern_without_a_trusted_csrf_origin_is_a_warning() -> None:
    wide = Policy(
        allow_origins=["https://*.example.com", "http://localhost:*", re.compile("https://b[.]c")]
    )
    changed = {
        "CORSGUARD": Guard({"/": wide, "/open": Policy(allow_origins=["*"])},
                           enforce=True, enforce_exempt=["/open"]),
        "CSRF_TRUSTED_ORIGINS": ["https://*.example.com", "https://b.c"],
    }  # fmt: skip
    [message] = find_messages(**changed, MIDDLEWARE=[OURS, CSRF])
    assert message.id == "corsguard.csrf-allowed-not-trusted"
    assert "http://localhost:*" in message.msg
    assert find_ids(**changed, MIDDLEWARE=[OURS]) == []  # nothing asks for a token


def test_wildcard_in_a_label_is_trusted_with_all_subdomains() -> None:
    previews = Policy(allow_origins=["https://pr-*.example.com"])
    own = "https://own.example"
    guard = Guard(previews, enforce=True, own_origins=[own])
    changed = {"CORSGUARD": guard, "MIDDLEWARE": [OURS, CSRF]}
    [message] = find_messages(**changed, CSRF_TRUSTED_ORIGINS=[own])
    assert "Add 'https://*.example.com' to CSRF_TRUSTED_ORIGINS" in (message.hint or "")
    assert find_ids(**changed, CSRF_TRUSTED_ORIGINS=["https://*.example.com"]) == []


def test_callable_is_not_called_for_trusted_csrf_origins() -> None:
    def fails(origin: str) -> bool:
        raise NotImplementedError

    guard = Guard(Policy(allow_origins=[fails]), enforce=True)
    assert find_ids(CORSGUARD=guard, CSRF_TRUSTED_ORIGINS=[APP]) == []


def test_csrf_origins_without_enforce_are_not_checked() -> None:
    assert find_ids(CSRF_TRUSTED_ORIGINS=["https://other.example"], MIDDLEWARE=[OURS, CSRF]) == []
