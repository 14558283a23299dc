"""What carries the headers, and what a preflight does not reach."""

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
    redirect,
    request,
    request_started,
    stream_with_context,
)
from support.flask_requests import APP, EVIL, POLICY, PUBLIC, allowed, fetch, preflight
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from corsguard import CORSRequest, Decision, Policy, Reason
from corsguard_flask import CORSGuard, cors_policy


@pytest.fixture(params=["by path", "with views"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """An application whose policies are its paths', alone or beside those of views."""
    (tmp_path / "style.css").write_text("body {}", encoding="utf-8")
    made = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    CORSGuard(made, {"/": POLICY})
    if request.param == "with views":
        made.add_url_rule("/own", "own", cors_policy(PUBLIC)(lambda: "own"))
    return made


def crash() -> str:
    raise ZeroDivisionError


def test_a_404_carries_the_headers(app: Flask) -> None:
    response = fetch(app, "/nowhere")
    assert (response.status_code, allowed(response)) == (404, APP)


def test_a_405_carries_the_headers(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: "seen")
    response = fetch(app, "/", "DELETE")
    assert (response.status_code, allowed(response)) == (405, APP)


def test_a_413_carries_the_headers(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10

    @app.post("/")
    def index() -> str:
        return request.get_data(as_text=True)

    response = app.test_client().post("/", data="x" * 11, headers={"Origin": APP})
    assert (response.status_code, allowed(response)) == (413, APP)


def test_a_401_of_before_request_carries_the_headers(app: Flask) -> None:
    @app.before_request
    def refuse() -> None:
        abort(401)

    response = fetch(app, "/")
    assert (response.status_code, allowed(response)) == (401, APP)


def test_redirects_carry_the_headers(app: Flask) -> None:
    app.add_url_rule("/from", "from", lambda: redirect("/to"))
    app.add_url_rule("/slash/", "slash", lambda: "seen")
    for path, status in [("/from", 302), ("/slash", 308)]:
        response = fetch(app, path)
        assert (response.status_code, allowed(response)) == (status, APP)


def test_static_files_carry_the_headers(app: Flask) -> None:
    with closing(fetch(app, "/static/style.css")) as response:
        assert (response.status_code, allowed(response)) == (200, APP)
        etag = response.headers["ETag"]
    with closing(fetch(app, "/static/style.css", If_None_Match=etag)) as again:
        assert (again.status_code, allowed(again)) == (304, APP)


def test_a_stream_is_passed_on_chunk_by_chunk(app: Flask) -> None:
    sent: list[str] = []

    @app.get("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[str]:
            for chunk in ("one", "two"):
                sent.append(chunk)
                yield f"{chunk} {request.path}"

        return Response(stream_with_context(chunks()))

    response = app.test_client().get("/stream", headers={"Origin": APP}, buffered=False)
    assert allowed(response) == APP
    assert next(response.iter_encoded()) == b"one /stream"
    assert sent == ["one"]
    response.close()


def test_the_500_that_flask_makes_carries_the_headers(app: Flask) -> None:
    app.add_url_rule("/crash", "crash", crash)
    response = fetch(app, "/crash")
    assert (response.status_code, allowed(response)) == (500, APP)


def test_the_500_of_the_application_s_own_handler_carries_the_headers(app: Flask) -> None:
    app.add_url_rule("/crash", "crash", crash)
    app.register_error_handler(500, lambda error: (jsonify(error="mine"), 500))
    response = fetch(app, "/crash")
    assert (response.status_code, response.json, allowed(response)) == (500, {"error": "mine"}, APP)


def test_a_500_before_flask_has_matched_carries_the_headers(
    app: Flask,
) -> None:
    class Broken(type(app.session_interface)):  # type: ignore[misc]
        def open_session(self, *_: Any) -> None:
            raise OSError

    app.session_interface = Broken()
    response = fetch(app, "/nowhere")
    assert (response.status_code, allowed(response)) == (500, APP)


@pytest.mark.parametrize("setting", ["TESTING", "PROPAGATE_EXCEPTIONS", "DEBUG"])
def test_an_exception_that_flask_passes_on_is_passed_on(app: Flask, setting: str) -> None:
    app.config[setting] = True
    app.add_url_rule("/crash", "crash", crash)
    with pytest.raises(ZeroDivisionError):
        fetch(app, "/crash")


def test_a_preflight_reaches_nothing_of_the_application(app: Flask) -> None:
    reached: list[str] = []
    app.before_request(lambda: reached.append("before_request"))
    app.teardown_request(lambda error: reached.append("teardown_request"))
    app.url_value_preprocessor(lambda endpoint, values: reached.append("preprocessor"))
    app.add_url_rule("/", "index", lambda: "seen", methods=["PUT", "OPTIONS"])

    def started(sender: Flask, **_: object) -> None:
        reached.append("request_started")

    with request_started.connected_to(started, app):
        assert preflight(app, "/").status_code == 204
        assert preflight(app, "/", origin=EVIL).status_code == 403
        assert reached == []
        fetch(app, "/", "PUT")
    assert "before_request" in reached


def test_a_preflight_passes_flask_login_and_the_request_does_not(app: Flask) -> None:
    app.secret_key = "secret"
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda user_id: None)

    @app.put("/mine")
    @flask_login.login_required  # type: ignore[untyped-decorator]
    def mine() -> str:
        return "mine"

    assert preflight(app, "/mine").status_code == 204
    response = fetch(app, "/mine", "PUT")
    assert (response.status_code, allowed(response)) == (401, APP)


def test_a_view_can_read_the_decision(app: Flask) -> None:
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


def test_each_request_is_told_once(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[Reason, str]] = []

    def subscriber(decision: Decision, facts: CORSRequest) -> None:
        told.append((decision.reason, facts.path))

    app.extensions["corsguard"].guard.subscribe(subscriber)
    app.add_url_rule("/", "index", lambda: "seen", methods=["GET", "PUT"])
    with caplog.at_level(logging.DEBUG, "corsguard"):
        fetch(app, "/", origin=EVIL)
        preflight(app, "/")
        fetch(app, "/", "PUT")
        fetch(app, "/nowhere")
    assert told == [
        (Reason.ORIGIN_NOT_ALLOWED, "/"),
        (Reason.ALLOWED, "/"),
        (Reason.ALLOWED, "/"),
        (Reason.ALLOWED, "/nowhere"),
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_application_that_is_mounted_sees_its_own_path() -> None:
    inner = Flask("inner")
    CORSGuard(inner, {"/items": POLICY})
    inner.add_url_rule("/items", "items", lambda: request.script_root)
    outer = Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        outer.wsgi_app, {"/mounted": inner}
    )
    response = fetch(outer, "/mounted/items")
    assert (response.text, allowed(response)) == ("/mounted", APP)


def test_what_is_mounted_below_has_the_policy_of_the_whole_path() -> None:
    outer = Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        outer.wsgi_app, {"/mounted": Flask("inner")}
    )
    CORSGuard(outer, {"/mounted": POLICY})
    outer.add_url_rule("/own", "own", cors_policy(PUBLIC)(lambda: "own"))
    response = fetch(outer, "/mounted/items")
    assert (response.status_code, allowed(response)) == (404, APP)


def test_a_policy_of_its_own_does_not_change_the_others(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: "seen")
    app.add_url_rule("/late", "late", cors_policy(Policy(allow_origins=[EVIL]))(lambda: "late"))
    assert allowed(fetch(app, "/late", origin=EVIL)) == EVIL
    assert allowed(fetch(app, "/")) == APP
