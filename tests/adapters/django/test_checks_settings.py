"""The system checks of what is around the policies: other settings, URLs, and their wording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.views import View
from support.django_requests import APP

from corsguard import Policy
from corsguard_django import cors_policy

OURS = "corsguard_django.CORSMiddleware"
CORSHEADERS = "corsheaders.middleware.CorsMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
POLICY = Policy(allow_origins=[APP])


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


class Items(View):
    def get(self, request: HttpRequest) -> None: ...

    def put(self, request: HttpRequest) -> None: ...


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


def found(**changed: Any) -> list[CheckMessage]:
    with override_settings(**changed):
        return run_checks(tags=["corsguard"])


def test_one_misplacement_is_one_warning_that_names_all_above() -> None:
    [message] = found(MIDDLEWARE=[SECURITY, CSRF, OURS])
    assert message.id == "corsguard.below-security"
    assert SECURITY in message.msg
    assert CSRF in message.msg
    [message] = found(
        MIDDLEWARE=[SECURITY, CSRF, OURS], SILENCED_SYSTEM_CHECKS=["corsguard.below-security"]
    )
    assert message.id == "corsguard.below-csrf"
    assert SECURITY not in message.msg


def test_settings_that_corsheaders_has_left_are_a_warning() -> None:
    left = {"CORS_ALLOWED_ORIGINS": [APP], "CORS_URLS_REGEX": "^/api/"}
    [message] = found(MIDDLEWARE=[OURS], **left)
    assert (message.id, message.is_serious()) == ("corsguard.corsheaders-settings", False)
    assert message.msg.startswith("CORS_ALLOWED_ORIGINS, CORS_URLS_REGEX: ")
    assert all(f"{name}: " in str(message.hint) for name in left)
    assert [each.id for each in found(MIDDLEWARE=[CORSHEADERS, OURS], **left)] == [
        "corsguard.corsheaders"
    ]
    assert found(CORS_OF_OUR_OWN=True) == []


def test_method_that_no_policy_allows_is_listed_with_the_form_of_the_setting() -> None:
    items = path("items", Items.as_view())
    [message] = found(ROOT_URLCONF=(items,))
    assert (message.id, message.is_serious()) == ("corsguard.route-method-not-allowed", False)
    assert 'route "/items"' in message.msg
    assert '"allow_methods": ["PUT"]' in str(message.hint)
    [message] = found(ROOT_URLCONF=(cors_policy(POLICY)(items),))
    assert 'allow_methods=["PUT"]' in str(message.hint)


@pytest.mark.parametrize(
    "setting",
    [
        {"allow_origins": [APP], "allow_methods": ["PUT", "DELETE"]},
        {
            "routes": {
                "/items": {"allow_origins": [APP], "allow_methods": ["PUT"]},
                "/gone": {"allow_origins": [APP], "allow_methods": ["DELETE"]},
            }
        },
    ],
)
def test_method_that_no_url_has_is_listed_with_its_policy(setting: dict[str, Any]) -> None:
    [message] = found(ROOT_URLCONF=(path("items", Items.as_view()),), CORSGUARD=setting)
    assert (message.id, message.is_serious()) == ("corsguard.method-not-routed", False)
    assert "DELETE" in message.msg
    assert "CORSGUARD" in message.msg


def test_hints_are_written_as_the_setting_is() -> None:
    [message] = found(CORSGUARD=None)
    assert message.id == "corsguard.no-policy"
    assert 'CORSGUARD = {"allow_origins": ["https://app.example.com"]}' in str(message.hint)
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured) as caught:
        WSGIHandler()
    assert 'CORSGUARD = {"allow_origins": [' in str(caught.value)


def test_setting_that_allows_nothing_starts_and_is_sound() -> None:
    with override_settings(CORSGUARD={"routes": {"/": False}}):
        WSGIHandler()
    assert found(CORSGUARD={"routes": {"/": False}}) == []
    assert found(CORSGUARD={"routes": {"/": None}}) == []


@pytest.mark.parametrize("setting", [None, {}, {"allow_origins": []}])
def test_the_form_that_allows_nothing_is_written_as_the_setting_is(setting: object) -> None:
    [message] = found(CORSGUARD=setting)
    assert 'write {"routes": {"/": None}} in Python' in message.msg


def test_a_path_beside_the_fields_is_shown_among_the_routes() -> None:
    [message] = found(CORSGUARD={"/": None})
    assert (message.id, message.hint) == (
        "corsguard.unknown-field",
        '{"routes": {"/": None}}',
    )


def test_a_setting_that_corsheaders_has_left_switched_off_is_to_be_removed() -> None:
    [message] = found(CORS_ALLOW_ALL_ORIGINS=False, CORS_ORIGIN_ALLOW_ALL=True)
    first, second = str(message.hint).split("; ")
    assert first == (
        "CORS_ALLOW_ALL_ORIGINS: remove it: only the origins in allow_origins are allowed"
    )
    assert second.startswith('CORS_ORIGIN_ALLOW_ALL: allow_origins: ["*"]')


@pytest.mark.parametrize("option", ["origins", "supports_credentials", "CORS_ALLOWED_ORIGINS"])
def test_option_of_a_peer_in_the_setting_is_an_error(option: str) -> None:
    messages = found(CORSGUARD={option: [APP], "allow_origins": [APP]})
    assert [message.id for message in messages] == ["corsguard.unknown-field"]
    assert option in messages[0].msg
