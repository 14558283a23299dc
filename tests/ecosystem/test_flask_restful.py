"""Policies of Flask-RESTful's resources."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

from functools import wraps

from flask import Blueprint, Flask
from flask_restful import Api, Resource
from support.ecosystem_flask import fetch_allow_origins, install_guard
from support.flask_requests import APP, PUBLIC

from corsguard_flask import cors_exempt, cors_policy


class Both(Resource):
    def get(self):
        return {}

    def put(self):
        return {}


def test_method_decorators_apply_to_their_methods() -> None:
    class All(Both):
        method_decorators = [cors_exempt]  # noqa: RUF012

    class One(Both):
        method_decorators = {"get": [cors_policy(PUBLIC)]}  # noqa: RUF012

    app = install_guard(Flask(__name__))
    api = Api(app)
    api.add_resource(All, "/all")
    api.add_resource(One, "/one")
    assert fetch_allow_origins(app, "/all", "GET", "PUT", "HEAD") == [None] * 3
    assert fetch_allow_origins(app, "/one", "GET", "PUT", "HEAD") == ["*", APP, "*"]


def test_method_decorators_that_call_cors_exempt_are_found() -> None:
    def private(view):
        return cors_exempt(wraps(view)(lambda *args, **values: view(*args, **values)))

    class All(Both):
        method_decorators = [private]  # noqa: RUF012

    class One(Both):
        method_decorators = {"get": [lambda view: cors_exempt(view)]}  # noqa: RUF012

    app = install_guard(Flask(__name__))
    api = Api(app)
    api.add_resource(All, "/all")
    api.add_resource(One, "/one")
    assert fetch_allow_origins(app, "/all", "GET", "PUT", "HEAD") == [None] * 3
    assert fetch_allow_origins(app, "/one", "GET", "PUT", "HEAD") == [None, APP, None]


def test_decorated_resources_and_methods_are_exempt() -> None:
    class Methods(Resource):
        @cors_exempt
        def get(self):
            return {}

        def put(self):
            return {}

    @cors_exempt
    class Decorated(Both):
        pass

    class Listed(Both):
        decorators = [cors_exempt]  # noqa: RUF012

    app = install_guard(Flask(__name__))
    api = Api(app)
    api.add_resource(Methods, "/methods")
    api.add_resource(Decorated, "/decorated")
    api.add_resource(Listed, "/listed")
    assert fetch_allow_origins(app, "/methods", "GET", "PUT") == [None, APP]
    assert fetch_allow_origins(app, "/decorated", "GET", "PUT") == [None, None]
    assert fetch_allow_origins(app, "/listed", "GET", "PUT") == [None, None]


def test_decorators_of_api_apply_to_its_resources() -> None:
    app = install_guard(Flask(__name__))
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    Api(blueprint, decorators=[cors_exempt]).add_resource(Both, "/items")
    app.register_blueprint(blueprint)
    assert fetch_allow_origins(app, "/api/items", "GET", "PUT") == [None, None]
