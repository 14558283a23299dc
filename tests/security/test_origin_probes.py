"""Every origin probe on every kind of pattern, behind every adapter.

The value of `Origin` is put where a server would put it, in the environ or
the scope. So line ends and control bytes are tried as well, which no HTTP server lets through.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from support.application import Fields
from support.asgi_exchange import scope_of
from support.security.origin_probes import PREDICATE_CALLS, TARGETS, Target, build_probes
from support.security.routers import ROUTERS, DjangoProject, Reply, Router, Send, over_asgi, runner
from support.stacks.asgi import application
from support.table import PREFLIGHT_VARY, cors_fields, preflight

from corsguard import Engine, Guard, Origin, Policy
from corsguard.origin import OriginError
from corsguard_asgi import CORSMiddleware
from corsguard_django import CORSMiddleware as DjangoMiddleware

PATH = "/api/admin"
COOKIE = ("Cookie", "session=1")


def on_nothing(guard: Guard, admin: Policy | None) -> Any:
    return CORSMiddleware(application, guard)


def in_async_django(guard: Guard, admin: Policy | None) -> DjangoProject:
    """Build the middleware alone: Django's handler would take ten times as long."""

    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.method)

    return DjangoProject((), lambda: DjangoMiddleware(answer))


def over_middleware(app: Any, method: str, wire: str, headers: Fields) -> Reply:
    response = runner().run(app(ASGIRequest(scope_of(method, wire, headers), io.BytesIO())))
    return Reply(response.status_code, list(response.items()), response.content.decode())


ADAPTERS = [
    *(router for router in ROUTERS if router.name in {"wsgi", "flask", "django"}),
    Router("asgi", on_nothing, over_asgi),
    Router("django-async", in_async_django, over_middleware),
]


def allowing(target: Target) -> Policy:
    return Policy(
        allow_origins=[target.listed],
        allow_credentials=True,
        allow_methods=["PUT"],
        expose_headers=["X-Total"],
    )


def requests(origin: str) -> Iterator[tuple[str, Fields]]:
    for cookies in ([], [COOKIE]):
        for method in ("GET", "POST"):
            yield method, [("Origin", origin), *cookies]
        yield "OPTIONS", [*preflight(origin), *cookies]


def find_wrong_responses(send: Send, origins: list[str]) -> Iterator[tuple[str, str, Reply]]:
    """Yield method, origin and response wherever the response is not that of a refusal."""
    for origin in origins:
        for method, fields in requests(origin):
            reply = send(method, PATH, fields)
            expected = (200, "Origin")
            if method == "OPTIONS":
                expected = (403, f"Origin, {PREFLIGHT_VARY}")
            if (reply.status, cors_fields(reply.headers)) != (expected[0], {"vary": expected[1]}):
                yield method, origin, reply


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_origin_probe_is_not_allowed(adapter: Router, target: Target) -> None:
    with adapter.served(Guard(allowing(target)), None) as send:
        for method, fields in requests(target.covered):
            allowed = cors_fields(send(method, PATH, fields).headers)["access-control-allow-origin"]
            assert allowed == target.covered
        for name, origins in build_probes(target).items():
            assert list(find_wrong_responses(send, origins)) == [], name


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_origin_probe_under_enforcement_is_refused(adapter: Router, target: Target) -> None:
    with adapter.served(Guard(allowing(target), enforce=True), None) as send:
        assert send("POST", PATH, [("Origin", target.covered), COOKIE]).status == 200
        for name, origins in build_probes(target).items():
            passed = [
                origin
                for origin in origins
                if send("POST", PATH, [("Origin", origin), COOKIE]).status != 403
            ]
            assert passed == [], name


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_origin_probe_beyond_latin_1_is_not_allowed(target: Target) -> None:
    """Run characters beyond latin-1 on the engine: neither interface can carry them."""
    engine = Engine(allowing(target))
    for origins in build_probes(target).values():
        for origin in origins:
            texts = {f"{origin}\u2028", f"\u202e{origin}", f"{origin}\ud800"}
            if not origin.isascii():
                texts.add(origin.encode("latin-1").decode("utf-8", "surrogateescape"))
            for text in texts:
                assert not engine.decide(text, "GET", {}).allowed
    assert engine.decide(target.covered, "GET", {}).allowed


def test_callable_receives_only_valid_origins() -> None:
    [target] = [target for target in TARGETS if target.kind == "callable"]
    engine = Engine(allowing(target))
    tried = [origin for origins in build_probes(target).values() for origin in origins]
    PREDICATE_CALLS.clear()
    for origin in tried:
        engine.decide(origin, "GET", {})
    valid = [origin for origin in tried if is_valid(origin)]
    # With credentials, nothing asks about plain http either.
    assert [origin for origin in valid if not origin.startswith("http://")] == PREDICATE_CALLS
    assert 10 < len(PREDICATE_CALLS) < len(tried) / 10


def is_valid(origin: str) -> bool:
    try:
        return not Origin.parse(origin).opaque
    except OriginError:
        return False


def test_every_probe_kind_runs_on_every_pattern_kind() -> None:
    for target in TARGETS:
        counts = {name: len(origins) for name, origins in build_probes(target).items()}
        assert len(counts) == 19
        assert min(counts.values()) > 0
