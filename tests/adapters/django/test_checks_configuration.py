"""The system checks of what is around the policies: other settings, URLs, and their wording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.views import View
from support.django_checks import find_messages
from support.django_requests import APP

from corsguard import Policy
from corsguard.policy.warning_filter import ignore_policy_warnings
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


def test_method_that_no_policy_allows_is_listed_with_a_fix() -> None:
    items = path("items", Items.as_view())
    [message] = find_messages(ROOT_URLCONF=(items,))
    assert (message.id, message.is_serious()) == ("corsguard.route-method-not-allowed", False)
    assert 'route "/items"' in message.msg
    assert '"allow_methods": ["PUT"]' in str(message.hint)
    [message] = find_messages(ROOT_URLCONF=(cors_policy(POLICY)(items),))
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
def test_method_that_no_url_accepts_is_listed_with_its_policy(setting: dict[str, Any]) -> None:
    [message] = find_messages(ROOT_URLCONF=(path("items", Items.as_view()),), CORSGUARD=setting)
    assert (message.id, message.is_serious()) == ("corsguard.method-not-routed", False)
    assert "DELETE" in message.msg
    assert "CORSGUARD" in message.msg


def test_hint_is_written_as_a_dict() -> None:
    [message] = find_messages(CORSGUARD=None)
    assert message.id == "corsguard.no-policy"
    assert 'CORSGUARD = {"allow_origins": ["https://app.example.com"]}' in str(message.hint)
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured) as caught:
        WSGIHandler()
    assert 'CORSGUARD = {"allow_origins": [' in str(caught.value)


def test_setting_that_allows_nothing_has_no_problems() -> None:
    with override_settings(CORSGUARD={"routes": {"/": False}}):
        WSGIHandler()
    assert find_messages(CORSGUARD={"routes": {"/": False}}) == []
    assert find_messages(CORSGUARD={"routes": {"/": None}}) == []


@pytest.mark.parametrize("setting", [None, {}, {"allow_origins": []}])
def test_message_shows_the_setting_that_allows_nothing(setting: object) -> None:
    [message] = find_messages(CORSGUARD=setting)
    assert 'write {"routes": {"/": None}} in Python' in message.msg


def test_path_as_a_field_is_suggested_as_a_route() -> None:
    [message] = find_messages(CORSGUARD={"/": None})
    assert (message.id, message.hint) == (
        "corsguard.unknown-field",
        '{"routes": {"/": None}}\n\tSee: https://corsguard.readthedocs.io/en/stable/problems.html#unknown-field',
    )


@pytest.mark.parametrize("option", ["origins", "supports_credentials", "CORS_ALLOWED_ORIGINS"])
def test_option_of_another_cors_library_is_an_error(option: str) -> None:
    messages = find_messages(CORSGUARD={option: [APP], "allow_origins": [APP]})
    assert [message.id for message in messages] == ["corsguard.unknown-field"]
    assert option in messages[0].msg


def test_policies_of_a_list_are_checked_one_by_one() -> None:
    later = Policy(allow_origins=[APP, "https://b.example"])
    with ignore_policy_warnings():
        [message] = find_messages(CORSGUARD={"routes": {"/": [POLICY, later]}})
    assert (message.id, message.is_serious()) == ("corsguard.origin-unreachable", False)
    assert message.msg.startswith(f'routes."/"[1].allow_origins: {APP} has no effect here')
    wrong = {"routes": {"/": [{"allow_origins": ["*"]}, {"allow_origins": [APP]}]}}
    [message] = find_messages(CORSGUARD=wrong)
    assert message.id == "corsguard.policy-unreachable"
    assert message.msg.startswith('CORSGUARD.routes."/"[1]: no request reaches this policy')
    view_policies = cors_policy([POLICY, later])(path("own", view))
    [message] = find_messages(ROOT_URLCONF=(view_policies,))
    assert message.msg.startswith('view "/own"[1].allow_origins')
