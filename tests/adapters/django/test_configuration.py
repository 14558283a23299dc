"""The forms of `settings.CORSGUARD`, and the problems that stop a project."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from support.django_requests import APP, EVIL, Ask, cors

from corsguard import Guard, Policy, PolicyWarning
from corsguard_django import cors_exempt, cors_policy

POLICY = Policy(allow_origins=[APP])
INSECURE = Policy(allow_origins=["http://a.example"])
PLAIN_NULL = Policy(allow_origins=["http://b.example"])


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


def another_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("another")


urlpatterns = [path("", view)]
INSECURE_VIEWS = (
    path("", view),
    path("a/", cors_policy(INSECURE)(another_view)),
    cors_policy(PLAIN_NULL)(path("b/", view)),
)


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize(
    "given",
    [
        {"allow_origins": [APP]},
        {"routes": {"/": {"allow_origins": [APP]}}},
        {"routes": {"/": POLICY}, "enforce": True},
        POLICY,
        Guard({"/": POLICY}),
    ],
    ids=["fields", "routes", "routes-of-policies", "policy", "guard"],
)
def test_setting_is_a_mapping_a_policy_or_a_guard(ask: Ask, given: object) -> None:
    with override_settings(CORSGUARD=given):
        assert cors(ask("GET", "/", Origin=APP)) == {"allow-origin": APP, "vary": "Origin"}


def problems_of(handler: type[WSGIHandler | ASGIHandler], **changed: Any) -> str:
    with override_settings(**changed), pytest.raises(ImproperlyConfigured) as caught:
        handler()
    return str(caught.value)


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
def test_bad_setting_does_not_start_and_lists_every_problem(
    handler: type[WSGIHandler | ASGIHandler],
) -> None:
    bad = {"allow_origins": ["https://a.example/"], "max_age": -1, "allow_orign": []}
    message = problems_of(handler, CORSGUARD=bad)
    assert message.startswith("corsguard: 3 problems:")
    for code in ("origin-invalid", "max-age-out-of-range", "unknown-field"):
        assert f"[{code}]" in message
    assert "CORSGUARD.allow_origins" in message


def test_policy_warning_names_the_setting_and_no_source_line() -> None:
    routes = {"/api": {"allow_origins": [APP], "max_age": 80_000}}
    with override_settings(CORSGUARD={"routes": routes}), pytest.warns(PolicyWarning) as caught:
        WSGIHandler()
    [warning] = caught
    assert str(warning.message).startswith('CORSGUARD.routes."/api".max_age: Chromium keeps')
    assert "corsguard" not in Path(warning.filename).parent.name


@pytest.mark.parametrize(
    ("given", "code"),
    [(None, "no-policy"), ({}, "no-policy"), ([APP], "type-invalid"), (Guard({}), "no-policy")],
)
def test_setting_of_another_type_does_not_start(given: object, code: str) -> None:
    assert f"[{code}]" in problems_of(WSGIHandler, CORSGUARD=given)


@pytest.mark.parametrize("given", [Guard({"/": None}), {"routes": {"/": None}}])
def test_setting_that_allows_nothing_starts(ask: Ask, given: object) -> None:
    with override_settings(CORSGUARD=given):
        assert cors(ask("GET", "/", Origin=APP)) == {}


def test_project_with_only_exempt_views_has_no_policy() -> None:
    patterns = (cors_exempt(path("", view)),)
    message = problems_of(WSGIHandler, CORSGUARD=None, ROOT_URLCONF=patterns)
    assert "[no-policy]" in message


def test_dangerous_view_policy_does_not_start_and_names_its_url() -> None:
    enforced = {"allow_origins": [APP], "enforce": True}
    message = problems_of(WSGIHandler, CORSGUARD=enforced, ROOT_URLCONF=INSECURE_VIEWS)
    assert message.startswith("corsguard: 2 problems:")
    for where in ("/a/", "/b/"):
        assert f'view "{where}".allow_origins' in message
    assert message.count("[origin-insecure]") == 2


def test_overridden_setting_applies_to_a_running_client() -> None:
    client = Client()
    with override_settings(CORSGUARD=POLICY):
        assert cors(client.get("/", headers={"Origin": APP}))["allow-origin"] == APP
        with override_settings(CORSGUARD=Policy(allow_origins=[EVIL])):
            assert cors(client.get("/", headers={"Origin": APP})) == {"vary": "Origin"}
        with override_settings(ROOT_URLCONF=(cors_exempt(path("", view)),)):
            assert cors(client.get("/", headers={"Origin": APP})) == {}
        with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured):
            client.get("/")
        with override_settings(APPEND_SLASH=False):
            assert cors(client.get("/", headers={"Origin": APP}))["allow-origin"] == APP


def test_guard_is_reconfigured_while_it_serves(ask: Ask) -> None:
    guard = Guard(POLICY)
    with override_settings(CORSGUARD=guard):
        assert cors(ask("GET", "/", Origin=EVIL)) == {"vary": "Origin"}
        guard.reconfigure(Policy(allow_origins=[EVIL]))
        assert cors(ask("GET", "/", Origin=EVIL))["allow-origin"] == EVIL


def test_import_without_django_fails_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("corsguard_django")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "django", None)
    with pytest.raises(ImportError) as caught:
        import corsguard_django  # noqa: F401
    assert str(caught.value) == 'corsguard_django needs Django: pip install "corsguard[django]"'
