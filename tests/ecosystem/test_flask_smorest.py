"""Policies of flask-smorest's views."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint
from support.ecosystem_flask import fetch_allow_origins
from support.flask_requests import APP, POLICY, PUBLIC

from corsguard_flask import CORSGuard, cors_exempt, cors_policy


def test_decorated_views_and_blueprints_apply() -> None:
    app = Flask(__name__)
    app.config.update(API_TITLE="Items", API_VERSION="1", OPENAPI_VERSION="3.0.2")
    cors = CORSGuard(app, {"/": POLICY})
    api = Api(app)
    items = Blueprint("items", __name__, url_prefix="/items")
    public = Blueprint("public", __name__, url_prefix="/public")

    @items.route("/methods")
    class Methods(MethodView):
        @cors_exempt
        @items.response(200)
        def get(self):
            return {}

        @items.response(200)
        @cors_policy(PUBLIC)
        def post(self):
            return {}

        @items.response(200)
        def put(self):
            return {}

    @cors_exempt
    @items.route("/above")
    class Above(MethodView):
        def get(self):
            return {}

    @cors_exempt
    @items.route("/view")
    @items.response(200)
    def view():
        return {}

    @public.route("/")
    @public.response(200)
    def listed():
        return {}

    cors.set_policy(public, PUBLIC)
    api.register_blueprint(items)
    api.register_blueprint(public)
    assert fetch_allow_origins(app, "/items/methods", "GET", "POST", "PUT") == [None, "*", APP]
    assert fetch_allow_origins(app, "/items/above", "GET") == [None]
    assert fetch_allow_origins(app, "/items/view", "GET") == [None]
    assert fetch_allow_origins(app, "/public/", "GET") == ["*"]
