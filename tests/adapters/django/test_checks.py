"""The system checks and `manage.py corsguard`."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from support.django_requests import APP

from corsguard import Guard, Policy, PolicyWarning
from corsguard_django import CORSMiddleware, cors_exempt, cors_policy

OURS = "corsguard_django.CORSMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
POLICY = Policy(allow_origins=[APP])


class Derived(CORSMiddleware):
    """What a project may make of the middleware."""


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


def view_of_its_own(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


def found(**changed: Any) -> list[CheckMessage]:
    with override_settings(**changed):
        messages = run_checks(tags=["corsguard"])
    assert all(message.hint for message in messages), messages
    return messages


def ids(**changed: Any) -> list[str]:
    return [str(message.id).removeprefix("corsguard.") for message in found(**changed)]


@pytest.mark.parametrize(
    "middleware",
    [[OURS, CSRF], [f"{__name__}.Derived"], ["corsguard_django.middleware.CORSMiddleware"]],
)
def test_checks_of_a_correct_project_find_nothing(middleware: list[str]) -> None:
    assert ids(MIDDLEWARE=middleware) == []


def test_policy_problem_is_an_error_with_code_and_suggestion() -> None:
    bad = {"allow_origins": ["https://a.example/"], "max_age": -1, "allow_orign": []}
    messages = {message.id: message for message in found(CORSGUARD=bad)}
    assert messages.keys() == {
        "corsguard.origin-invalid",
        "corsguard.max-age-out-of-range",
        "corsguard.unknown-field",
    }
    origin = messages["corsguard.origin-invalid"]
    assert origin.is_serious()
    assert origin.msg.startswith("CORSGUARD.allow_origins: ")
    assert origin.hint == "https://a.example"


def test_view_problem_and_missing_setting_are_errors() -> None:
    insecure = cors_policy(Policy(allow_origins=["http://a.example"]))(path("a/<int:id>", view))
    [message] = found(CORSGUARD=Guard(POLICY, enforce=True), ROOT_URLCONF=(insecure,))
    assert (message.id, message.is_serious()) == ("corsguard.origin-insecure", True)
    assert message.msg.startswith('view "/a/<int:id>".allow_origins: ')
    assert ids(CORSGUARD=None) == ["no-policy"]


def test_policy_warning_is_a_check_warning_with_its_place() -> None:
    with pytest.warns(PolicyWarning):
        long, starred = (
            Policy(allow_origins=[APP], max_age=80_000),
            Policy(allow_origins=["*"], allow_headers=["*"]),
        )
    routes = {"routes": {"/api": long, "/off": False}}
    patterns = (cors_policy(starred)(path("a", view)), cors_exempt(path("b", view)))
    messages = found(CORSGUARD=routes, ROOT_URLCONF=patterns)
    assert [message.id for message in messages] == [
        "corsguard.max-age-capped",
        "corsguard.authorization-not-covered",
    ]
    assert not any(message.is_serious() for message in messages)
    assert messages[0].msg.startswith('CORSGUARD.routes."/api".max_age: ')
    assert messages[1].msg.startswith('view "/a".allow_headers: ')
    assert ids(CORSGUARD={"allow_origins": [APP], "max_age": 80_000}) == ["max-age-capped"]


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
    assert ids(MIDDLEWARE=middleware) == expected


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
    assert ids(CORSGUARD=guard, CSRF_TRUSTED_ORIGINS=trusted, MIDDLEWARE=[OURS, CSRF]) == expected


def test_pattern_without_a_trusted_csrf_origin_is_a_warning() -> None:
    wide = Policy(
        allow_origins=["https://*.example.com", "http://localhost:*", re.compile("https://b[.]c")]
    )
    changed = {
        "CORSGUARD": Guard({"/": wide, "/open": Policy(allow_origins=["*"])},
                           enforce=True, enforce_exempt=["/open"]),
        "CSRF_TRUSTED_ORIGINS": ["https://*.example.com", "https://b.c"],
    }  # fmt: skip
    [message] = found(**changed, MIDDLEWARE=[OURS, CSRF])
    assert message.id == "corsguard.csrf-allowed-not-trusted"
    assert "http://localhost:*" in message.msg
    assert ids(**changed, MIDDLEWARE=[OURS]) == []  # nothing asks for a token


def test_callable_is_not_called_for_trusted_csrf_origins() -> None:
    def fails(origin: str) -> bool:
        raise NotImplementedError

    guard = Guard(Policy(allow_origins=[fails]), enforce=True)
    assert ids(CORSGUARD=guard, CSRF_TRUSTED_ORIGINS=[APP]) == []


def test_csrf_origins_without_enforce_are_not_checked() -> None:
    assert ids(CSRF_TRUSTED_ORIGINS=["https://other.example"], MIDDLEWARE=[OURS, CSRF]) == []


def told(*arguments: str, **changed: Any) -> str:
    out = io.StringIO()
    with override_settings(**changed):
        call_command("corsguard", *arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def test_check_command_runs_only_corsguard_checks() -> None:
    assert "no issues" in told("check")
    assert "corsguard.below-csrf" in told("check", MIDDLEWARE=[CSRF, OURS])
    with pytest.raises(SystemCheckError, match=r"corsguard\.origin-invalid"):
        told("check", CORSGUARD={"allow_origins": ["a.example"]})


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--settings=other", "--pythonpath=."),
        ("--settings=other", "--pythonpath=.", "check"),
    ],
)
def test_django_options_are_accepted_on_both_sides_of_the_action(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "other.py").write_text(
        'SECRET_KEY = "not secret"\nINSTALLED_APPS = ["corsguard_django"]\n'
        'ROOT_URLCONF = "other"\nurlpatterns = []\n'
        'CORSGUARD = {"allow_origins": ["other.example"]}\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "django", "corsguard", *arguments, "--no-color"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "other.example" in done.stderr
    assert "unrecognized" not in done.stderr


def test_handler_of_two_methods_has_one_warning() -> None:
    with pytest.warns(PolicyWarning):
        long = Policy(allow_origins=[APP], max_age=80_000)

    class Slow(View):
        @method_decorator(cors_policy(long))
        def get(self, request: HttpRequest) -> None: ...

    assert ids(ROOT_URLCONF=(path("slow", Slow.as_view()),)) == ["max-age-capped"]


def test_only_the_check_command_reports_policy_warnings(
    recwarn: pytest.WarningsRecorder,
) -> None:
    long = {"allow_origins": [APP], "max_age": 80_000}
    assert told("routes", CORSGUARD=long).endswith(f"\n\nA  {APP}\n")
    assert "corsguard.max-age-capped" in told("check", CORSGUARD=long)
    assert list(recwarn) == []
