"""`manage.py corsguard explain` finds the view as the project's own routing does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.test import override_settings
from django.urls import path, register_converter
from django.utils.translation import get_language
from support.django_explain import API, PARTNER, ROUTED, called, changes, document, explain

OURS = "corsguard_django.CORSMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"


class Raised:
    """What a project may raise before a view is known."""

    regex = "[A-Za-z0-9]+"
    errors = (Http404, PermissionDenied, BadRequest, SuspiciousOperation, RuntimeError)

    def to_python(self, value: str) -> str:
        raise next(error for error in self.errors if error.__name__ == value)

    def to_url(self, value: object) -> str:
        raise NotImplementedError


class Redirect(HttpResponsePermanentRedirect):
    status_code = 308


class Common(CommonMiddleware):
    """One of the project's own, which needs what another middleware does."""

    response_redirect_class = Redirect

    def process_request(self, request: HttpRequest) -> Any:
        raise AssertionError(request.user)


def unrelated(get_response: Any) -> Any:
    raise AssertionError("a middleware that has no say in the routing was made")


register_converter(Raised, "raised")
urlpatterns = [
    path("items/<int:item>", called),
    path("slashed/", called),
    path("raised/<raised:error>", called),
    *i18n_patterns(path("greeting", called), path("greetings/", called)),
]


@pytest.fixture(autouse=True)
def in_80_columns(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    with override_settings(CORSGUARD=ROUTED, ROOT_URLCONF=__name__):
        yield


def test_url_without_a_view_is_404() -> None:
    assert document(f"{API}/nowhere")["response"]["status"] == 404


def answers(*arguments: str, **changed: Any) -> list[tuple[int, str | None]]:
    """The status of each answer, and where it redirects to."""
    with override_settings(**changed):
        report = document(*arguments)
    found = []
    for answer in (hop["answer"] for hop in report["requests"]):
        fields = {field["name"]: field["value"] for field in answer["headers"]}
        found.append((answer["status"], fields.get("Location")))
    return found


@pytest.mark.parametrize(("common", "status"), [(COMMON, 301), (f"{__name__}.Common", 308)])
def test_redirect_to_a_slash_is_a_step(common: str, status: int) -> None:
    stack = [OURS, common]
    assert answers(f"{API}/slashed?a=1", MIDDLEWARE=stack) == [
        (status, "/slashed/?a=1"),
        (200, None),
    ]
    assert answers(f"{API}/slashed", MIDDLEWARE=stack, APPEND_SLASH=False) == [(404, None)]
    assert answers(f"{API}/slashed", MIDDLEWARE=[OURS]) == [(404, None)]
    assert answers(f"{API}/nowhere", MIDDLEWARE=stack) == [(404, None)]
    # Django refuses to lose the body while one develops.
    assert answers("--method=POST", f"{API}/slashed", MIDDLEWARE=stack, DEBUG=True) == [(500, None)]


def test_preflight_without_a_policy_is_redirected_to_the_slash() -> None:
    with override_settings(MIDDLEWARE=[OURS, COMMON], CORSGUARD={"routes": {"/api": False}}):
        report = document("--method=PUT", f"{API}/slashed", page=PARTNER)
    assert [hop["answer"]["status"] for hop in report["requests"]] == [301]
    assert report["verdict"] == "blocked"


def test_path_selects_the_language_with_locale_middleware() -> None:
    in_german = f"{API}/de/greeting"
    assert answers(in_german, MIDDLEWARE=[OURS, LOCALE]) == [(200, None)]
    assert answers(in_german, MIDDLEWARE=[OURS], LANGUAGE_CODE="de") == [(200, None)]
    assert answers(in_german, MIDDLEWARE=[OURS]) == [(404, None)]
    before = get_language()
    answers(in_german, MIDDLEWARE=[OURS, LOCALE])
    assert get_language() == before


def test_redirect_to_a_language_is_a_step() -> None:
    stack = [OURS, LOCALE, COMMON]
    assert answers(f"{API}/greeting", MIDDLEWARE=stack, LANGUAGE_CODE="fr") == [
        (302, "/fr/greeting"),
        (200, None),
    ]
    assert answers(f"{API}/greetings", "--header=accept-language:de", MIDDLEWARE=stack) == [
        (302, "/de/greetings/"),
        (200, None),
    ]


def test_other_middleware_does_not_run() -> None:
    stack = [OURS, f"{__name__}.unrelated", "nowhere.Nothing", COMMON]
    assert answers(f"{API}/slashed", MIDDLEWARE=stack) == [(301, "/slashed/"), (200, None)]


def test_host_of_the_url_is_allowed() -> None:
    stack = [OURS, COMMON]
    assert answers(f"{API}/items/1", MIDDLEWARE=stack, ALLOWED_HOSTS=[]) == [(200, None)]


def test_response_has_no_content_length() -> None:
    with override_settings(MIDDLEWARE=[OURS, COMMON]):
        assert "content-length" not in explain("--format=json", f"{API}/items/1").out.lower()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("Http404", 404),
        ("PermissionDenied", 403),
        ("BadRequest", 400),
        ("SuspiciousOperation", 400),
        ("RuntimeError", 500),
    ],
)
def test_exception_of_a_converter_has_the_status_of_django(error: str, status: int) -> None:
    assert answers(f"{API}/raised/{error}") == [(status, None)]


def test_forced_script_name_is_not_part_of_the_path() -> None:
    with override_settings(FORCE_SCRIPT_NAME="/service", MIDDLEWARE=[OURS, COMMON]):
        assert answers(f"{API}/service/items/1") == [(200, None)]
        assert answers(f"{API}/service/slashed") == [(301, "/service/slashed/"), (200, None)]
        assert answers(f"{API}/services/items/1") == [(404, None)]
        with override_settings(CORSGUARD={"routes": {"/partners": False}}):
            assert changes(f"{API}/service/items/1")[0][:2] == ("route", "/items/1")
