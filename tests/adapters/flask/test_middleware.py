"""Responses that are particular to Flask; support/rows has those of every adapter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import flask_login  # type: ignore[import-untyped]
import pytest
from flask import (
    Flask,
    Response,
    abort,
    jsonify,
    request,
    request_started,
    stream_with_context,
)
from support.flask_requests import APP, EVIL, POLICY, PUBLIC, fetch, get_allow_origin, preflight
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from corsguard import CORSRequest, Decision, Reason
from corsguard_flask import CORSGuard, cors_policy


@pytest.fixture(params=["by path", "with views"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """Return an application with one policy for every path, alone or beside that of a view."""
    (tmp_path / "style.css").write_text("body {}", encoding="utf-8")
    app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    CORSGuard(app, {"/": POLICY})
    if request.param == "with views":
        app.add_url_rule("/own", "own", cors_policy(PUBLIC)(lambda: "own"))
    return app


def crash() -> str:
    raise ZeroDivisionError


def test_before_request_401_carries_headers(app: Flask) -> None:
    @app.before_request
    def refuse() -> None:
        abort(401)

    response = fetch(app, "/")
    assert (response.status_code, get_allow_origin(response)) == (401, APP)


def test_static_file_carries_headers(app: Flask) -> None:
    with closing(fetch(app, "/static/style.css")) as response:
        assert (response.status_code, get_allow_origin(response)) == (200, APP)
        etag = response.headers["ETag"]
    with closing(fetch(app, "/static/style.css", If_None_Match=etag)) as again:
        assert (again.status_code, get_allow_origin(again)) == (304, APP)


def test_stream_is_not_buffered(app: Flask) -> None:
    sent: list[str] = []

    @app.get("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[str]:
            for chunk in ("one", "two"):
                sent.append(chunk)
                yield f"{chunk} {request.path}"

        return Response(stream_with_context(chunks()))

    response = app.test_client().get("/stream", headers={"Origin": APP}, buffered=False)
    assert get_allow_origin(response) == APP
    assert next(response.iter_encoded()) == b"one /stream"
    assert sent == ["one"]
    response.close()


def test_error_handler_500_carries_headers(app: Flask) -> None:
    app.add_url_rule("/crash", "crash", crash)
    app.register_error_handler(500, lambda error: (jsonify(error="mine"), 500))
    response = fetch(app, "/crash")
    assert (response.status_code, response.json, get_allow_origin(response)) == (
        500,
        {"error": "mine"},
        APP,
    )


def test_500_before_matching_carries_headers(
    app: Flask,
) -> None:
    class Broken(type(app.session_interface)):  # type: ignore[misc]
        def open_session(self, *_: Any) -> None:
            raise OSError

    app.session_interface = Broken()
    response = fetch(app, "/nowhere")
    assert (response.status_code, get_allow_origin(response)) == (500, APP)


@pytest.mark.parametrize("setting", ["TESTING", "PROPAGATE_EXCEPTIONS", "DEBUG"])
def test_propagated_exception_is_raised(app: Flask, setting: str) -> None:
    app.config[setting] = True
    app.add_url_rule("/crash", "crash", crash)
    with pytest.raises(ZeroDivisionError):
        fetch(app, "/crash")


def test_preflight_calls_no_function_of_the_application(app: Flask) -> None:
    reached: list[str] = []
    app.before_request(lambda: reached.append("before_request"))
    app.teardown_request(lambda error: reached.append("teardown_request"))
    app.url_value_preprocessor(lambda endpoint, values: reached.append("preprocessor"))
    app.add_url_rule("/", "index", lambda: "seen", methods=["PUT", "OPTIONS"])

    def note_signal(sender: Flask, **_: object) -> None:
        reached.append("request_started")

    with request_started.connected_to(note_signal, app):
        assert preflight(app, "/").status_code == 204
        assert preflight(app, "/", origin=EVIL).status_code == 403
        assert reached == []
        fetch(app, "/", "PUT")
    assert "before_request" in reached


def test_preflight_passes_flask_login(app: Flask) -> None:
    app.secret_key = "secret"
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda user_id: None)

    @app.put("/mine")
    @flask_login.login_required  # type: ignore[untyped-decorator]
    def mine() -> str:
        return "mine"

    assert preflight(app, "/mine").status_code == 204
    response = fetch(app, "/mine", "PUT")
    assert (response.status_code, get_allow_origin(response)) == (401, APP)


def test_decision_is_readable_in_before_request(app: Flask) -> None:
    reasons: list[Reason] = []

    @app.before_request
    def read() -> None:
        decision: Decision = request.environ["corsguard.decision"]
        reasons.append(decision.reason)

    app.add_url_rule("/", "index", lambda: "seen")
    fetch(app, "/")
    fetch(app, "/", origin=EVIL)
    fetch(app, "/", origin=None)
    fetch(app, "/nowhere")
    assert reasons == [
        Reason.ALLOWED,
        Reason.ORIGIN_NOT_ALLOWED,
        Reason.NOT_CORS,
        Reason.ALLOWED,
    ]


def test_subscriber_is_called_once_per_request(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    reported: list[tuple[Reason, str]] = []

    def subscriber(decision: Decision, sent: CORSRequest) -> None:
        reported.append((decision.reason, sent.path))

    app.extensions["corsguard"].guard.subscribe(subscriber)
    app.add_url_rule("/", "index", lambda: "seen", methods=["GET", "PUT"])
    with caplog.at_level(logging.DEBUG, "corsguard"):
        fetch(app, "/", origin=EVIL)
        preflight(app, "/")
        fetch(app, "/", "PUT")
        fetch(app, "/nowhere")
    assert reported == [
        (Reason.ORIGIN_NOT_ALLOWED, "/"),
        (Reason.ALLOWED, "/"),
        (Reason.ALLOWED, "/"),
        (Reason.ALLOWED, "/nowhere"),
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_mounted_application_matches_its_own_path() -> None:
    inner = Flask("inner")
    CORSGuard(inner, {"/items": POLICY})
    inner.add_url_rule("/items", "items", lambda: request.script_root)
    outer = Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        outer.wsgi_app, {"/mounted": inner}
    )
    response = fetch(outer, "/mounted/items")
    assert (response.text, get_allow_origin(response)) == ("/mounted", APP)


def test_application_mounted_below_has_policy_of_whole_path() -> None:
    outer = Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        outer.wsgi_app, {"/mounted": Flask("inner")}
    )
    CORSGuard(outer, {"/mounted": POLICY})
    outer.add_url_rule("/own", "own", cors_policy(PUBLIC)(lambda: "own"))
    response = fetch(outer, "/mounted/items")
    assert (response.status_code, get_allow_origin(response)) == (404, APP)
