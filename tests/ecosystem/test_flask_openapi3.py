"""Policies of flask-openapi3's views, whose decorators register copies."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

import pytest
from flask_openapi3 import APIBlueprint, APIView, OpenAPI
from support.ecosystem_flask import guarded, policies_at
from support.flask_requests import APP, PUBLIC, fetch

from corsguard import PolicyError
from corsguard_flask import cors_exempt, cors_policy


def test_a_decorator_above_the_route_counts() -> None:
    app = guarded(OpenAPI(__name__))
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
        assert policies_at(app, path, "GET") == [None]
    assert policies_at(app, "/other", "GET") == [APP]


def test_methods_of_an_api_view_are_decorated() -> None:
    app = guarded(OpenAPI(__name__))
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
    assert policies_at(app, "/items", "GET", "PUT") == [None, APP]
    assert Items.get is not None


def test_an_api_view_that_is_exempt_as_a_class_answers_nothing() -> None:
    app = guarded(OpenAPI(__name__))
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
