"""What the tests of frameworks on top of Flask ask of each."""

from __future__ import annotations

from typing import TypeVar

from flask import Flask
from support.flask_requests import POLICY, allowed, fetch, preflight

from corsguard_flask import CORSGuard

__all__ = ["guarded", "policies_at"]

Application = TypeVar("Application", bound=Flask)


def guarded(app: Application) -> Application:
    """Put corsguard in front of an application, with a policy for every path."""
    CORSGuard(app, {"/": POLICY})
    return app


def policies_at(app: Flask, path: str, *methods: str) -> list[str | None]:
    """Return what each method of a path answers with: the allowed origin, or None without CORS.

    The response and the one to its preflight agree.
    """
    found = []
    for method in methods:
        response, before = fetch(app, path, method), preflight(app, path, method)
        assert response.status_code in {200, 401}, (method, path, response.text)
        assert allowed(response) == allowed(before), (method, path)
        assert ("Vary" in response.headers) is (allowed(response) not in {None, "*"})
        found.append(allowed(response))
    return found
