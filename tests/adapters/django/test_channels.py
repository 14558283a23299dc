"""corsguard around what an ASGI application serves besides Django.

tests/ecosystem has the same with Channels itself; here, its routers are made by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_only_middleware
from support.asgi_exchange import Exchange, ask, scope_of
from support.django_requests import APP, EVIL
from support.django_routers import (
    REACHED,
    Inner,
    Mux,
    OwnHandler,
    OwnRouter,
    Router,
    URLRouter,
    Validator,
    by_function,
    events,
    re_route,
    route,
    socket,
)

from corsguard import Guard, Policy
from corsguard_django import cors_exempt, cors_policy
from corsguard_django.channels import CORSMiddleware

OURS = "corsguard_django.CORSMiddleware"
HOST = "api.example.com"
PARTNER = "https://partner.example"
POLICY = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
COOKIE = ("cookie", "sessionid=1")


async def silent(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


async def breaks(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("broken")


async def breaks_late(scope: Any, receive: Any, send: Any) -> None:
    await events(scope, receive, send)
    raise RuntimeError("broken")


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["corsguard.decision"].reason)


@cors_exempt
def exempt(request: HttpRequest) -> HttpResponse:
    return HttpResponse("exempt")


@cors_policy(allow_origins=[PARTNER])
def partners(request: HttpRequest) -> HttpResponse:
    return HttpResponse("partners")


urlpatterns = [path("view", view), path("exempt", exempt), path("partners", partners)]


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    REACHED.clear()
    with override_settings(CORSGUARD=Guard(POLICY, enforce=True), ROOT_URLCONF=__name__):
        yield


Lines = list[tuple[str, str]]


def ask_any(application: Any, kind: str, where: str, fields: Lines, **extra: Any) -> Exchange:
    """Send a request, a handshake, or an event of another protocol."""
    scope = scope_of(path=where, headers=fields, type=kind, **extra)
    first = {"type": "http.request" if kind == "http" else f"{kind}.connect"}
    answer = ask(application, scope, first)
    if answer.error is not None:
        raise answer.error
    return answer


def connects(application: Any, *fields: tuple[str, str], kind: str = "websocket") -> bool:
    sent = ask_any(application, kind, "/ws", list(fields)).sent
    assert sent in (
        [{"type": f"{kind}.accept"}],
        [{"type": f"{kind}.close", "code": 1008}],
    )
    assert bool(REACHED) is (sent[0]["type"] == f"{kind}.accept")
    return bool(REACHED)


def fetch(
    application: Any, method: str, where: str, *fields: tuple[str, str], **extra: Any
) -> tuple[int, dict[str, str], bytes]:
    answer = ask_any(application, "http", where, list(fields), method=method, **extra)
    given = [(name.lower(), value) for name, value in answer.fields]
    headers = {
        name.removeprefix("access-control-"): value
        for name, value in given
        if name.startswith(("access-control-", "vary"))
    }
    assert len(dict(given)) == len(given)  # no field is there twice
    return answer.status, headers, answer.body


APPLICATIONS: dict[str, Callable[[], Any]] = {
    "around": lambda: CORSMiddleware(Router(websocket=socket, webtransport=socket)),
    "branch": lambda: Router(
        websocket=Validator(CORSMiddleware(socket)), webtransport=CORSMiddleware(socket)
    ),
    "inside": lambda: Router(
        websocket=Inner(CORSMiddleware(URLRouter(route("ws", socket)))),
        webtransport=CORSMiddleware(socket),
    ),
    "function": lambda: CORSMiddleware(by_function(websocket=socket, webtransport=socket)),
}


@pytest.mark.parametrize("kind", ["websocket", "webtransport"])
@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("origin", EVIL), COOKIE], False),
        ([("origin", EVIL)], False),
        ([("origin", APP), COOKIE], True),
        ([("origin", f"https://{HOST}"), COOKIE], True),
        ([("origin", EVIL), ("sec-fetch-site", "cross-site")], False),
        ([("origin", EVIL), ("sec_fetch_site", "same-origin")], False),
        ([("origin", EVIL), ("origin", APP)], False),
        ([COOKIE], True),  # no browser
    ],
)
def test_handshake_that_no_policy_allows_is_refused(
    application: str, fields: Lines, expected: bool, kind: str
) -> None:
    assert connects(APPLICATIONS[application](), *fields, kind=kind) is expected
    if expected:
        assert REACHED[0]["corsguard.decision"].allowed


def test_handshake_without_enforce_is_accepted() -> None:
    with override_settings(CORSGUARD=POLICY):
        assert connects(CORSMiddleware(socket), ("origin", EVIL))


def test_handshake_refusal_is_a_response_with_the_extension() -> None:
    extensions: Any = {"websocket.http.response": {}}
    answer = ask_any(
        CORSMiddleware(socket), "websocket", "/ws", [("origin", EVIL)], extensions=extensions
    )
    start, body = answer.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert (b"vary", b"Origin") in start["headers"]
    assert body["body"].startswith(b"corsguard: ")


def test_disconnected_handshake_gets_no_response() -> None:
    async def receive() -> Any:
        return {"type": "websocket.disconnect"}

    scope = {"type": "websocket", "path": "/ws", "headers": [(b"origin", EVIL.encode())]}
    asyncio.run(CORSMiddleware(socket)(scope, receive, pytest.fail))
    assert REACHED == []


@pytest.mark.parametrize(
    ("where", "root", "expected"),
    [
        ("/svc/open", "/svc", True),
        ("/svc/shut", "/svc", False),
        ("/open", "/svc", True),
        ("/svc", "/svc", False),
        ("/open", "/", True),
        ("/svcopen", "/svc", False),
        ("/x/svc/open", "/svc", False),
    ],
)
def test_handshake_path_is_the_one_that_the_router_reads(
    where: str, root: str, expected: bool
) -> None:
    guard = Guard({"/open": POLICY}, enforce=True)
    with override_settings(CORSGUARD=guard):
        ask_any(CORSMiddleware(socket), "websocket", where, [("origin", APP)], root_path=root)
    assert bool(REACHED) is expected


def test_other_protocols_pass_through() -> None:
    application = CORSMiddleware(Router(lifespan=socket))
    answer = ask_any(application, "lifespan", "/", [("origin", EVIL)])
    assert answer.sent == [{"type": "lifespan.accept"}]


def beside(django: Any) -> dict[str, Any]:
    """Return applications that have Django beside /events."""
    routes = (route("events", events), re_route("", django))
    nested = URLRouter(
        route("events", events), re_route("", Inner(URLRouter(re_route("", django))))
    )
    for entry in nested.routes[1:]:
        entry.pattern = type(entry.pattern)("", is_endpoint=False)
    return {
        "router": Router(http=URLRouter(*routes)),
        "wrapped": Inner(Router(http=Inner(URLRouter(*routes)))),
        "nested": Router(http=nested),
        "function": by_function(http=URLRouter(*routes)),
        "partial": partial(URLRouter(*routes)),
        "mux": Mux(django),
        "wrapped mux": Inner(Router(http=Mux(django))),
        "own router": OwnRouter(http=django),
        "own handler": OwnHandler(),
        "inside": URLRouter(route("events", events), re_route("", Mux(django))),
    }


KINDS = [
    "router",
    "wrapped",
    "nested",
    "function",
    "partial",
    "mux",
    "wrapped mux",
    "own router",
    "own handler",
    "inside",
]


@pytest.mark.parametrize("kind", KINDS)
def test_http_outside_django_has_the_policy_of_its_path(kind: str) -> None:
    application = CORSMiddleware(beside(ASGIHandler())[kind])
    status, headers, body = fetch(application, "GET", "/events", ("origin", APP))
    assert (status, body) == (200, b"events")
    assert headers == {
        "allow-origin": APP,
        "allow-credentials": "true",
        "vary": "Cookie, Origin",
    }
    assert REACHED[0]["corsguard.decision"].allowed
    asked = ("access-control-request-method", "PUT")
    status, headers, body = fetch(application, "OPTIONS", "/events", ("origin", APP), asked)
    assert (status, headers["allow-origin"], body) == (204, APP, b"")
    assert fetch(application, "POST", "/events", ("origin", EVIL), COOKIE)[0] == 403
    assert len(REACHED) == 1


@pytest.mark.parametrize("below", [[], [f"{__name__}.sync_only"]])
@pytest.mark.parametrize("kind", KINDS)
def test_http_of_django_has_view_policies_and_one_decision(kind: str, below: list[str]) -> None:
    guard = Guard(POLICY, enforce=True)
    decided: list[str] = []
    guard.subscribe(lambda decision, facts: decided.append(f"{facts.method} {facts.path}"))
    asked = ("access-control-request-method", "PUT")
    with override_settings(CORSGUARD=guard, MIDDLEWARE=[OURS, *below]):
        application = CORSMiddleware(beside(ASGIHandler())[kind])
        status, headers, body = fetch(application, "GET", "/view", ("origin", APP))
        assert (status, headers["allow-origin"], body) == (200, APP, b"ALLOWED")
        assert fetch(application, "PUT", "/view", ("origin", APP), COOKIE)[0] == 200
        assert fetch(application, "PUT", "/view", ("origin", EVIL), COOKIE)[0] == 403
        assert fetch(application, "OPTIONS", "/view", ("origin", APP), asked)[0] == 204
        status, headers, body = fetch(application, "GET", "/partners", ("origin", PARTNER))
        assert (headers["allow-origin"], body) == (PARTNER, b"partners")
        assert decided == ["GET /view", "PUT /view", "PUT /view", "OPTIONS /view", "GET /partners"]
        assert fetch(application, "GET", "/exempt", ("origin", APP)) == (200, {}, b"exempt")
        assert fetch(application, "OPTIONS", "/exempt", ("origin", APP), asked)[:2] == (200, {})


@sync_only_middleware
def sync_only(get_response: Any) -> Any:
    return lambda request: get_response(request)


def test_handshake_of_an_unknown_class_is_refused() -> None:
    assert not connects(CORSMiddleware(Mux(ASGIHandler())), ("origin", EVIL), COOKIE)
    assert connects(CORSMiddleware(Mux(ASGIHandler())), ("origin", APP), COOKIE)


def test_remaining_path_of_an_outer_router_is_routed() -> None:
    inner = URLRouter(route("events", events), re_route("", ASGIHandler()))
    outer = URLRouter(route("api/", CORSMiddleware(inner)))
    outer.routes[0].pattern = type(outer.routes[0].pattern)("api/", is_endpoint=False)
    assert fetch(outer, "POST", "/api/events", ("origin", EVIL), COOKIE)[0] == 403
    assert REACHED == []


def test_application_around_itself_is_not_django() -> None:
    circle = Inner(None)
    circle.inner = circle
    assert fetch(CORSMiddleware(circle), "POST", "/", ("origin", EVIL), COOKIE)[0] == 403


def test_urlconf_of_a_middleware_applies_behind_a_router() -> None:
    chooses = f"{__name__}.chooses"
    asked = ("access-control-request-method", "PUT")
    with override_settings(MIDDLEWARE=[chooses, OURS]):
        application = CORSMiddleware(Router(http=ASGIHandler()))
        assert fetch(application, "OPTIONS", "/view", ("origin", APP), asked)[:2] == (200, {})


@sync_only_middleware
def chooses(get_response: Any) -> Any:
    def choose(request: HttpRequest) -> Any:
        request.urlconf = (path("view", exempt),)  # type: ignore[assignment]  # or patterns
        return get_response(request)

    return choose


def test_response_without_headers_gets_cors_headers() -> None:
    status, headers, _ = fetch(CORSMiddleware(silent), "GET", "/", ("origin", APP))
    assert (status, headers["allow-origin"]) == (204, APP)


def test_exception_becomes_a_500_with_cors_headers() -> None:
    for application, status, count in ((breaks, 500, 2), (breaks_late, 200, 2)):
        answer = ask(CORSMiddleware(application), scope_of(path="/", headers=[("origin", APP)]))
        assert isinstance(answer.error, RuntimeError)
        assert (answer.status, len(answer.sent)) == (status, count)
        assert ("access-control-allow-origin", APP) in answer.fields


def test_overridden_settings_apply_to_the_next_request() -> None:
    django = ASGIHandler()
    application = CORSMiddleware(by_function(http=django, websocket=socket))
    assert fetch(application, "GET", "/view", ("origin", EVIL))[1] == {"vary": "Origin"}
    with override_settings(CORSGUARD=Policy(allow_origins=[EVIL])):
        assert fetch(application, "GET", "/view", ("origin", EVIL))[1]["allow-origin"] == EVIL
        assert connects(application, ("origin", APP))
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured):
        fetch(application, "GET", "/view")


def test_bad_setting_does_not_start() -> None:
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured, match="no-policy"):
        CORSMiddleware(socket)
