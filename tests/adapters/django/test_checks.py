"""The system checks and `manage.py corsguard`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management.base import SystemCheckError
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from support.django_checks import find_ids, find_messages, run_command
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


@pytest.mark.parametrize(
    "middleware",
    [[OURS, CSRF], [f"{__name__}.Derived"], ["corsguard_django.middleware.CORSMiddleware"]],
)
def test_checks_of_a_correct_project_find_nothing(middleware: list[str]) -> None:
    assert find_ids(MIDDLEWARE=middleware) == []


def test_policy_problem_is_an_error_with_code_and_suggestion() -> None:
    bad = {"allow_origins": ["https://a.example/"], "max_age": -1, "allow_orign": []}
    messages = {message.id: message for message in find_messages(CORSGUARD=bad)}
    assert messages.keys() == {
        "corsguard.origin-invalid",
        "corsguard.max-age-out-of-range",
        "corsguard.unknown-field",
    }
    origin = messages["corsguard.origin-invalid"]
    assert origin.is_serious()
    assert origin.msg.startswith("CORSGUARD.allow_origins: ")
    assert origin.hint == (
        "https://a.example\n\tSee: https://corsguard.readthedocs.io/en/stable/problems.html#origin-invalid"
    )


def test_view_problem_and_missing_setting_are_errors() -> None:
    insecure = cors_policy(Policy(allow_origins=["http://a.example"]))(path("a/<int:id>", view))
    [message] = find_messages(CORSGUARD=Guard(POLICY, enforce=True), ROOT_URLCONF=(insecure,))
    assert (message.id, message.is_serious()) == ("corsguard.origin-insecure", True)
    assert message.msg.startswith('view "/a/<int:id>".allow_origins: ')
    assert find_ids(CORSGUARD=None) == ["no-policy"]


def test_policy_warning_is_a_check_warning_with_its_place() -> None:
    with pytest.warns(PolicyWarning):
        long, starred = (
            Policy(allow_origins=[APP], max_age=80_000),
            Policy(allow_origins=["*"], allow_headers=["*"]),
        )
    routes = {"routes": {"/api": long, "/off": False}}
    patterns = (cors_policy(starred)(path("a", view)), cors_exempt(path("b", view)))
    messages = find_messages(CORSGUARD=routes, ROOT_URLCONF=patterns)
    assert [message.id for message in messages] == [
        "corsguard.max-age-capped",
        "corsguard.authorization-not-covered",
    ]
    assert not any(message.is_serious() for message in messages)
    assert messages[0].msg.startswith('CORSGUARD.routes."/api".max_age: ')
    assert messages[1].msg.startswith('view "/a".allow_headers: ')
    assert find_ids(CORSGUARD={"allow_origins": [APP], "max_age": 80_000}) == ["max-age-capped"]


def test_check_command_runs_only_corsguard_checks() -> None:
    assert "no issues" in run_command("check")
    assert "corsguard.below-csrf" in run_command("check", MIDDLEWARE=[CSRF, OURS])
    with pytest.raises(SystemCheckError, match=r"corsguard\.origin-invalid"):
        run_command("check", CORSGUARD={"allow_origins": ["a.example"]})


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

    assert find_ids(ROOT_URLCONF=(path("slow", Slow.as_view()),)) == ["max-age-capped"]


def test_only_the_check_command_reports_policy_warnings(
    recwarn: pytest.WarningsRecorder,
) -> None:
    long = {"allow_origins": [APP], "max_age": 80_000}
    assert run_command("routes", CORSGUARD=long).endswith(f"\n\nA  {APP}\n")
    assert "corsguard.max-age-capped" in run_command("check", CORSGUARD=long)
    assert list(recwarn) == []
