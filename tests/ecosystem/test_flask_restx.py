"""Policies of Flask-RESTX's resources and namespaces."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

from functools import wraps

from flask import Flask
from flask_restx import Api, Namespace, Resource, fields
from support.ecosystem_flask import fetch_allow_origins, install_guard
from support.flask_requests import APP

from corsguard_flask import cors_exempt


class Both(Resource):
    def get(self):
        return {}

    def put(self):
        return {}


def test_method_decorators_apply_to_every_method() -> None:
    class Items(Both):
        method_decorators = [cors_exempt]  # noqa: RUF012

    app = install_guard(Flask(__name__))
    Api(app).add_resource(Items, "/items")
    assert fetch_allow_origins(app, "/items", "GET", "PUT", "HEAD") == [None] * 3


def test_method_decorators_that_call_cors_exempt_are_found() -> None:
    def private(view):
        return cors_exempt(wraps(view)(lambda *args, **values: view(*args, **values)))

    class All(Both):
        method_decorators = [private]  # noqa: RUF012

    app = install_guard(Flask(__name__))
    Api(app).add_resource(All, "/all")
    assert fetch_allow_origins(app, "/all", "GET", "PUT", "HEAD") == [None] * 3


def test_decorated_resources_of_namespace_are_exempt() -> None:
    app = install_guard(Flask(__name__))
    api = Api(app)
    items = Namespace("items")
    model = items.model("Item", {"name": fields.String})

    @items.route("/methods")
    class Methods(Resource):
        @cors_exempt
        @items.marshal_with(model)
        def get(self):
            return {}

        @items.doc("change")
        @cors_exempt
        def put(self):
            return {}

        def delete(self):
            return {}

    @cors_exempt
    @items.route("/above")
    class Above(Both):
        pass

    @items.route("/below")
    @cors_exempt
    class Below(Both):
        pass

    api.add_namespace(items)
    assert fetch_allow_origins(app, "/items/methods", "GET", "PUT") == [None, None]
    assert fetch_allow_origins(app, "/items/above", "GET", "PUT") == [None, None]
    assert fetch_allow_origins(app, "/items/below", "GET", "PUT") == [None, None]
    assert Methods.delete is not None


def test_decorators_of_namespace_apply_to_its_resources() -> None:
    app = install_guard(Flask(__name__))
    api = Api(app)
    closed, opened = Namespace("closed", decorators=[cors_exempt]), Namespace("opened")
    closed.add_resource(Both, "/")
    opened.add_resource(type("Opened", (Both,), {}), "/")
    api.add_namespace(closed)
    api.add_namespace(opened)
    assert fetch_allow_origins(app, "/closed/", "GET", "PUT") == [None, None]
    assert fetch_allow_origins(app, "/opened/", "GET", "PUT") == [APP, APP]
