"""Each adapter with a guard that follows a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from support.memory_store import Changes

from corsguard import Guard
from corsguard.browser import Blocked, Browser
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

A, B = "https://a.example", "https://b.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(f'allow_origins = ["{A}"]\n')
    return path


def build_flask(source: object) -> tuple[Any, Guard]:
    app = Flask(__name__)
    app.config["CORSGUARD"] = {"source": source}
    app.add_url_rule("/", view_func=lambda: "hello")
    CORSGuard(app)
    return app, app.extensions["corsguard"].guard


def build_flask_keywords(source: str) -> tuple[Any, Guard]:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "hello")
    CORSGuard(app, source=source)
    return app, app.extensions["corsguard"].guard


def build_fastapi(source: str) -> tuple[Any, Guard]:
    app = FastAPI()
    app.get("/")(lambda: "hello")
    return app, StarletteGuard(app, source={"url": source}).guard


def build_wsgi(source: str) -> tuple[Any, Guard]:
    def app(_: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    middleware = WSGIMiddleware(app, source=source)
    return middleware, middleware.guard


def build_asgi(source: str) -> tuple[Any, Guard]:
    app = FastAPI()
    app.get("/")(lambda: "hello")
    middleware = ASGIMiddleware(app, source=source)
    return middleware, middleware.guard


def can_read(app: object, page: str) -> bool:
    try:
        return Browser.on(app, page=page, url="https://api.example").fetch("/").status == 200
    except Blocked:
        return False


@pytest.mark.parametrize(
    "build", [build_flask, build_flask_keywords, build_fastapi, build_wsgi, build_asgi]
)
def test_adapter_follows_a_source(build: Callable[[str], tuple[Any, Guard]], file: Path) -> None:
    app, guard = build(str(file))
    assert [can_read(app, page) for page in (A, B)] == [True, False]
    changes = Changes(guard)

    file.write_text(f'allow_origins = ["{B}"]\n')
    changes.wait_for_change()

    assert [can_read(app, page) for page in (A, B)] == [False, True]
    guard.unfollow()


def test_flask_applications_of_one_extension_share_what_follows(file: Path) -> None:
    cors = CORSGuard(source=str(file))
    apps = [Flask("one"), Flask("two")]
    for app in apps:
        cors.init_app(app)

    guards = [app.extensions["corsguard"].guard for app in apps]

    assert guards[0] is guards[1]
    guards[0].unfollow()


def test_dict_with_a_source_is_not_a_table_of_routes(file: Path) -> None:
    with pytest.raises(ValueError, match="a dict of a policy's fields, which are keywords here"):
        WSGIMiddleware(lambda *_: [], {"source": str(file)})  # type: ignore[dict-item]
