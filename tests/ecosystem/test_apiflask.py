"""Policies of APIFlask's views."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

from apiflask import APIBlueprint, APIFlask, HTTPTokenAuth
from flask.views import MethodView
from support.ecosystem_flask import guarded, policies_at
from support.flask_requests import APP

from corsguard_flask import cors_exempt


def test_views_and_method_views_are_decorated() -> None:
    app = guarded(APIFlask(__name__))
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
        assert policies_at(app, path, "GET") == [None]
    assert policies_at(app, "/methods", "GET", "PUT") == [None, APP]
