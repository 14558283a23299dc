"""connexion, which wraps its Flask application in ASGI middleware."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

import sys
import warnings
from types import ModuleType

import pytest
from support.flask_docs import IN_LISTS, run_block
from support.flask_requests import APP, EVIL, POLICY

from corsguard import Guard, PolicyWarning
from corsguard_asgi import CORSMiddleware
from corsguard_flask import CORSGuard, cors_exempt

with warnings.catch_warnings():  # it imports Starlette's test client, which may warn of httpx
    warnings.simplefilter("ignore")
    import connexion
    from connexion.middleware import MiddlewarePosition

OK = {"responses": {"200": {"description": "an item"}}}
SPECIFICATION = {
    "openapi": "3.0.0",
    "info": {"title": "Items", "version": "1"},
    "paths": {
        "/items": {
            "get": {"operationId": "connexion_operations.read", **OK},
            "put": {"operationId": "connexion_operations.change", **OK},
        }
    },
}


@pytest.fixture(autouse=True)
def operations(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("connexion_operations")
    module.read = cors_exempt(lambda: {"read": 1})
    module.change = lambda: {"changed": 1}
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_asgi_middleware_before_exception_sees_all_requests() -> None:
    app = connexion.FlaskApp(__name__)
    guard = Guard(POLICY, enforce=True)
    app.add_middleware(CORSMiddleware, MiddlewarePosition.BEFORE_EXCEPTION, policy=guard)
    app.add_api(SPECIFICATION)
    with app.test_client() as client:
        fields = {"Origin": APP, "Access-Control-Request-Method": "PUT"}
        assert client.request("OPTIONS", "/items", headers=fields).status_code == 204
        for path, status in (("/items", 200), ("/nowhere", 404)):
            response = client.get(path, headers={"Origin": APP})
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == APP
        assert client.put("/items", headers={"Origin": EVIL}).status_code == 403


def test_guard_alone_warns_and_sees_no_request() -> None:
    app = connexion.FlaskApp(__name__)
    with pytest.warns(PolicyWarning, match="calls Flask without CORSGuard"):
        CORSGuard(app.app, POLICY)
    app.add_api(SPECIFICATION)
    with app.test_client() as client:
        response = client.get("/items", headers={"Origin": APP})
        assert response.status_code == 200
        assert "access-control-allow-origin" not in response.headers
    done = app.app.test_cli_runner().invoke(args=["cors", "check"])
    assert (done.exit_code, "[connexion]" in done.output) == (1, True)


def test_exempt_operation_served_by_flask_is_found() -> None:
    app = connexion.FlaskApp(__name__)
    with pytest.warns(PolicyWarning, match="connexion"):
        CORSGuard(app.app, {"/": POLICY})
    app.add_wsgi_middleware(lambda _: app.app.wsgi_app)
    app.add_api(SPECIFICATION)
    with app.test_client() as client:
        assert "vary" not in client.get("/items", headers={"Origin": APP}).headers
        response = client.put("/items", headers={"Origin": APP})
        assert response.headers["access-control-allow-origin"] == APP


def test_docs_application_answers_preflight() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = run_block(IN_LISTS[1])["app"]
    with app.test_client() as client:
        fields = {"Origin": APP, "Access-Control-Request-Method": "GET"}
        assert client.request("OPTIONS", "/items", headers=fields).status_code == 204
