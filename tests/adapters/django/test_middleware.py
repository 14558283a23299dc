"""The responses of a Django project, beyond the shared table."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import get_ident
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware
from django.views.static import serve
from support.django_requests import APP, EVIL, Ask, cors, preflight
from support.stacks.django import ASGI, WSGI

from corsguard import Decision, Guard, Policy
from corsguard_django import cors_policy

OURS = "corsguard_django.CORSMiddleware"
ALLOWED = {"allow-origin": APP, "vary": "Origin"}
POLICY = Policy(allow_origins=[APP])


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken")


def denies(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def downloads(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"a,b"), as_attachment=True, filename="items.csv")


def tells(request: HttpRequest) -> HttpResponse:
    decision: Decision = request.META["corsguard.decision"]
    return HttpResponse(decision.reason)


def shows_host(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.get_host())


@cors_policy(Policy(allow_origins=["*"]))
def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("public")


urlpatterns = [
    path("fails", fails),
    path("denies", denies),
    path("downloads", downloads),
    path("tells", tells),
    path("shows-host", shows_host),
    path("public", public),
    path("slash/", tells),
    path("files/<path:path>", serve, {"document_root": Path(__file__).parent}),
]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
        yield


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    ("where", "status"), [("/fails", 500), ("/denies", 403), ("/nowhere", 404)]
)
def test_error_response_of_django_has_cors_headers(
    ask: Ask, where: str, status: int, debug: bool
) -> None:
    with override_settings(DEBUG=debug):
        response = ask("GET", where, Origin=APP)
    assert (response.status_code, cors(response)) == (status, ALLOWED)


def test_redirect_to_a_slash_has_cors_headers(ask: Ask) -> None:
    common = "django.middleware.common.CommonMiddleware"
    with override_settings(MIDDLEWARE=[OURS, common]):
        response = ask("GET", "/slash", Origin=APP)
        assert (response.status_code, response.headers["Location"]) == (301, "/slash/")
        assert cors(response) == ALLOWED
        assert preflight(ask, "/slash").status_code == 204


@pytest.mark.parametrize("where", ["/downloads", "/files/conftest.py"])
def test_file_response_has_cors_headers(ask: Ask, where: str) -> None:
    response = ask("GET", where, Origin=APP)
    assert (response.status_code, response.streaming) == (200, True)
    assert cors(response) == ALLOWED
    response.close()


@sync_only_middleware
def rewrites(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def rewrite(request: HttpRequest) -> Any:
        request.path_info = request.path_info.removeprefix("/v1")
        return get_response(request)

    return rewrite


@pytest.mark.parametrize(
    "routes",
    [{"/tells": POLICY}, {"/tells": POLICY, "/": Policy(allow_origins=["*"])}],
    ids=["uncovered", "any-origin"],
)
def test_path_rewritten_by_a_middleware_below_applies(ask: Ask, routes: Any) -> None:
    rewriting = {"MIDDLEWARE": [OURS, f"{__name__}.rewrites"], "CORSGUARD": Guard(routes)}
    with override_settings(ROOT_URLCONF=(path("tells", tells),), **rewriting):
        for _ in range(2):  # the decision on /v1/tells must not be found in a cache either
            response = ask("GET", "/v1/tells", Origin=APP)
            assert (response.content, cors(response)) == (b"ALLOWED", ALLOWED)
            response = ask("GET", "/v1/tells", Origin=EVIL)
            assert (response.content, cors(response)) == (b"ORIGIN_NOT_ALLOWED", {"vary": "Origin"})


def test_path_rewritten_below_keeps_the_enforced_decision(ask: Ask) -> None:
    guard = Guard({"/v1": POLICY}, enforce=True)
    rewriting = {"MIDDLEWARE": [OURS, f"{__name__}.rewrites"], "CORSGUARD": guard}
    with override_settings(ROOT_URLCONF=(path("tells", tells),), **rewriting):
        for _ in range(2):
            response = ask("POST", "/v1/tells", Origin=APP, Sec_Fetch_Site="cross-site")
            assert (response.content, cors(response)) == (b"ALLOWED", ALLOWED)
            refused = ask("POST", "/v1/tells", Origin=EVIL, Sec_Fetch_Site="cross-site")
            assert refused.status_code == 403


def test_whitenoise_file_has_cors_headers(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "font.woff2").write_bytes(b"font")
    noise = "whitenoise.middleware.WhiteNoiseMiddleware"
    files = {"STATIC_URL": "/static/", "WHITENOISE_ROOT": str(tmp_path), "STATIC_ROOT": None}
    with override_settings(MIDDLEWARE=[OURS, noise], **files):
        response = ask("GET", "/font.woff2", Origin=APP)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "font/woff2")
    assert cors(response)["allow-origin"] == APP
    response.close()


def test_preflight_is_answered_before_the_https_redirect(ask: Ask) -> None:
    secure = "django.middleware.security.SecurityMiddleware"
    with override_settings(MIDDLEWARE=[OURS, secure], SECURE_SSL_REDIRECT=True):
        assert preflight(ask, "/tells").status_code == 204
        response = ask("GET", "/tells", Origin=APP)
    assert (response.status_code, cors(response)) == (301, ALLOWED)


def test_vary_of_other_middleware_is_merged(ask: Ask) -> None:
    gzip = "django.middleware.gzip.GZipMiddleware"
    with override_settings(MIDDLEWARE=[OURS, gzip]):
        response = ask("GET", "/files/conftest.py", Origin=APP, Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert cors(response) == {"allow-origin": APP, "vary": "Accept-Encoding, Origin"}
    response.close()


@pytest.mark.parametrize("handler", [WSGI, ASGI])
def test_disallowed_host_response_has_cors_headers(
    handler: type[WSGI | ASGI],
) -> None:
    fields = [("Host", "evil.example"), ("Origin", APP)]
    status, headers, _ = handler().exchange("GET", "/shows-host", fields)
    assert status == 400
    assert ("Access-Control-Allow-Origin", APP) in headers
    own = [("Host", "evil.example"), ("Origin", EVIL)]
    assert handler().exchange("GET", "/tells", own)[2] == b"SAME_ORIGIN"


def test_view_reads_the_decision(ask: Ask) -> None:
    assert ask("GET", "/tells", Origin=APP).content == b"ALLOWED"
    assert ask("GET", "/tells", Origin=EVIL).content == b"ORIGIN_NOT_ALLOWED"
    assert ask("GET", "/tells").content == b"NOT_CORS"


@sync_only_middleware
def answering(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that responds in place of the view, like a cache."""
    return lambda request: HttpResponse("kept")


@pytest.mark.parametrize(
    ("where", "origin", "expected"),
    [
        ("/public", EVIL, {"allow-origin": "*"}),
        ("/tells", APP, ALLOWED),
        ("/nowhere", APP, ALLOWED),
    ],
)
def test_response_of_a_middleware_has_the_policy_of_the_view(
    ask: Ask, where: str, origin: str, expected: dict[str, str]
) -> None:
    with override_settings(MIDDLEWARE=[OURS, f"{__name__}.answering"]):
        response = ask("GET", where, Origin=origin)
    assert (response.content, cors(response)) == (b"kept", expected)


@pytest.mark.parametrize(("origin", "status"), [(APP, 204), (EVIL, 403)])
def test_preflight_response_is_not_logged_by_django(
    ask: Ask, caplog: pytest.LogCaptureFixture, origin: str, status: int
) -> None:
    with override_settings(CORSGUARD=Guard(POLICY, enforce=True)):
        assert preflight(ask, "/tells", origin=origin).status_code == status
        ask("POST", "/tells", Origin=EVIL)
    loggers = {record.name for record in caplog.records if record.levelno >= logging.WARNING}
    assert loggers == {"corsguard"}


THREADS: list[int] = []


@sync_and_async_middleware
def watching(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that notes the thread that it is called in."""

    def watch(request: HttpRequest) -> Any:
        THREADS.append(get_ident())
        return get_response(request)

    return markcoroutinefunction(watch) if iscoroutinefunction(get_response) else watch


def test_middleware_runs_in_the_thread_of_the_server(ask: Ask) -> None:
    THREADS.clear()
    threads: list[int] = []
    guard = Guard(POLICY)
    guard.subscribe(lambda decision, facts: threads.append(get_ident()))
    with override_settings(CORSGUARD=guard, MIDDLEWARE=[f"{__name__}.watching", OURS]):
        ask("GET", "/tells", Origin=APP)
        preflight(ask, "/tells")
        ask("GET", "/nowhere", Origin=APP)
    assert threads == THREADS  # and each decision is threads once
    assert len(threads) == 3
