"""Policies in the `method_decorators` that a class applies at each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from support.flask_requests import (
    APP,
    PARTNER,
    PARTNERS,
    PUBLIC,
    fetch,
    get_allow_origin,
    is_exempt,
)
from support.flask_views import Function, add_class, wrap

from corsguard import PolicyError
from corsguard_flask import cors_exempt, cors_policy


class Resource(MethodView):
    """A stand-in for the Resource of Flask-RESTful and of Flask-RESTX."""

    method_decorators: Sequence[Function] | Mapping[str, Sequence[Function]] = ()

    def dispatch_request(self, **values: Any) -> ResponseReturnValue:
        name = request.method.lower()
        method = getattr(self, name, None) or getattr(self, "get")  # noqa: B009
        listed = self.method_decorators
        for decorator in listed.get(name, ()) if isinstance(listed, Mapping) else listed:
            method = decorator(method)
        response: ResponseReturnValue = method(**values)
        return response

    def get(self) -> str:
        return "get"

    def put(self) -> str:
        return "put"


@pytest.mark.parametrize("listed", [[cors_exempt], [wrap, cors_exempt], (cors_exempt, wrap)])
def test_method_decorators_apply_to_every_method(app: Flask, listed: Sequence[Function]) -> None:
    class Items(Resource):
        method_decorators = listed

    add_class(app, Items)
    assert is_exempt(app, "/items")
    assert is_exempt(app, "/items", "PUT")
    assert is_exempt(app, "/items", "HEAD")


def test_method_decorators_of_one_method_apply_to_it_alone(app: Flask) -> None:
    class Items(Resource):
        method_decorators = {"get": [cors_policy(PARTNERS)], "delete": []}  # noqa: RUF012

    add_class(app, Items)
    assert get_allow_origin(fetch(app, "/items", origin=PARTNER)) == PARTNER
    assert get_allow_origin(fetch(app, "/items", "HEAD", PARTNER)) == PARTNER
    assert get_allow_origin(fetch(app, "/items", "PUT")) == APP


def test_method_decorators_the_last_one_wins(app: Flask) -> None:
    class Items(Resource):
        method_decorators = [cors_policy(PUBLIC), cors_policy(PARTNERS)]  # noqa: RUF012

    add_class(app, Items)
    assert get_allow_origin(fetch(app, "/items", origin=PARTNER)) == PARTNER


def private(view: Function) -> Function:
    return cors_exempt(wrap(view))


class Private:
    def __call__(self, view: Function) -> Function:
        return wrap(private(view))


@pytest.mark.parametrize(
    "listed",
    [
        [private],
        [private, wrap],
        [wrap, partial(private)],
        [lambda view: cors_exempt(view)],
        (Private(), wrap),
        {"get": [private], "put": [lambda view: partial(cors_exempt(view))]},
    ],
)
def test_method_decorators_that_call_cors_exempt_are_found(app: Flask, listed: Any) -> None:
    class Items(Resource):
        method_decorators = listed

    add_class(app, Items)
    for method in ("GET", "PUT", "HEAD"):
        assert is_exempt(app, "/items", method)


def test_method_decorators_may_decorate_one_method_only(app: Flask) -> None:
    def by_name(view: Function) -> Function:
        return cors_exempt(view) if view.__name__ == "put" else view

    class Items(Resource):
        method_decorators = [cors_policy(PUBLIC), by_name]  # noqa: RUF012

    add_class(app, Items)
    assert is_exempt(app, "/items", "PUT")
    assert get_allow_origin(fetch(app, "/items")) == "*"


def test_method_decorators_are_applied_once_before_requests(app: Flask) -> None:
    given: list[str] = []

    def noting(view: Function) -> Function:
        given.append(type(view).__name__)
        return view

    class Items(Resource):
        method_decorators = [noting]  # noqa: RUF012

    add_class(app, Items)
    for number in range(3):
        app.view_functions[f"later {number}"] = lambda: "later"
        assert get_allow_origin(fetch(app, "/items")) == APP
    assert given.count("method") == 3
    assert given.count("function") == 2  # one for each method of the class


def test_method_decorators_that_need_a_request_are_ignored(app: Flask) -> None:
    def of_request(view: Function) -> Function:
        return view if request.method == "GET" else wrap(view)

    class Fixed(type):
        def __setattr__(cls, name: str, value: object) -> None:
            if name != "methods":
                raise AttributeError(name)
            super().__setattr__(name, value)

    class Items(Resource):
        method_decorators = [of_request, cors_exempt]  # noqa: RUF012

    class Others(MethodView, metaclass=Fixed):
        method_decorators = ("no decorator", of_request, private)

        def get(self) -> str:
            return "get"

    add_class(app, Items)
    add_class(app, Others, "/others")
    assert is_exempt(app, "/items")
    assert is_exempt(app, "/others")


def test_method_decorators_that_hide_exempt_view_raise(app: Flask) -> None:
    def opaque(view: Function) -> Function:
        exempt = cors_exempt(view)
        return lambda **values: exempt(**values)

    class Items(Resource):
        method_decorators = [opaque]  # noqa: RUF012

        def get(self) -> str:
            return "get"

        def put(self) -> str:
            return "put"

    add_class(app, Items)
    with pytest.raises(PolicyError, match=r"Items\.get .* \[view-policy-unreachable\]"):
        fetch(app, "/items")


def test_method_policy_wins_over_method_decorators(app: Flask) -> None:
    class Items(Resource):
        method_decorators = [cors_exempt]  # noqa: RUF012

        @wrap
        @cors_policy(PUBLIC)
        def put(self) -> str:
            return "put"

    add_class(app, Items)
    assert is_exempt(app, "/items")
    assert get_allow_origin(fetch(app, "/items", "PUT")) == "*"


@pytest.mark.parametrize("given", [property(lambda _: ()), 1, None, {"get": cors_exempt}])
def test_method_decorators_that_are_not_a_list_are_ignored(app: Flask, given: Any) -> None:
    class Items(MethodView):
        method_decorators = given

        def get(self) -> str:
            return "get"

    add_class(app, Items)
    assert get_allow_origin(fetch(app, "/items")) == APP
