"""Middleware in front of corsguard, as `flask cors check` reports it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from support.flask_commands import APPLICATION, run
from support.flask_requests import POLICY

from corsguard import PolicyWarning
from corsguard_flask import CORSGuard

WRAPPERS = """
from functools import partial
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.middleware.shared_data import SharedDataMiddleware

class Wrapper:
    def __init__(self, inner):
        self.inner = inner
    def __call__(self, environ, start_response):
        return self.inner(environ, start_response)
    def called(self, environ, start_response):
        return self.inner(environ, start_response)

class Beside(Wrapper):
    def __init__(self, inner):
        self.flask = app
        self.inner = inner

class Sealed:
    __slots__ = ()
    def __call__(self, environ, start_response):
        raise NotImplementedError

# As flask_socketio's, whose class is one of socketio's.
Sockets = type("Sockets", (Wrapper,), {"__module__": "socketio.middleware"})
class SocketIO(Sockets):
    pass

def closed(inner):
    return lambda environ, start_response: inner(environ, start_response)

def of_global(environ, start_response):
    return before(environ, start_response)
"""


def run_check(front: str, guard: str = "Guard(OF_PATH)") -> tuple[int, str, str]:
    source = f"{APPLICATION}{WRAPPERS}\nCORSGuard(app, {guard})\nbefore = app.wsgi_app\n{front}\n"
    done = run(source, "check")
    return done.exit_code, done.stdout, done.stderr


def test_check_without_outer_middleware_prints_nothing() -> None:
    assert run_check("") == (0, "no problems\n", "")


@pytest.mark.parametrize(
    ("front", "name"),
    [
        ("app.wsgi_app = Wrapper(app.wsgi_app)", "application.Wrapper"),
        ("app.wsgi_app = Wrapper(app.wsgi_app).called", "application.Wrapper.called"),
        ("app.wsgi_app = Beside(app.wsgi_app)", "application.Beside"),
        ("app.wsgi_app = closed(app.wsgi_app)", "application.closed.<locals>.<lambda>"),
        ("app.wsgi_app = of_global", "application.of_global"),
        ("app.wsgi_app = partial(closed(app.wsgi_app))", "functools.partial"),
        (
            "app.wsgi_app = SharedDataMiddleware(app.wsgi_app, {})",
            "werkzeug.middleware.shared_data.SharedDataMiddleware",
        ),
    ],
)
@pytest.mark.parametrize("enforce", [False, True])
def test_check_unknown_middleware_in_front_warns(front: str, name: str, enforce: bool) -> None:
    code, stdout, stderr = run_check(front, f"Guard(OF_PATH, enforce={enforce})")
    assert (code, stdout) == (0, "no problems\n")
    assert f"warning: app.wsgi_app: {name} is in front of corsguard and may answer" in stderr
    assert "[middleware-in-front] -> install CORSGuard last" in stderr
    assert ("`enforce` does not refuse them" in stderr) is enforce


def test_check_proxy_fix_in_front_prints_note() -> None:
    code, stdout, stderr = run_check("app.wsgi_app = ProxyFix(app.wsgi_app)")
    assert (code, stderr) == (0, "")
    assert stdout == (
        "werkzeug.middleware.proxy_fix.ProxyFix is in front of corsguard: it passes every "
        "request on\nno problems\n"
    )


@pytest.mark.parametrize("guard", ["Guard(OF_PATH)", "Guard(OF_PATH, enforce=True)"])
@pytest.mark.parametrize(
    "front",
    [
        "app.wsgi_app = SocketIO(app.wsgi_app)",
        "app.wsgi_app = ProxyFix(closed(SocketIO(app.wsgi_app)))",
    ],
)
def test_check_socket_io_in_front_exits_with_1(front: str, guard: str) -> None:
    code, _, stderr = run_check(front, guard)
    assert code == 1
    assert "app.wsgi_app: application.SocketIO is in front of corsguard and answers" in stderr
    assert "WebSocket" in stderr
    assert "call cors.init_app(app) after it" in stderr
    assert "cors_allowed_origins" in stderr


@pytest.mark.parametrize(("enforce", "expected"), [("False", 0), ("True", 1), ("'report'", 1)])
def test_check_dispatcher_in_front_fails_under_enforce(enforce: str, expected: int) -> None:
    front = "app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {'/metrics': app, '/x': app})"
    code, _, stderr = run_check(front, f"Guard(OF_PATH, enforce={enforce})")
    assert code == expected
    assert "passes requests below /metrics and /x to other applications" in stderr


def test_check_replaced_corsguard_exits_with_1() -> None:
    code, _, stderr = run_check("app.wsgi_app = Sealed()")
    assert code == 1
    assert "app.wsgi_app is application.Sealed, and corsguard was not found behind it" in stderr


class FlaskJSONProvider(DefaultJSONProvider):
    """A stand-in for the JSON provider of connexion's Flask application."""


FlaskJSONProvider.__module__ = "connexion.frameworks.flask"


def test_guard_inside_connexion_warns() -> None:
    app = Flask(__name__)
    app.json = FlaskJSONProvider(app)
    with pytest.warns(PolicyWarning, match=r"corsguard_asgi\.CORSMiddleware"):
        CORSGuard(app, POLICY)
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert done.exit_code == 1
    assert "[connexion] -> use the ASGI middleware" in done.output
