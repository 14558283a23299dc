"""Policies of flask-openapi3's views, whose decorators register copies."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

import pytest
from flask_openapi3 import APIBlueprint, APIView, OpenAPI
from support.ecosystem_flask import fetch_allow_origins, install_guard
from support.flask_requests import APP, PUBLIC, fetch

from corsguard import PolicyError
from corsguard_flask import cors_exempt, cors_policy


def test_decorator_above_or_below_route_applies() -> None:
    app = install_guard(OpenAPI(__name__))
    api = APIBlueprint("api", __name__, url_prefix="/api")

    @cors_exempt
    @app.get("/above")
    def above():
        return {}

    @app.get("/below")
    @cors_exempt
    def below():
        return {}

    @cors_exempt
    @app.get("/both")
    @cors_policy(PUBLIC)
    def both():
        return {}

    @cors_exempt
    @api.get("/items")
    def items():
        return {}

    @app.get("/other")
    def other():
        return {}

    app.register_api(api)
    for path in ("/above", "/below", "/both", "/api/items"):
        assert fetch_allow_origins(app, path, "GET") == [None]
    assert fetch_allow_origins(app, "/other", "GET") == [APP]


def test_decorated_method_of_api_view_is_exempt() -> None:
    app = install_guard(OpenAPI(__name__))
    view = APIView()

    @view.route("/items")
    class Items:
        @cors_exempt
        @view.doc(summary="read")
        def get(self):
            return {}

        @view.doc(summary="change")
        def put(self):
            return {}

    app.register_api_view(view)
    assert fetch_allow_origins(app, "/items", "GET", "PUT") == [None, APP]
    assert Items.get is not None


def test_exempt_api_view_class_serves_no_request() -> None:
    app = install_guard(OpenAPI(__name__))
    view = APIView()

    @cors_exempt
    @view.route("/items")
    class Items:
        @view.doc(summary="read")
        def get(self):
            return {}

    app.register_api_view(view)
    with pytest.raises(PolicyError, match=r"on its methods") as raised:
        fetch(app, "/items")
    assert raised.value.problems[0].code == "view-policy-unreachable"
    assert Items.get is not None
