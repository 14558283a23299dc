"""FastAPI: the middleware around the application, among its user middleware, and CORSGuard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from support.asgi_exchange import APP, App, get

from corsguard import Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard

POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_headers=["Content-Type"])
ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
SetUp = Callable[[FastAPI], App]


class BrokenError(Exception):
    pass


def around(app: FastAPI) -> App:
    return CORSMiddleware(app, POLICY)


def added(app: FastAPI) -> App:
    app.add_middleware(CORSMiddleware, policy=POLICY)
    return app


def guarded(app: FastAPI) -> App:
    CORSGuard(app, POLICY)
    return app


SET_UPS = pytest.mark.parametrize("set_up", [around, added, guarded])


async def session() -> AsyncIterator[str]:
    """A dependency that lets go of something after the answer."""
    yield "session"


def fastapi(*, debug: bool = False) -> FastAPI:
    app = FastAPI(debug=debug)
    router = APIRouter(prefix="/v1")

    @app.get("/items/{number}")
    async def read(number: int, session: Annotated[str, Depends(session)]) -> dict[str, int]:
        return {"number": number}

    @app.get("/gone")
    def gone() -> None:
        raise HTTPException(410)

    @app.get("/crash")
    @router.get("/crash")
    async def crash(session: Annotated[str, Depends(session)]) -> None:
        raise BrokenError

    @app.get("/late")
    async def late() -> Response:
        def fail() -> None:
            raise BrokenError

        return JSONResponse({"late": True}, background=BackgroundTask(fail))

    app.include_router(router)
    return app


@SET_UPS
@pytest.mark.parametrize(
    ("path", "status"),
    [("/items/one", 422), ("/gone", 410), ("/nothing", 404), ("/docs", 200)],
)
def test_response_made_by_fastapi_has_cors_headers(set_up: SetUp, path: str, status: int) -> None:
    answer = get(set_up(fastapi()), path)
    assert (answer.status, answer.cors) == (status, ALLOWED)


@SET_UPS
@pytest.mark.parametrize("path", ["/crash", "/v1/crash"])
@pytest.mark.parametrize("debug", [False, True])
def test_500_has_cors_headers(set_up: SetUp, path: str, debug: bool) -> None:
    app = set_up(fastapi(debug=debug))
    for _ in range(2):
        answer = get(app, path)
        assert (answer.status, answer.cors) == (500, ALLOWED)
        assert (b"BrokenError" in answer.body) is debug
        assert isinstance(answer.error, BrokenError)


@SET_UPS
@pytest.mark.parametrize("key", [500, Exception])
def test_custom_handler_runs_once(set_up: SetUp, key: int | type[Exception]) -> None:
    ran: list[Exception] = []
    plain, waiting = fastapi(), fastapi()

    @plain.exception_handler(key)
    def answer(request: Request, error: Exception) -> Response:
        ran.append(error)
        return JSONResponse({"error": "custom"}, 500)

    @waiting.exception_handler(key)
    async def answer_async(request: Request, error: Exception) -> Response:
        return answer(request, error)

    for app in map(set_up, (plain, waiting)):
        ran.clear()
        for number in range(1, 3):
            crashed = get(app, "/crash")
            assert (crashed.status, crashed.body) == (500, b'{"error":"custom"}')
            assert crashed.cors == ALLOWED
            assert len(ran) == number
            assert ran[-1] is crashed.error


@SET_UPS
def test_handler_of_one_exception_has_cors_headers(set_up: SetUp) -> None:
    app = fastapi()

    @app.exception_handler(BrokenError)
    def answer(request: Request, error: BrokenError) -> Response:
        return JSONResponse({"error": "known"}, 418)

    answered = get(set_up(app), "/crash")
    assert (answered.status, answered.cors, answered.error) == (418, ALLOWED, None)


@SET_UPS
def test_failed_background_task_does_not_change_the_response(set_up: SetUp) -> None:
    answer = get(set_up(fastapi()), "/late")
    assert (answer.status, answer.body, answer.cors) == (200, b'{"late":true}', ALLOWED)
    assert isinstance(answer.error, BrokenError)


def test_middleware_added_last_is_outermost() -> None:
    app = fastapi()

    @app.middleware("http")
    async def deny(request: Request, call_next: object) -> Response:
        return JSONResponse({"error": "no"}, 401)

    assert get(added(app), "/items/1").cors == ALLOWED


def test_application_can_be_mounted() -> None:
    inner = fastapi()
    inner.add_middleware(CORSMiddleware, policy={"/items": POLICY, "/crash": POLICY})
    app = FastAPI()
    app.mount("/svc", inner)
    assert get(app, "/svc/items/1").cors == ALLOWED
    assert get(app, "/svc/gone").cors == {}
    crashed = get(app, "/svc/crash")
    assert (crashed.status, crashed.cors) == (500, ALLOWED)
    assert isinstance(crashed.error, BrokenError)
