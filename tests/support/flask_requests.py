"""Policies and requests for the tests of the Flask adapter."""

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
    """Return the response to a request of a page of origin; `_` in a header's name means `-`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        fields["Origin"] = origin
    return app.test_client().open(path, method=method, headers=fields)


def preflight(app: Flask, path: str, method: str = "PUT", origin: str = APP) -> TestResponse:
    """Return the response to the preflight for a method."""
    return fetch(app, path, "OPTIONS", origin, Access_Control_Request_Method=method)


def get_allow_origin(response: TestResponse) -> str | None:
    return response.headers.get("Access-Control-Allow-Origin")


def is_exempt(app: Flask, path: str, method: str = "GET") -> bool:
    """Return True if neither the response nor the one to its preflight has CORS headers."""
    responses = fetch(app, path, method), preflight(app, path, method)
    assert responses[0].status_code == 200
    return not any("Vary" in response.headers for response in responses)
