"""corsguard around what an ASGI application serves besides Django.

tests/ecosystem has the same with Channels itself; here, its routers are made by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from adapters.django.asking import APP, EVIL
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path, re_path
from django.utils.decorators import sync_only_middleware

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware as PlainMiddleware
from corsguard_django import cors_exempt, cors_policy
from corsguard_django.channels import CORSMiddleware

OURS = "corsguard_django.CORSMiddleware"
HOST = "api.example.com"
PARTNER = "https://partner.example"
POLICY = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
REACHED: list[Any] = []
COOKIE = ("cookie", "sessionid=1")


class Router:
    """As ProtocolTypeRouter."""

    def __init__(self, **mapping: Any) -> None:
        self.application_mapping = mapping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application_mapping[scope["type"]](scope, receive, send)


class URLRouter:
    """As that of Channels: it takes the first route that matches what is left of the path."""

    _path_routing = True

    def __init__(self, *routes: Any) -> None:
        self.routes = list(routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        rest = scope.get("path_remaining", scope["path"].removeprefix(scope.get("root_path", "")))
        for route in self.routes:
            if match := route.pattern.match(rest.lstrip("/")):
                scope = {**scope, "path_remaining": match[0]}
                await route.callback(scope, receive, send)
                return
        raise ValueError("no route")


class Inner:
    """As BaseMiddleware of Channels."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner({**scope, "session": {}}, receive, send)


class Validator(Inner):
    """As OriginValidator."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)


async def socket(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    await receive()
    await send({"type": f"{scope['type']}.accept"})


async def events(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    fields = [(b"content-type", b"text/event-stream"), (b"vary", b"Cookie")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"events"})


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


def send_to(application: Any, kind: str, where: str, fields: Lines, **extra: Any) -> list[Any]:
    sent: list[Any] = []
    waiting = [{"type": "http.request" if kind == "http" else f"{kind}.connect", "body": b""}]

    async def receive() -> Any:
        return waiting.pop() if waiting else await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    scope = {"type": kind, "path": where, "query_string": b"", "headers": headers, **extra}
    asyncio.run(application(scope, receive, send))
    return sent


def connects(application: Any, *fields: tuple[str, str], kind: str = "websocket") -> bool:
    sent = send_to(application, kind, "/ws", [("host", HOST), *fields])
    assert sent in (
        [{"type": f"{kind}.accept"}],
        [{"type": f"{kind}.close", "code": 1008}],
    )
    assert bool(REACHED) is (sent[0]["type"] == f"{kind}.accept")
    return bool(REACHED)


def fetch(
    application: Any, method: str, where: str, *fields: tuple[str, str], **extra: Any
) -> tuple[int, dict[str, str], bytes]:
    lines = [("host", HOST), *fields]
    start, *parts = send_to(application, "http", where, lines, method=method, **extra)
    given = [(name.decode().lower(), value.decode()) for name, value in start.get("headers", ())]
    headers = {
        name.removeprefix("access-control-"): value
        for name, value in given
        if name.startswith(("access-control-", "vary"))
    }
    assert len(dict(given)) == len(given)  # no field is there twice
    return start["status"], headers, b"".join(part.get("body", b"") for part in parts)


def by_function(**mapping: Any) -> Callable[..., Any]:
    """Route as Django's documentation does it without Channels: nothing can look into it."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await mapping[scope["type"]](scope, receive, send)

    return application


APPLICATIONS = {
    "around": lambda: CORSMiddleware(Router(websocket=socket, webtransport=socket)),
    "branch": lambda: Router(
        websocket=Validator(CORSMiddleware(socket)), webtransport=CORSMiddleware(socket)
    ),
    "inside": lambda: Router(
        websocket=Inner(CORSMiddleware(URLRouter(path("ws", socket)))),
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
def test_handshake_that_no_policy_allows_never_reaches_the_application(
    application: str, fields: Lines, expected: bool, kind: str
) -> None:
    assert connects(APPLICATIONS[application](), *fields, kind=kind) is expected
    if expected:
        assert REACHED[0]["corsguard.decision"].allowed


def test_without_enforce_no_handshake_is_refused() -> None:
    with override_settings(CORSGUARD=POLICY):
        assert connects(CORSMiddleware(socket), ("origin", EVIL))


def test_handshake_is_refused_by_a_response_where_the_server_can_send_one() -> None:
    extensions = {"websocket.http.response": {}}
    fields = [("host", HOST), ("origin", EVIL)]
    application = CORSMiddleware(socket)
    start, body = send_to(application, "websocket", "/ws", fields, extensions=extensions)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert (b"vary", b"Origin") in start["headers"]
    assert body["body"].startswith(b"corsguard: ")


def test_handshake_that_was_given_up_is_not_answered() -> None:
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
def test_path_of_a_handshake_is_that_of_the_router(where: str, root: str, expected: bool) -> None:
    guard = Guard({"/open": POLICY}, enforce=True)
    fields = [("host", HOST), ("origin", APP)]
    with override_settings(CORSGUARD=guard):
        send_to(CORSMiddleware(socket), "websocket", where, fields, root_path=root)
    assert bool(REACHED) is expected


def test_other_protocols_pass() -> None:
    sent = send_to(CORSMiddleware(Router(lifespan=socket)), "lifespan", "/", [("origin", EVIL)])
    assert sent == [{"type": "lifespan.accept"}]


def beside(django: Any) -> dict[str, Any]:
    """Return applications that have Django beside /events."""
    routes = (path("events", events), re_path("", django))
    nested = URLRouter(path("events", events), re_path("", Inner(URLRouter(re_path("", django)))))
    for route in nested.routes[1:]:
        route.pattern = type(route.pattern)("", is_endpoint=False)
    return {
        "router": Router(http=URLRouter(*routes)),
        "wrapped": Inner(Router(http=Inner(URLRouter(*routes)))),
        "nested": Router(http=nested),
        "function": by_function(http=URLRouter(*routes)),
        "partial": partial(URLRouter(*routes)),
    }


KINDS = ["router", "wrapped", "nested", "function", "partial"]


@pytest.mark.parametrize("kind", KINDS)
def test_http_beside_django_has_the_policy_of_its_path(kind: str) -> None:
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
def test_http_of_django_has_the_policies_of_its_views_and_is_decided_once(
    kind: str, below: list[str]
) -> None:
    guard = Guard(POLICY, enforce=True)
    told: list[str] = []
    guard.subscribe(lambda decision, facts: told.append(f"{facts.method} {facts.path}"))
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
        assert told == ["GET /view", "PUT /view", "PUT /view", "OPTIONS /view", "GET /partners"]
        assert fetch(application, "GET", "/exempt", ("origin", APP)) == (200, {}, b"exempt")
        assert fetch(application, "OPTIONS", "/exempt", ("origin", APP), asked)[:2] == (200, {})


@sync_only_middleware
def sync_only(get_response: Any) -> Any:
    return lambda request: get_response(request)


def test_urlconf_that_a_middleware_chooses_is_that_of_django_behind_a_router() -> None:
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


def test_response_without_fields_gets_them() -> None:
    status, headers, _ = fetch(CORSMiddleware(silent), "GET", "/", ("origin", APP))
    assert (status, headers["allow-origin"]) == (204, APP)


def test_application_that_fails_is_answered_with_the_headers() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", APP.encode())]}
    for application, status, count in ((breaks, 500, 2), (breaks_late, 200, 2)):
        sent.clear()
        with pytest.raises(RuntimeError, match="broken"):
            asyncio.run(CORSMiddleware(application)(scope, pytest.fail, send))
        assert (sent[0]["status"], len(sent)) == (status, count)
        assert (b"access-control-allow-origin", APP.encode()) in sent[0]["headers"]


def test_settings_that_a_test_changes_are_those_of_the_next_request() -> None:
    django = ASGIHandler()
    application = CORSMiddleware(by_function(http=django, websocket=socket))
    assert fetch(application, "GET", "/view", ("origin", EVIL))[1] == {"vary": "Origin"}
    with override_settings(CORSGUARD=Policy(allow_origins=[EVIL])):
        assert fetch(application, "GET", "/view", ("origin", EVIL))[1]["allow-origin"] == EVIL
        assert connects(application, ("origin", APP))
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured):
        fetch(application, "GET", "/view")


def test_a_bad_setting_does_not_start() -> None:
    with override_settings(CORSGUARD={}), pytest.raises(ImproperlyConfigured, match="no-policy"):
        CORSMiddleware(socket)


MADE: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    """Return an application for ASGI_APPLICATION, made in the settings of the test."""
    try:
        return MADE[name]
    except KeyError:
        raise AttributeError(name) from None


def found(application: Any, **changed: Any) -> list[CheckMessage]:
    MADE["made"] = application
    with override_settings(ASGI_APPLICATION=f"{__name__}.made", **changed):
        return [each for each in run_checks(tags=["corsguard"]) if ".asgi-" in str(each.id)]


SOCKET, HTTP = "corsguard.asgi-websocket", "corsguard.asgi-http"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Router(http=ASGIHandler(), websocket=socket), [SOCKET]),
        (lambda: Router(http=ASGIHandler(), websocket=Inner(Validator(socket))), [SOCKET]),
        (lambda: Router(websocket=URLRouter(path("ws", socket))), [SOCKET]),
        (
            lambda: Router(
                websocket=URLRouter(path("a", CORSMiddleware(socket)), path("b", socket))
            ),
            [SOCKET],
        ),
        (lambda: Router(webtransport=socket), ["corsguard.asgi-webtransport"]),
        (lambda: Inner(Router(http=ASGIHandler(), websocket=socket)), [SOCKET]),
        (lambda: Router(http=events, websocket=socket), [SOCKET, HTTP]),
        (lambda: Router(http=URLRouter(path("e", events), re_path("", ASGIHandler()))), [HTTP]),
        (lambda: Router(http=by_function()), [HTTP]),
        (lambda: Router(http=Router(http=events)), [HTTP]),
        (lambda: CORSMiddleware(Router(http=events, websocket=socket)), []),
        (lambda: Inner(CORSMiddleware(Router(http=events, websocket=socket))), []),
        (lambda: PlainMiddleware(Router(http=events, websocket=socket), POLICY), []),
        (lambda: Router(http=Inner(ASGIHandler()), websocket=CORSMiddleware(socket)), []),
        (lambda: Router(websocket=Inner(Validator(CORSMiddleware(socket)))), []),
        (lambda: Router(http=URLRouter(re_path("", ASGIHandler())), lifespan=socket), []),
        (lambda: Router(websocket=ASGIHandler()), []),  # which accepts none
        (lambda: Router(), []),
        (ASGIHandler, []),
        (lambda: Inner(ASGIHandler()), []),
        (by_function, ["corsguard.asgi-unknown"]),
        (lambda: CORSMiddleware(by_function()), []),
    ],
)
def test_what_is_served_outside_of_corsguard_is_found(make: Any, expected: list[str]) -> None:
    messages = found(make())
    assert [message.id for message in messages] == expected
    for message in messages:
        assert message.is_serious() is (message.id != "corsguard.asgi-unknown")
        assert "application = CORSMiddleware(application)" in str(message.hint)
        assert "corsguard_django.channels" in str(message.hint)


def test_application_around_itself_ends_the_search() -> None:
    circle = Inner(None)
    circle.inner = circle
    assert [each.id for each in found(circle)] == ["corsguard.asgi-unknown"]


def test_without_enforce_only_http_is_an_error() -> None:
    changed = {"CORSGUARD": POLICY}
    assert [each.id for each in found(Router(http=events, websocket=socket), **changed)] == [HTTP]
    assert found(by_function(), **changed) == []


@pytest.mark.parametrize("where", ["no.such.module", f"{__name__}.nothing", "", None])
def test_application_that_can_not_be_imported_is_left_to_the_server(where: str | None) -> None:
    with override_settings(ASGI_APPLICATION=where):
        assert run_checks(tags=["corsguard"]) == []
