"""What matching a URL ahead runs of the application, what it leaves, and what it costs."""

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
from flask.views import MethodView
from support.flask_requests import APP, EVIL, PARTNER, PARTNERS, POLICY, allowed, fetch, preflight
from werkzeug.routing import BaseConverter

from corsguard import Guard, Reason
from corsguard_flask import CORSGuard, cors_policy


def application(*, enforce: bool = False) -> Flask:
    app = Flask(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=enforce))
    own = cors_policy(PARTNERS)(lambda **_: "own")
    app.add_url_rule("/own", "own", own, methods=["GET", "PUT"])
    return app


def ask(app: Flask, path: str = "/own") -> None:
    """Send what is matched ahead: preflights, and what enforcement refuses or allows."""
    assert preflight(app, path, "PUT", PARTNER).status_code == 204
    assert preflight(app, path, "PUT", EVIL).status_code == 403
    assert fetch(app, path, "PUT", EVIL).status_code == 403


def test_matching_ahead_calls_no_function_of_the_application() -> None:
    app = application(enforce=True)
    called: list[str] = []

    def hear(sender: Flask, **_: object) -> None:
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
            stack.enter_context(signal.connected_to(hear, app))
        ask(app)
    assert called == []


def test_a_teardown_function_may_rely_on_before_request() -> None:
    app = application()

    @app.before_request
    def connect() -> None:
        g.database = []

    @app.teardown_appcontext
    def disconnect(_: BaseException | None) -> None:
        g.database.clear()

    assert preflight(app, "/own", "PUT", PARTNER).status_code == 204
    assert fetch(app, "/own", "PUT", PARTNER).text == "own"


def test_no_context_is_left_behind() -> None:
    app = application(enforce=True)
    ask(app)
    assert not has_app_context()
    with app.app_context():
        g.mine = "mine"
        ask(app)
        assert g.mine == "mine"


class Item(BaseConverter):
    """Uses the application as a converter may that looks something up."""

    opened: list[str] = []  # noqa: RUF012

    def to_python(self, value: str) -> str:
        g.setdefault("database", self.opened).append(f"open for {current_app.name}")
        assert url_for is not None
        return value


def converting(app: Flask) -> Flask:
    app.url_map.converters["item"] = Item
    app.add_url_rule("/items/<item:item>", "item", app.view_functions["own"], methods=["PUT"])
    return app


def test_what_a_converter_opens_is_closed() -> None:
    app = converting(application(enforce=True))
    Item.opened.clear()

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        if "database" in g:
            g.database.clear()

    ask(app, "/items/1")
    assert Item.opened == []


def test_a_teardown_function_that_fails_is_logged_and_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = converting(application(enforce=True))

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        g.session.close()

    ask(app, "/items/1")
    records = [record for record in caplog.records if "teardown" in record.message]
    assert records[0].levelname == "WARNING"
    assert "/items/1" in records[0].message


class Counted(Flask):
    """Remembers its contexts, and the objects in them, as long as they live."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.contexts: WeakSet[AppContext] = WeakSet()
        self.requests: WeakSet[Request] = WeakSet()
        self.made = 0

    def app_context(self) -> AppContext:
        context = super().app_context()
        self.contexts.add(context)
        self.made += 1
        return context

    def create_url_adapter(self, request: Request | None) -> Any:
        if request is not None:
            self.requests.add(request)
        return super().create_url_adapter(request)


def test_matching_ahead_leaves_nothing_in_memory() -> None:
    app = Counted(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda **_: "own"), methods=["PUT"])
    converting(app)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            ask(app)
            ask(app, "/items/1")
        assert (len(app.contexts), len(app.requests)) == (0, 0)
    finally:
        gc.enable()
    app.made = 0
    ask(app)
    assert app.made == 0  # none is made unless a converter uses it


@pytest.mark.parametrize("with_views", [False, True])
@pytest.mark.parametrize(
    ("enforce", "expected"), [(False, "posted"), (True, "corsguard"), ("report", "posted")]
)
def test_a_method_override_inside_is_enforced_whatever_views_have(
    with_views: bool, enforce: Any, expected: str
) -> None:
    app = overriding(inside=True, enforce=enforce, with_views=with_views)
    reasons: list[Reason] = []
    guard: Guard = app.extensions["corsguard"].guard
    guard.subscribe(lambda decision, _: reasons.append(decision.reason))
    assert fetch(app, "/?_method=POST", "GET", EVIL).text.startswith(expected)
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"
    assert fetch(app, "/", "GET", EVIL).text == "read"
    assert reasons.count(Reason.CROSS_ORIGIN_REFUSED) == bool(enforce)


@pytest.mark.parametrize("with_views", [False, True])
def test_a_method_override_outside_is_what_corsguard_sees(with_views: bool) -> None:
    app = overriding(inside=False, enforce=True, with_views=with_views)
    assert fetch(app, "/?_method=POST", "GET", EVIL).status_code == 403
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"


@pytest.mark.parametrize("with_views", [False, True])
def test_without_enforcement_an_override_changes_no_header(with_views: bool) -> None:
    app = overriding(inside=True, enforce=False, with_views=with_views)
    asked = {"Access_Control_Request_Method": "PUT"}
    for method in ("POST", "OPTIONS"):
        response = fetch(app, f"/?_method={method}", "GET", APP, **asked)
        assert (response.status_code, allowed(response)) == (200, APP)
        assert "Access-Control-Allow-Methods" not in response.headers


class Overriding(Request):
    """A request that reads its method from the query, as a class of requests may."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.method = self.args.get("_method", self.method)


class OverridingFlask(Flask):
    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        method = environ["QUERY_STRING"].removeprefix("_method=") or environ["REQUEST_METHOD"]
        return super().wsgi_app({**environ, "REQUEST_METHOD": method}, start_response)


class Written(MethodView):
    def get(self) -> str:
        return "read"

    def post(self) -> str:
        return "posted"


@pytest.mark.parametrize("with_views", [False, True])
@pytest.mark.parametrize("inside", ["request class", "application class"])
def test_a_method_override_by_a_class_is_enforced(inside: str, with_views: bool) -> None:
    app = OverridingFlask(__name__) if inside == "application class" else Flask(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    if inside == "request class":
        app.request_class = Overriding
    app.add_url_rule("/", view_func=Written.as_view("written"))
    if with_views:
        app.add_url_rule("/unrelated", "unrelated", cors_policy(PARTNERS)(lambda: "unrelated"))
    assert fetch(app, "/?_method=POST", "GET", EVIL).status_code == 403
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"
    assert fetch(app, "/", "GET", EVIL).text == "read"


def overriding(*, inside: bool, enforce: Any, with_views: bool) -> Flask:
    """Return an application whose requests may name another method in their query."""
    app = Flask(__name__)

    def override(inner: Any) -> Any:
        def outer(environ: Any, start_response: Any) -> Any:
            name, _, method = environ["QUERY_STRING"].partition("=")
            if name == "_method":
                environ["REQUEST_METHOD"] = method
            return inner(environ, start_response)

        return outer

    if inside:
        app.wsgi_app = override(app.wsgi_app)  # type: ignore[method-assign]
    CORSGuard(app, Guard({"/": POLICY}, enforce=enforce))
    if not inside:
        app.wsgi_app = override(app.wsgi_app)  # type: ignore[method-assign]
    app.add_url_rule("/", "read", lambda: "read")
    app.add_url_rule("/", "post", lambda: "posted", methods=["POST"])
    if with_views:
        app.add_url_rule("/unrelated", "unrelated", cors_policy(PARTNERS)(lambda: "unrelated"))
    return app
