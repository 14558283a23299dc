"""The policies and requests that the tests of the Flask adapter speak about."""

from __future__ import annotations

from flask import Flask
from werkzeug.test import TestResponse

from corsguard import Policy

APP = "https://app.example.com"
EVIL = "https://evil.example"
PARTNER = "https://partner.example"

POLICY = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
PARTNERS = Policy(allow_origins=[PARTNER], allow_credentials=True, allow_methods=["PUT", "DELETE"])
PUBLIC = Policy(allow_origins=["*"])


def fetch(
    app: Flask, path: str, method: str = "GET", origin: str | None = APP, **headers: str
) -> TestResponse:
    """What a browser gets that sends a request for a page of origin."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        fields["Origin"] = origin
    return app.test_client().open(path, method=method, headers=fields)


def preflight(app: Flask, path: str, method: str = "PUT", origin: str = APP) -> TestResponse:
    return fetch(app, path, "OPTIONS", origin, Access_Control_Request_Method=method)


def allowed(response: TestResponse) -> str | None:
    return response.headers.get("Access-Control-Allow-Origin")
