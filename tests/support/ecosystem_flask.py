"""Helpers for the tests of frameworks on top of Flask."""

from __future__ import annotations

from typing import TypeVar

from flask import Flask
from support.flask_requests import POLICY, fetch, get_allow_origin, preflight

from corsguard_flask import CORSGuard

__all__ = ["fetch_allow_origins", "install_guard"]

Application = TypeVar("Application", bound=Flask)


def install_guard(app: Application) -> Application:
    """Install corsguard with one policy for every path, and return the application."""
    CORSGuard(app, {"/": POLICY})
    return app


def fetch_allow_origins(app: Flask, path: str, *methods: str) -> list[str | None]:
    """Return the Access-Control-Allow-Origin of the response to each method; None without CORS.

    Asserts that the response and the one to its preflight agree.
    """
    found = []
    for method in methods:
        response, before = fetch(app, path, method), preflight(app, path, method)
        allow_origin = get_allow_origin(response)
        assert response.status_code in {200, 401}, (method, path, response.text)
        assert allow_origin == get_allow_origin(before), (method, path)
        assert ("Vary" in response.headers) is (allow_origin not in {None, "*"})
        found.append(allow_origin)
    return found
