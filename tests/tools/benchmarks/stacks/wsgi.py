"""Bare WSGI, Flask and Falcon."""

from __future__ import annotations

from typing import Any

import falcon
import flask
import flask_cors
import wsgicors
from tools.benchmarks.floors import wsgi_floor
from tools.benchmarks.stacks.layers import (
    BARE,
    BY_ROUTE,
    CORSGUARD,
    ENFORCED,
    FLOOR,
    JSON,
    Layer,
    Stack,
    by_route,
    enforced,
    wsgi,
)
from tools.benchmarks.workload import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins

from corsguard_flask import CORSGuard
from corsguard_wsgi import CORSMiddleware


def plain(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(JSON)))]
    )
    return [JSON]


def _wsgicors(origins: Origins) -> Layer:
    return wsgi(
        wsgicors.CORS(
            plain,
            origin=" ".join(origins.listed),
            methods=", ".join(METHODS),
            headers=", ".join(HEADERS),
            expose_headers=EXPOSED,
            credentials="true",
            maxage=str(MAX_AGE),
        )
    )


def _flask() -> flask.Flask:
    app = flask.Flask("bench")

    @app.route("/items", methods=METHODS)
    def items() -> flask.Response:
        return flask.Response(JSON, mimetype="application/json")

    return app


def _flask_corsguard(origins: Origins) -> Layer:
    app = _flask()
    CORSGuard(app, origins.policy)
    return wsgi(app)


def _flask_cors(origins: Origins) -> Layer:
    app = _flask()
    flask_cors.CORS(
        app,
        origins=origins.regexes if origins.subdomains else origins.listed,
        methods=list(METHODS),
        allow_headers=list(HEADERS),
        expose_headers=[EXPOSED],
        supports_credentials=True,
        max_age=MAX_AGE,
    )
    return wsgi(app)


def _flask_floor(origins: Origins) -> Layer:
    return wsgi(wsgi_floor(_flask(), origins.listed))


class _Items:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.data = JSON

    on_post = on_get


def _falcon(*middleware: Any) -> Any:
    app = falcon.App(middleware=list(middleware))
    app.add_route("/items", _Items())
    return app


def _falcon_own(origins: Origins) -> Layer:
    listed = origins.listed
    return wsgi(
        _falcon(
            falcon.CORSMiddleware(
                allow_origins=listed, allow_credentials=listed, expose_headers=[EXPOSED]
            )
        )
    )


STACKS = (
    Stack(
        "WSGI",
        "wsgicors",
        {
            BARE: lambda _: wsgi(plain),
            CORSGUARD: lambda origins: wsgi(CORSMiddleware(plain, origins.policy)),
            BY_ROUTE: lambda origins: wsgi(CORSMiddleware(plain, by_route(origins))),
            ENFORCED: lambda origins: wsgi(CORSMiddleware(plain, enforced(origins))),
            FLOOR: lambda origins: wsgi(wsgi_floor(plain, origins.listed)),
            "wsgicors": _wsgicors,
        },
        lacks="wsgicors sends no `Vary` without `Origin` or where it refuses, and answers a "
        "refused preflight 204",
    ),
    Stack(
        "Flask",
        "flask-cors",
        {
            BARE: lambda _: wsgi(_flask()),
            CORSGUARD: _flask_corsguard,
            FLOOR: _flask_floor,
            "flask-cors": _flask_cors,
        },
        lacks="flask-cors answers a refused preflight 200, without headers",
    ),
    Stack(
        "Falcon",
        "Falcon's own",
        {
            BARE: lambda _: wsgi(_falcon()),
            CORSGUARD: lambda origins: wsgi(CORSMiddleware(_falcon(), origins.policy)),
            "Falcon's own": _falcon_own,
        },
        lacks="Falcon's own has no lists of methods and headers, no max-age, no patterns of "
        "subdomains, and sends no `Vary`",
        lacks_subdomains=True,
    ),
)
