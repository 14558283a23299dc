"""Matching a URL before dispatch: what it calls, what it leaves behind, and what it costs."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import Any
from weakref import WeakSet

import pytest
from flask import (
    Flask,
    Request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    current_app,
    g,
    has_app_context,
    request_tearing_down,
    url_for,
)
from flask.ctx import AppContext
from support.flask_requests import (
    EVIL,
    PARTNER,
    PARTNERS,
    POLICY,
    fetch,
    preflight,
)
from werkzeug.routing import BaseConverter

from corsguard import Guard
from corsguard_flask import CORSGuard, cors_policy


def application(*, enforce: bool = False) -> Flask:
    app = Flask(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=enforce))
    own = cors_policy(PARTNERS)(lambda **_: "own")
    app.add_url_rule("/own", "own", own, methods=["GET", "PUT"])
    return app


def send_requests(app: Flask, path: str = "/own") -> None:
    """Send requests that are matched before dispatch: preflights, and unsafe ones."""
    assert preflight(app, path, "PUT", PARTNER).status_code == 204
    assert preflight(app, path, "PUT", EVIL).status_code == 403
    assert fetch(app, path, "PUT", EVIL).status_code == 403


def test_matching_calls_no_function_of_the_application() -> None:
    app = application(enforce=True)
    called: list[str] = []

    def note_signal(sender: Flask, **_: object) -> None:
        called.append("signal")

    app.before_request(lambda: called.append("before_request"))
    app.after_request(lambda response: called.append("after_request") or response)  # type: ignore[func-returns-value]
    app.teardown_request(lambda _: called.append("teardown_request"))
    app.teardown_appcontext(lambda _: called.append("teardown_appcontext"))
    app.url_value_preprocessor(lambda *_: called.append("url_value_preprocessor"))
    with ExitStack() as stack:
        for signal in (
            appcontext_pushed,
            appcontext_popped,
            appcontext_tearing_down,
            request_tearing_down,
        ):
            stack.enter_context(signal.connected_to(note_signal, app))
        send_requests(app)
    assert called == []


def test_matching_skips_teardown_that_needs_before_request() -> None:
    app = application()

    @app.before_request
    def connect() -> None:
        g.database = []

    @app.teardown_appcontext
    def disconnect(_: BaseException | None) -> None:
        g.database.clear()

    assert preflight(app, "/own", "PUT", PARTNER).status_code == 204
    assert fetch(app, "/own", "PUT", PARTNER).text == "own"


def test_matching_leaves_no_context_behind() -> None:
    app = application(enforce=True)
    send_requests(app)
    assert not has_app_context()
    with app.app_context():
        g.mine = "mine"
        send_requests(app)
        assert g.mine == "mine"


class Item(BaseConverter):
    """A converter that uses the application, as one that queries a database does."""

    opened: list[str] = []  # noqa: RUF012

    def to_python(self, value: str) -> str:
        g.setdefault("database", self.opened).append(f"open for {current_app.name}")
        assert url_for is not None
        return value


def add_converter(app: Flask) -> Flask:
    app.url_map.converters["item"] = Item
    app.add_url_rule("/items/<item:item>", "item", app.view_functions["own"], methods=["PUT"])
    return app


def test_matching_closes_what_a_converter_opens() -> None:
    app = add_converter(application(enforce=True))
    Item.opened.clear()

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        if "database" in g:
            g.database.clear()

    send_requests(app, "/items/1")
    assert Item.opened == []


def test_matching_failing_teardown_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = add_converter(application(enforce=True))

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        g.session.close()

    send_requests(app, "/items/1")
    records = [record for record in caplog.records if "teardown" in record.message]
    assert records[0].levelname == "WARNING"
    assert "/items/1" in records[0].message


class Counted(Flask):
    """An application with weak references to its contexts and requests."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.contexts: WeakSet[AppContext] = WeakSet()
        self.requests: WeakSet[Request] = WeakSet()
        self.created = 0

    def app_context(self) -> AppContext:
        context = super().app_context()
        self.contexts.add(context)
        self.created += 1
        return context

    def create_url_adapter(self, request: Request | None) -> Any:
        if request is not None:
            self.requests.add(request)
        return super().create_url_adapter(request)


def test_matching_leaves_nothing_in_memory() -> None:
    app = Counted(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda **_: "own"), methods=["PUT"])
    add_converter(app)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            send_requests(app)
            send_requests(app, "/items/1")
        assert (len(app.contexts), len(app.requests)) == (0, 0)
    finally:
        gc.enable()
    app.created = 0
    send_requests(app)
    assert app.created == 0  # a context is created only if a converter uses it
