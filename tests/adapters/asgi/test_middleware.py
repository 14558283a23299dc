"""The ASGI middleware by the protocol alone: the messages that it passes on and sends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.asgi_exchange import (
    APP,
    EVIL,
    REQUEST,
    Answering,
    Exchange,
    Message,
    ask,
    exchange,
    get,
    scope_of,
)

from corsguard import Guard, Policy, PolicyError, Reason
from corsguard_asgi import CORSMiddleware

POLICY = Policy(
    allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"], expose_headers=["X-Total"]
)
ALLOWED = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Total",
    "vary": "Origin",
}
ASKED = ("Access-Control-Request-Method", "PUT")


class BrokenError(Exception):
    pass


def only_api() -> Guard:
    return Guard({"/api": POLICY})


def test_response_passes_with_cors_headers() -> None:
    app = Answering()
    answer = get(CORSMiddleware(app, POLICY))
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.cors == ALLOWED
    assert answer.fields[0] == ("content-type", "text/plain")
    assert app.headers == ((b"content-type", b"text/plain"),)


@pytest.mark.parametrize("names", [(), ("x-a",), ("X-Total",)])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("site", ["cross-site", "same-origin"])
@pytest.mark.parametrize("origin", [APP, EVIL, None])
def test_repeated_request_has_the_same_response_and_one_warning(
    caplog: pytest.LogCaptureFixture,
    origin: str | None,
    site: str,
    method: str,
    names: tuple[str, ...],
) -> None:
    headers = [("Sec-Fetch-Site", site), ASKED, ("Cookie", "a=b")]
    headers += [("Access-Control-Request-Headers", name) for name in names]
    headers += [("Origin", origin)] if origin else []
    everywhere, by_route = (
        CORSMiddleware(Answering(), policies) for policies in (POLICY, {"/": POLICY})
    )
    first, *others = (
        ask(app, scope_of(method, headers=headers)).sent
        for app in (everywhere, everywhere, everywhere, by_route, by_route)
    )
    assert others == [first] * 4
    assert len(caplog.messages) in {0, 2}  # of each guard
    assert len(set(caplog.messages)) in {0, 1}


@pytest.mark.parametrize("vary", [[], [(b"Vary", b"Cookie")]])
def test_headers_can_be_an_iterator(vary: list[tuple[bytes, bytes]]) -> None:
    given = iter([(b"content-type", b"text/plain"), *vary, (b"x-a", b"1")])
    fields = get(CORSMiddleware(Answering(given), POLICY)).fields
    assert fields[0] == ("content-type", "text/plain")
    assert ("x-a", "1") in fields
    assert ("vary", "Cookie, Origin" if vary else "Origin") in fields


def test_header_names_are_lower_case() -> None:
    plain = CORSMiddleware(Answering(), POLICY)
    varying = CORSMiddleware(Answering([(b"Vary", b"Cookie")]), POLICY)
    refused = scope_of("OPTIONS", headers=[("Origin", EVIL), ASKED])
    answers = [get(plain), get(varying), ask(plain, refused)]
    for answer in answers:
        assert all(name == name.lower() for name, _ in answer.start["headers"])


def test_cookies_on_several_lines_are_read() -> None:
    app = Answering()
    cookies = [("Cookie", "a=1"), ("Cookie", "b=2")]
    ask(
        CORSMiddleware(app, Policy(allow_origins=[APP])),
        scope_of(headers=[("Origin", APP), *cookies], http_version="2"),
    )
    assert app.decision.reason is Reason.CREDENTIALS_NOT_ALLOWED


def test_requested_headers_on_several_lines_are_joined() -> None:
    names = [("Access-Control-Request-Headers", name) for name in ("x-a", "x-a", "x-b")]
    policy = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_headers=["X-A"])
    app = CORSMiddleware(Answering(), policy)
    said: list[tuple[Reason, str]] = []
    app.guard.subscribe(lambda decision, facts: said.append((decision.reason, decision.detail)))
    ask(app, scope_of("OPTIONS", headers=[("Origin", APP), ASKED, *names[:1]]))
    ask(app, scope_of("OPTIONS", headers=[("Origin", APP), ASKED, *names]))
    assert said == [(Reason.ALLOWED, ""), (Reason.HEADERS_NOT_ALLOWED, "x-b")]


# What is passed on


@pytest.mark.parametrize("kind", ["lifespan", "something-new"])
def test_other_scope_types_pass_unchanged(kind: str) -> None:
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    scope: Message = {"type": kind, "asgi": {"version": "3.0"}}
    given = (scope, object(), object())
    asyncio.run(CORSMiddleware(app, POLICY)(*given))  # type: ignore[arg-type]
    assert all(one is other for one, other in zip(seen, given, strict=True))
    assert scope == {"type": kind, "asgi": {"version": "3.0"}}


def test_path_without_a_policy_passes_the_original_send() -> None:
    app = Answering([(b"Access-Control-Allow-Origin", b"*")])
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return REQUEST

    asyncio.run(CORSMiddleware(app, only_api())(scope_of(headers=[("Origin", APP)]), receive, send))
    [(_, _, given)] = app.calls
    assert given is send
    assert sent[0]["headers"] is app.headers
    assert app.decision.reason is Reason.NO_POLICY


def test_scope_of_the_server_is_not_changed() -> None:
    app = Answering()
    scope = scope_of(headers=[("Origin", APP)])
    before = dict(scope)
    ask(CORSMiddleware(app, POLICY), scope)
    assert scope == before
    assert app.decision.reason is Reason.ALLOWED


@pytest.mark.parametrize("origin", [APP, EVIL, None])
def test_extension_messages_pass_unchanged(origin: str | None) -> None:
    early = {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]}
    push: Message = {"type": "http.response.push", "path": "/style.css", "headers": []}
    debug: Message = {"type": "http.response.debug", "info": {"template": "a.html"}}
    start: Message = {"type": "http.response.start", "status": 200, "trailers": True, "headers": []}
    path: Message = {"type": "http.response.pathsend", "path": "/srv/style.css"}
    zero_copy: Message = {"type": "http.response.zerocopysend", "file": 3, "more_body": True}
    trailers: Message = {"type": "http.response.trailers", "headers": [(b"x-checksum", b"1")]}
    messages: list[Message] = [early, push, debug, start, zero_copy, path, trailers]

    async def app(scope: Message, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    sent = get(CORSMiddleware(app, POLICY), origin=origin).sent
    for message, original in zip(sent, messages, strict=True):
        if original is start:
            assert {**message, "headers": []} == start
        else:
            assert message is original
    assert start["headers"] == []


def test_body_messages_are_not_buffered() -> None:
    sent: list[Message] = []
    reached: list[int] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": number < 2})
            reached.append(len(sent))

    async def receive() -> Message:
        return REQUEST

    asyncio.run(CORSMiddleware(app, POLICY)(scope_of(headers=[("Origin", APP)]), receive, send))
    assert reached == [2, 3, 4]


# The headers of an answer


def lines() -> Iterator[list[bytes]]:
    yield [b"content-type", b"text/plain"]


@pytest.mark.parametrize("headers", [[[b"content-type", b"text/plain"]], lines(), ()])
def test_headers_can_be_any_iterable_of_pairs(headers: Any) -> None:
    assert get(CORSMiddleware(Answering(headers), POLICY)).cors == ALLOWED


def test_start_message_without_headers_gets_cors_headers() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})

    assert get(CORSMiddleware(app, POLICY)).cors == ALLOWED


@pytest.mark.parametrize("name", [b"vary", b"Vary", b"VARY"])
def test_vary_in_any_case_is_merged(name: bytes) -> None:
    answer = get(CORSMiddleware(Answering([(name, b"Cookie"), (name, b"X-A")]), POLICY))
    assert answer.cors == {**ALLOWED, "vary": "Cookie, X-A, Origin"}


def test_cors_header_of_the_application_is_replaced_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Answering([(b"Access-Control-Allow-Origin", b"*"), (b"x-name", b"\xe9\xff")])
    answer = get(CORSMiddleware(app, POLICY))
    assert answer.cors == ALLOWED
    assert (b"x-name", b"\xe9\xff") in answer.start["headers"]
    said = "the application sets access-control-allow-origin itself at /items; "
    assert said in caplog.text.lower()


# Paths


def test_scope_without_root_path_is_routed() -> None:
    scope = scope_of(path="/api", headers=[("Origin", APP)])
    del scope["root_path"]
    assert ask(CORSMiddleware(Answering(), only_api()), scope).cors == ALLOWED


# An application that raises


@pytest.mark.parametrize("first", [None, "http.response.early_hint", "http.response.debug"])
def test_exception_before_the_start_is_a_500_with_headers(first: str | None) -> None:
    error = BrokenError()

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if first is not None:
            await send({"type": first})
        raise error

    answer = get(CORSMiddleware(app, POLICY))
    assert answer.error is error
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert answer.cors == ALLOWED
    assert dict(answer.fields)["content-length"] == str(len(answer.body))


def test_exception_after_the_start_is_only_raised() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise BrokenError

    answer = get(CORSMiddleware(app, POLICY))
    assert [message["type"] for message in answer.sent] == ["http.response.start"]
    assert isinstance(answer.error, BrokenError)


def test_exception_without_a_policy_is_only_raised() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise BrokenError

    answer = get(CORSMiddleware(app, only_api()))
    assert answer.sent == []
    assert isinstance(answer.error, BrokenError)


def test_inner_of_two_middlewares_handles_the_exception() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise BrokenError

    outer = CORSMiddleware(CORSMiddleware(app, POLICY), POLICY)
    answer = get(outer)
    assert (answer.status, len(answer.sent)) == (500, 2)
    assert answer.cors == ALLOWED
    assert isinstance(answer.error, BrokenError)


def test_cancelled_request_gets_no_response() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        await receive()

    async def cancelled() -> Exchange:
        request = asyncio.ensure_future(exchange(CORSMiddleware(app, POLICY), scope_of()))
        done, _ = await asyncio.wait([request], timeout=0.01)
        assert not done
        request.cancel()
        return await request

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


# Set-up


def test_middleware_without_a_policy_does_not_start() -> None:
    with pytest.raises(PolicyError, match="no-policy"):
        CORSMiddleware(Answering())


def test_guard_can_be_reconfigured() -> None:
    guard = Guard({"/other": POLICY})
    app = CORSMiddleware(Answering(), guard)
    assert get(app).cors == {}
    guard.reconfigure(POLICY)
    assert get(app).cors == ALLOWED


def test_policies_by_path_are_accepted() -> None:
    app = CORSMiddleware(Answering(), {"/api": POLICY, "/api/off": None})
    assert get(app, "/api/x").cors == ALLOWED
    assert get(app, "/api/off").cors == {}


def test_import_loads_no_framework() -> None:
    frameworks = {"starlette", "fastapi", "litestar", "quart", "asyncio", "anyio"}
    code = f"import sys, corsguard_asgi; print({frameworks} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
