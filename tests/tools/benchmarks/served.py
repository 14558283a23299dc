"""The applications behind real servers: one view each, with the CORS layer that `LAYER` names."""

from __future__ import annotations

import os
from typing import Any

from tools.benchmarks.workload import EXPOSED, HEADERS, MAX_AGE, METHODS, TEN

LAYER = "BENCHMARK_LAYER"
"""The variable of the environment that names the layer: `bare`, `corsguard` or the peer's name."""
CORSGUARD = "corsguard"
FLASK_CORS = "flask-cors"
STARLETTE = "Starlette's own"

_ITEMS = [{"id": number, "name": f"item {number}", "done": number % 2 == 0} for number in range(10)]


def build_flask() -> Any:
    """Build an application of Flask that answers ten items as JSON."""
    import flask

    app = flask.Flask("served")

    @app.get("/items")
    def items() -> flask.Response:
        return flask.jsonify(_ITEMS)

    layer = os.environ[LAYER]
    if layer == CORSGUARD:
        from corsguard_flask import CORSGuard

        CORSGuard(app, TEN.policy)
    elif layer == FLASK_CORS:
        import flask_cors

        flask_cors.CORS(
            app,
            origins=TEN.listed,
            methods=list(METHODS),
            allow_headers=list(HEADERS),
            expose_headers=[EXPOSED],
            supports_credentials=True,
            max_age=MAX_AGE,
        )
    return app


def build_fastapi() -> Any:
    """Build the same of FastAPI."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/items")
    async def items() -> list[dict[str, Any]]:
        return _ITEMS

    layer = os.environ[LAYER]
    if layer == CORSGUARD:
        from corsguard_asgi import CORSMiddleware

        app.add_middleware(CORSMiddleware, policy=TEN.policy)
    elif layer == STARLETTE:
        from starlette.middleware.cors import CORSMiddleware as StarletteCORSMiddleware

        app.add_middleware(
            StarletteCORSMiddleware,
            allow_origins=TEN.listed,
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=HEADERS,
            expose_headers=[EXPOSED],
            max_age=MAX_AGE,
        )
    return app
