"""Middleware and classes that change the method of a request before Flask matches it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Request
from flask.views import MethodView
from support.flask_requests import APP, EVIL, PARTNERS, POLICY, fetch, get_allow_origin

from corsguard import Guard, Reason
from corsguard_flask import CORSGuard, cors_policy


@pytest.mark.parametrize("with_views", [False, True])
@pytest.mark.parametrize(
    ("enforce", "expected"), [(False, "posted"), (True, "corsguard"), ("report", "posted")]
)
def test_override_by_inner_middleware_is_enforced(
    with_views: bool, enforce: Any, expected: str
) -> None:
    app = build_overriding_app(inside=True, enforce=enforce, with_views=with_views)
    reasons: list[Reason] = []
    guard: Guard = app.extensions["corsguard"].guard
    guard.subscribe(lambda decision, _: reasons.append(decision.reason))
    assert fetch(app, "/?_method=POST", "GET", EVIL).text.startswith(expected)
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"
    assert fetch(app, "/", "GET", EVIL).text == "read"
    assert reasons.count(Reason.CROSS_ORIGIN_REFUSED) == bool(enforce)


@pytest.mark.parametrize("with_views", [False, True])
def test_override_by_outer_middleware_is_enforced(with_views: bool) -> None:
    app = build_overriding_app(inside=False, enforce=True, with_views=with_views)
    assert fetch(app, "/?_method=POST", "GET", EVIL).status_code == 403
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"


@pytest.mark.parametrize("with_views", [False, True])
def test_override_without_enforce_changes_no_header(with_views: bool) -> None:
    app = build_overriding_app(inside=True, enforce=False, with_views=with_views)
    fields = {"Access_Control_Request_Method": "PUT"}
    for method in ("POST", "OPTIONS"):
        response = fetch(app, f"/?_method={method}", "GET", APP, **fields)
        assert (response.status_code, get_allow_origin(response)) == (200, APP)
        assert "Access-Control-Allow-Methods" not in response.headers


class OverridingRequest(Request):
    """A request that reads its method from the query."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.method = self.args.get("_method", self.method)


class OverridingFlask(Flask):
    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        method = environ["QUERY_STRING"].removeprefix("_method=") or environ["REQUEST_METHOD"]
        return super().wsgi_app({**environ, "REQUEST_METHOD": method}, start_response)


class Item(MethodView):
    def get(self) -> str:
        return "read"

    def post(self) -> str:
        return "posted"


@pytest.mark.parametrize("with_views", [False, True])
@pytest.mark.parametrize("inside", ["request class", "application class"])
def test_override_by_class_is_enforced(inside: str, with_views: bool) -> None:
    app = OverridingFlask(__name__) if inside == "application class" else Flask(__name__)
    CORSGuard(app, Guard({"/": POLICY}, enforce=True))
    if inside == "request class":
        app.request_class = OverridingRequest
    app.add_url_rule("/", view_func=Item.as_view("item"))
    if with_views:
        app.add_url_rule("/unrelated", "unrelated", cors_policy(PARTNERS)(lambda: "unrelated"))
    assert fetch(app, "/?_method=POST", "GET", EVIL).status_code == 403
    assert fetch(app, "/?_method=POST", "GET", APP).text == "posted"
    assert fetch(app, "/", "GET", EVIL).text == "read"


def build_overriding_app(*, inside: bool, enforce: Any, with_views: bool) -> Flask:
    """Return an application with a middleware that reads the method from the query."""
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
