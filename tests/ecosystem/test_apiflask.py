"""Policies of APIFlask's views."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

from apiflask import APIBlueprint, APIFlask, HTTPTokenAuth
from flask.views import MethodView
from support.ecosystem_flask import fetch_allow_origins, install_guard
from support.flask_requests import APP

from corsguard_flask import cors_exempt


def test_decorated_views_and_classes_are_exempt() -> None:
    app = install_guard(APIFlask(__name__))
    api = APIBlueprint("api", __name__, url_prefix="/api")
    auth = HTTPTokenAuth()

    @cors_exempt
    @app.get("/above")
    @app.doc(summary="above")
    def above():
        return {}

    @app.get("/below")
    @cors_exempt
    @app.auth_required(auth)
    def below():
        return {}

    @app.get("/inside")
    @app.auth_required(auth)
    @cors_exempt
    def inside():
        return {}

    @app.route("/methods")
    class Methods(MethodView):
        @app.auth_required(auth)
        @cors_exempt
        def get(self):
            return {}

        def put(self):
            return {}

    @cors_exempt
    @api.route("/class")
    class Class(MethodView):
        def get(self):
            return {}

    app.register_blueprint(api)
    for path in ("/above", "/below", "/inside", "/api/class"):
        assert fetch_allow_origins(app, path, "GET") == [None]
    assert fetch_allow_origins(app, "/methods", "GET", "PUT") == [None, APP]
