"""The CORSMiddleware of a WSGI application, found by `corsguard` with `--app`."""

from __future__ import annotations

import pytest
from support.app_command import AppCommand

SOURCE = """
from bottle import Bottle
from corsguard import Policy
from corsguard_wsgi import CORSMiddleware

POLICIES = {"/api": Policy(allow_origins=["https://app.example.com"])}

def serve(environ, start_response): raise SystemExit("the application was called")

class Wrapper:
    def __init__(self, inner): self.inner = inner
    def __call__(self, environ, start_response): return self.inner(environ, start_response)

def close_over(inner):
    def respond(environ, start_response): return inner(environ, start_response)
    return respond

class Framework:
    def __init__(self): self.wsgi_app = CORSMiddleware(self.wsgi_app, POLICIES)
    def wsgi_app(self, environ, start_response): ...
    def __call__(self, environ, start_response): return self.wsgi_app(environ, start_response)
"""


@pytest.mark.parametrize(
    "app",
    [
        "CORSMiddleware(serve, POLICIES)",
        "Wrapper(CORSMiddleware(serve, POLICIES))",
        "close_over(Wrapper(CORSMiddleware(Bottle(), POLICIES)))",
        "Framework()",
    ],
)
def test_routes_are_those_of_the_guard_wherever_it_is(on_app: AppCommand, app: str) -> None:
    code, out, _ = on_app(f"{SOURCE}\napp = {app}", "routes", "--app", "main:app")

    assert (code, out.splitlines()[1]) == (0, 'any method  /api  A       route "/api"')
