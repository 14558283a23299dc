"""Policies of views inside the layers that other decorators and frameworks add."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

import pytest
from flask import Flask
from flask.views import MethodView, View
from support.flask_requests import APP, PARTNER, PUBLIC, fetch, get_allow_origin, is_exempt
from support.flask_views import Function, add_class, wrap

from corsguard_flask import cors_exempt, cors_policy


def seen(*_: object, **__: object) -> str:
    return "seen"


class Controller:
    @cors_exempt
    def view(self) -> str:
        return "seen"

    def bare(self) -> str:
        return "seen"

    @cors_exempt
    @staticmethod
    def static() -> str:
        return "seen"

    @classmethod
    @cors_exempt
    def inner(cls) -> str:
        return "seen"

    @cors_exempt
    @classmethod
    def outer(cls) -> str:
        return "seen"


@cors_exempt
class Exempt:
    def __call__(self) -> str:
        return "seen"


class Called:
    @cors_exempt
    def __call__(self) -> str:
        return "seen"


class Operation:
    """A stand-in for an operation of connexion."""

    def __init__(self, function: Function) -> None:
        self.function = function
        update_wrapper(self, function)

    def __call__(self, **values: Any) -> Any:
        return self.function(**values)


def build_exempt() -> Function:
    return cors_exempt(lambda **_: "seen")


@pytest.mark.parametrize(
    "view",
    [
        partial(build_exempt(), number=1),
        cors_exempt(partial(seen, number=1)),
        partial(partial(wrap(build_exempt()))),
        wrap(partial(build_exempt())),
        wrap(wrap(build_exempt())),
        Controller().view,
        cors_exempt(Controller().bare),
        partial(Controller().view),
        wrap(Controller().view),
        Controller.static,
        Controller().static,
        Controller.inner,
        Controller.outer,
        Controller().outer,
        Exempt(),
        Called(),
        partial(Called()),
        Operation(build_exempt()),
        Operation(wrap(build_exempt())),
    ],
)
def test_exempt_view_is_found_in_every_layer(app: Flask, view: Function) -> None:
    app.add_url_rule("/exempt", "exempt", view)
    app.add_url_rule("/other", "other", lambda: "seen")
    assert is_exempt(app, "/exempt")
    assert get_allow_origin(fetch(app, "/other")) == APP


def register_copy(app: Flask, path: str) -> Callable[[Function], Function]:
    """Route as flask-openapi3 does: a copy is registered, and the function is returned."""

    def route(function: Function) -> Function:
        app.add_url_rule(path, path[1:], wrap(function))
        return function

    return route


def test_decorator_above_route_of_a_copy_applies(app: Flask) -> None:
    cors_exempt(register_copy(app, "/exempt")(lambda: "seen"))
    cors_policy(PUBLIC)(register_copy(app, "/public")(lambda: "seen"))
    assert is_exempt(app, "/exempt")
    assert get_allow_origin(fetch(app, "/public")) == "*"


def test_outermost_decorator_wins_over_copied_policy(app: Flask) -> None:
    cors_exempt(register_copy(app, "/exempt")(cors_policy(PUBLIC)(lambda: "seen")))
    app.add_url_rule("/public", "public", cors_policy(PUBLIC)(wrap(build_exempt())))
    assert is_exempt(app, "/exempt")
    assert get_allow_origin(fetch(app, "/public")) == "*"


def test_class_of_wrapped_view_is_found(app: Flask) -> None:
    @cors_exempt
    class Closed(MethodView):
        def get(self) -> str:
            return "get"

    class Dispatched(View):
        @wrap
        @cors_exempt
        def dispatch_request(self) -> str:
            return "seen"

    add_class(app, Closed, "/closed")
    add_class(app, Dispatched, "/dispatched")
    app.add_url_rule("/partial", view_func=partial(Closed.as_view("x")), endpoint="partial")
    for path in ("/closed", "/dispatched", "/partial"):
        assert is_exempt(app, path)


class AnyAttribute:
    """An object with any attribute, a new one each time, as a mock has."""

    methods = ("GET",)
    required_methods = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__wrapped__":
            raise AttributeError(name)
        return AnyAttribute()

    def __call__(self, **values: Any) -> Any:
        return "seen"


def test_view_with_any_attribute_has_policy_of_path(app: Flask) -> None:
    app.add_url_rule("/made-up", "made-up", AnyAttribute())
    assert get_allow_origin(fetch(app, "/made-up")) == APP


@pytest.mark.parametrize("given", ["wide", 1, AnyAttribute()])
def test_view_class_that_is_not_a_class_is_ignored(app: Flask, given: object) -> None:
    plain, closed = wrap(lambda: "seen"), wrap(build_exempt())
    vars(plain)["view_class"] = vars(closed)["view_class"] = given
    app.add_url_rule("/plain", "plain", plain)
    app.add_url_rule("/closed", "closed", closed)
    assert get_allow_origin(fetch(app, "/plain")) == APP
    assert is_exempt(app, "/closed")


def test_cors_policy_fields_apply_to_view(app: Flask) -> None:
    own = cors_policy(allow_origins=[PARTNER], allow_credentials=True)
    app.add_url_rule("/own", "own", own(lambda: "own"))
    assert get_allow_origin(fetch(app, "/own", origin=PARTNER)) == PARTNER
